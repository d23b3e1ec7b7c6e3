#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A private, signed DNS world for tests: one knotd on a free loopback port, in a directory of its own.

From Python:      with dnsworld.World(records="js.example. 60 TLSA ...") as w: w.address, w.anchor
From a shell:     dnsworld.py run DIR [RECORDS-FILE]     prints "address=... anchor=... conf=..."
                  when ready; the world ends when its standard input closes or it is told to.

The zones: "." "example." "org." are signed by Knot (ECDSA P-256, one key each) with DS in the parent.
  insecure.example.  not signed, no DS               -> insecure
  wrongds.example.   signed, another key's DS        -> bogus
  tampered.example.  signed, then a record changed   -> bogus
  periods={"late.example.": (begin, end)}            a zone whose signatures hold only then (seconds since 1970)
Records given go to the deepest zone that holds their owner; owners are written in full.
"""
import contextlib, os, pathlib, random, shutil, signal, socket, struct, subprocess, sys, tempfile, time

SECRET = "c2VjcmV0LW9mLXRoZS10ZXN0LXdvcmxkLTAxMjM0NTY="
DIGEST = "3 1 1 " + "ab" * 32
BASE = {
    ".": "",
    "example.": f"""
js.example. 300 A 127.0.0.1
js.example. 300 AAAA ::1
_8003._tcp.js.example. 300 TLSA {DIGEST}
_ns-client.ns.example. 300 TLSA {DIGEST}
alias.example. 300 CNAME js.example.
_8003._tcp.alias.example. 200 CNAME _8003._tcp.js.example.
far.example. 300 CNAME far.org.
dangling.example. 300 CNAME nothing.example.
loose.example. 300 CNAME host.insecure.example.
*.device.example. 300 TLSA {DIGEST}
""" + "".join(f"big.example. 300 TLSA 3 1 2 {i:02x}" + "cd" * 63 + "\n" for i in range(40)),
    "org.": "far.org. 100 A 192.0.2.7\n",
    "insecure.example.": f"host.insecure.example. 300 A 192.0.2.8\nhost.insecure.example. 300 TLSA {DIGEST}\n",
    "wrongds.example.": f"host.wrongds.example. 300 TLSA {DIGEST}\n",
}
UNSIGNED = {"insecure.example."}


claims = []


def free_port():
    """Free at every address, and no other test's until this process ends: each claims a name that the system frees then.
    Below the ports of "sardane lab", and those below what the system gives to whoever connects."""
    while True:
        port, claim = random.randrange(10240, 16384), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as u, socket.socket() as t:
            try:
                claim.bind(f"\0sardane-test-port-{port}")
                u.bind(("", port))
                t.bind(("", port))
                claims.append(claim)
                return port
            except OSError:
                claim.close()


def tool(name):
    path = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin:/sbin")
    if not path:
        raise FileNotFoundError(name)
    return path


def is_up(process, pidfile):
    """A name server writes its number once it has its sockets: what answers before that may be another test's."""
    with contextlib.suppress(FileNotFoundError):
        return pathlib.Path(pidfile).read_text().strip() == str(process.pid)
    return False


def query(address, name, rtype, timeout=1.0):
    """The raw answer to one question with DO, or None."""
    host, port = address.split("@")
    labels = b"".join(bytes([len(l)]) + l.encode() for l in name.rstrip(".").split(".") if l)
    ask = struct.pack(">6H", 7, 0x0100, 1, 0, 0, 1) + labels + b"\0" + struct.pack(">2H", rtype, 1)
    ask += b"\0" + struct.pack(">HHIH", 41, 1232, 0x8000, 0)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(timeout)
        try:
            s.sendto(ask, (host, int(port)))
            return s.recv(65535)
        except OSError:
            return None


