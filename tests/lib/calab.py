# SPDX-License-Identifier: Apache-2.0
"""Certificate authorities as they are without DNS, for tests of who is let in by them and who is not.

    with calab.Authority() as ca: ca.leaf("old", "DNS:old.a.example") is a prefix: .pem (with its issuers), -key.pem
"""
import pathlib, subprocess, tempfile, time

EC = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]

def openssl(*words):
    return subprocess.run(["openssl", *words], check=True, capture_output=True, text=True)

# OpenSSL 3.5 does not take a negative number of days, and before 3.4 there is no other way to the past.
HAS_DATES = "-not_after" in openssl("x509", "-help").stderr

def life(days):
    if days < 0 and HAS_DATES:
        return ["-not_before", "20250101000000Z", "-not_after", "20250102000000Z"]
    return ["-days", str(days)]

def moment(seconds):
    return time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() + seconds))

class Authority:
    """A root, .pem. above: the authority that it stands below; more: lines of its extensions."""
    def __init__(self, name="CA", above=None, more=""):
        self.folder, self.above = tempfile.TemporaryDirectory(prefix="sardane-ca-"), above
        self.prefix, self.pem = self.folder.name + "/ca", self.folder.name + "/ca.pem"
        if above:
            above.sign(self.prefix, name, "basicConstraints=critical,CA:TRUE\n" + more)
        else:
            openssl("req", "-x509", *EC, "-days", "9", "-subj", f"/CN={name}", "-keyout", self.prefix + "-key.pem", "-out", self.pem)

    def sign(self, prefix, name, extensions, days=2):
        pathlib.Path(prefix + ".ext").write_text(extensions)
        openssl("req", "-new", *EC, "-subj", f"/CN={name}", "-keyout", prefix + "-key.pem", "-out", prefix + ".csr")
        openssl("x509", "-req", "-in", prefix + ".csr", "-CA", self.pem, "-CAkey", self.prefix + "-key.pem", "-CAcreateserial", *life(days),
                "-extfile", prefix + ".ext", "-out", prefix + ".pem")

    def shorten(self, prefix, seconds):
        """The same certificate once more, for so many seconds from now."""
        config = pathlib.Path(prefix + ".cnf")
        config.write_text(f"[ca]\ndefault_ca = d\n[d]\ndatabase = {prefix}.index\nnew_certs_dir = {self.folder.name}\nrand_serial = yes\n"
                          "default_md = sha256\npolicy = p\n[p]\ncommonName = supplied\n")
        pathlib.Path(prefix + ".index").touch()
        openssl("ca", "-batch", "-notext", "-config", config, "-cert", self.pem, "-keyfile", self.prefix + "-key.pem", "-in", prefix + ".csr",
                "-extfile", prefix + ".ext", "-startdate", moment(-3600), "-enddate", moment(seconds), "-out", prefix + ".pem")

    def leaf(self, file, san=None, cn="x", more="", days=2, seconds=None):
        """days -1: it has expired. seconds: it will so soon."""
        prefix = f"{self.folder.name}/{file}"
        self.sign(prefix, cn, "basicConstraints=CA:FALSE\n" + (f"subjectAltName={san}\n" if san else "") + more, days)
        if seconds:
            self.shorten(prefix, seconds)
        with open(prefix + ".pem", "a") as chain:
            chain.write(pathlib.Path(self.pem).read_text())
            if self.above:
                chain.write(pathlib.Path(self.above.pem).read_text())
        return prefix

    def __enter__(self):
        return self

    def __exit__(self, *why):
        self.folder.cleanup()