class World:
    def __init__(self, records="", directory=None, zones=None, periods=None, host="127.0.0.1", port=None):
        self.own = directory is None
        self.dir = pathlib.Path(directory or tempfile.mkdtemp(prefix="dnsworld-"))
        self.dir.mkdir(parents=True, exist_ok=True)
        self.periods = {"tampered.example.": None, **(periods or {})}
        self.zones = {**BASE, **{z: f"host.{z} 300 TLSA {DIGEST}\n" for z in self.periods}, **(zones or {})}
        for line in records.splitlines():
            if line.strip() and not line.lstrip().startswith(";"):
                owner = line.split()[0]
                self.zones[self.holder(owner)] += line + "\n"
        self.host, self.port, self.knotd = host, port or free_port(), None
        self.address = f"{host}@{self.port}"
        self.anchor = str(self.dir / "root.anchor")
        self.conf = str(self.dir / "knot.conf")

    def holder(self, owner):
        fits = [z for z in self.zones if z == "." or owner == z or owner.endswith("." + z)]
        return max(fits, key=len)

    def parent(self, zone):
        return self.holder(zone.split(".", 1)[1] or ".") if zone != "." else None

    def run(self, *argv):
        return subprocess.run([tool(argv[0]), *argv[1:]], cwd=self.dir, check=True, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE).stdout

    def key(self, bits=256):
        """A file with a TSIG key that may update every zone."""
        path = self.dir / f"tsig{bits}.key"
        if path.exists():
            return path
        path.write_text(f"hmac-sha{bits}:update{'' if bits == 256 else bits}.:{SECRET}\n")
        path.chmod(0o600)
        return path

    def file(self, zone):
        return self.dir / ("zone." + (zone.rstrip(".") or "root"))

    def write_conf(self):
        zones = "".join(f"""
  - domain: "{z}"
    file: "{self.file(z)}"
    dnssec-signing: {"off" if z in UNSIGNED or z in self.periods else "on"}
    acl: local
""" for z in self.zones)
        pathlib.Path(self.conf).write_text(f"""
server:
    listen: {self.address}
    rundir: "{self.dir}"
    pidfile: "{self.dir}/knot.pid"
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
control:
    listen: "{self.dir}/knot.sock"
log:
  - target: "{self.dir}/knot.log"
    any: info
database:
    storage: "{self.dir}"
key:
  - id: "update."
    algorithm: hmac-sha256
    secret: "{SECRET}"
  - id: "update384."
    algorithm: hmac-sha384
    secret: "{SECRET}"
  - id: "update512."
    algorithm: hmac-sha512
    secret: "{SECRET}"
acl:
  - id: local
    key: ["update.", "update384.", "update512."]
    action: [update, transfer]
policy:
  - id: test
    manual: on
    single-type-signing: on
    algorithm: ecdsap256sha256
template:
  - id: default
    storage: "{self.dir}"
    dnssec-policy: test
    zonefile-sync: -1
    zonefile-load: difference
    journal-content: all
zone:{zones}""")

    def key_and_ds(self, zone):
        self.run("keymgr", "-c", self.conf, zone, "generate", "algorithm=ecdsap256sha256", "ksk=yes", "zsk=yes")
        return [l for l in self.run("keymgr", "-c", self.conf, zone, "ds").splitlines() if " 13 2 " in l][0]

    def write_zone(self, zone, text):
        dot = "" if zone == "." else zone
        self.file(zone).write_text(
            f"{zone} 300 SOA ns.{dot or 'example.'} hostmaster.{dot or 'example.'} 1 3600 600 86400 60\n"
            f"{zone} 300 NS ns.example.\n" + (f"ns.example. 300 A {self.host}\n" if zone in (".", "example.") else "") + text)

    def sign(self, zone, period):
        """Signs with ldns, for a period if there is one; the DS."""
        key = self.run("ldns-keygen", "-a", "ECDSAP256SHA256", "-k", zone).strip()
        dates = [time.strftime("%Y%m%d%H%M%S", time.gmtime(t)) for t in period or ()]
        limits = ["-i", dates[0], "-e", dates[1]] if dates else []
        self.write_zone(zone, self.zones[zone])
        self.run("ldns-signzone", *limits, "-o", zone, "-f", str(self.file(zone)) + ".signed", str(self.file(zone)), key)
        self.file(zone).write_text(pathlib.Path(str(self.file(zone)) + ".signed").read_text())
        return (self.dir / (key + ".ds")).read_text().strip()

    def tamper(self, zone):
        text = self.file(zone).read_text()
        changed = text.replace("abababababab", "abababababac", 1)
        assert changed != text
        self.file(zone).write_text(changed)

    def start(self):
        self.write_conf()
        below = {z: "" for z in self.zones}
        anchor = ""
        for zone in sorted(self.zones, key=lambda z: -len(z)):
            if zone in self.periods:
                ds = self.sign(zone, self.periods[zone])
            else:
                ds = None if zone in UNSIGNED else self.key_and_ds(zone)
                self.write_zone(zone, self.zones[zone] + below[zone])
            if zone == ".":
                anchor = ds
                continue
            cut = f"{zone} 300 NS ns.example.\n"
            if zone == "wrongds.example.":
                ds = f"{zone} 300 DS 12345 13 2 " + "00" * 32
            below[self.parent(zone)] += cut + (f"{ds}\n" if ds else "")
        self.tamper("tampered.example.")
        pathlib.Path(self.anchor).write_text(anchor.replace(" DS ", " IN DS ") + "\n")
        for left in reversed(range(5)):
            try:
                return self.launch()
            except RuntimeError as why:
                if not left or "already in use" not in str(why):
                    raise
            self.port = free_port()  # somebody took the other since it was free
            self.address = f"127.0.0.1@{self.port}"
            self.write_conf()

    def launch(self):
        with open(self.dir / "knotd.err", "a") as err:
            self.knotd = subprocess.Popen([tool("knotd"), "-c", self.conf], stdin=subprocess.DEVNULL, stdout=err, stderr=err)
        for _ in range(300):
            answer = is_up(self.knotd, self.dir / "knot.pid") and query(self.address, "js.example", 1, 0.2)
            if answer and answer[3] & 15 == 0 and struct.unpack(">H", answer[6:8])[0] == 2:
                return
            if self.knotd.poll() is not None:
                break
            time.sleep(0.05)
        log = self.dir / "knot.log"
        raise RuntimeError("knotd is not ready: " + (self.dir / "knotd.err").read_text() + (log.read_text() if log.exists() else ""))

    def halt(self):
        """Stops the server; the directory stays, launch() brings it back."""
        if self.knotd:
            self.knotd.kill()
            self.knotd.wait()
            self.knotd = None

    def stop(self):
        self.halt()
        if self.own:
            shutil.rmtree(self.dir, ignore_errors=True)

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *exc):
        self.stop()


def main():
    if len(sys.argv) < 3 or sys.argv[1] != "run":
        sys.exit("usage: dnsworld.py run DIR [RECORDS-FILE]")
    records = pathlib.Path(sys.argv[3]).read_text() if len(sys.argv) > 3 else ""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with World(records, sys.argv[2]) as w:
        print(f"address={w.address} anchor={w.anchor} conf={w.conf} dir={w.dir}", flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
