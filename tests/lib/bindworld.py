# SPDX-License-Identifier: Apache-2.0
"""One named (BIND 9) on 127.0.0.1 that signs one zone and takes updates, in a directory of its own; beside it plain.ZONE, unsigned.

    with Bind(directory, port, "bind.example.", records) as b:
    b.ds() is the DS line for the parent; b.key(256) the path of a TSIG key file for updates.
BIND serves only addresses that an interface has, so it gets 127.0.0.1 and Knot the others.
"""
import base64, pathlib, subprocess, time

from dnsworld import is_up, query, tool

KEYS = {bits: base64.b64encode(bytes([bits // 8]) * 32).decode() for bits in (256, 384, 512)}


class Server:
    """A program that start() starts and that ends with the block."""

    process = None

    def halt(self):
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.halt()
            raise
        return self

    def __exit__(self, *exc):
        self.halt()


class Bind(Server):
    def __init__(self, directory, port, zone, records="", notify=None):
        self.dir, self.address = pathlib.Path(directory), "127.0.0.1"
        self.port, self.zone, self.notify = port, zone, notify
        self.records = records

    def key(self, bits):
        path = self.dir / f"tsig{bits}.key"
        if path.exists():
            return path
        path.write_text(f"hmac-sha{bits}:k{bits}:{KEYS[bits]}\n")
        path.chmod(0o600)
        return path

    def conf(self):
        keys = "".join(f'key "k{b}" {{ algorithm hmac-sha{b}; secret "{s}"; }};\n' for b, s in KEYS.items())
        grants = " ".join(f"grant k{b} zonesub ANY;" for b in KEYS)
        notify = f"also-notify {{ {self.notify} port {self.port}; }};" if self.notify else ""
        zone = (f'zone "{self.zone}" {{ type primary; file "zone"; dnssec-policy p; notify explicit; {notify}'
                f' allow-transfer {{ any; }}; update-policy {{ {grants} }}; }};')
        plain = zone.replace(self.zone, "plain." + self.zone).replace('file "zone"; dnssec-policy p;', 'file "plain";')
        return f"""
options {{ directory "{self.dir}"; pid-file "{self.dir}/named.pid"; session-keyfile "{self.dir}/session.key";
  managed-keys-directory "{self.dir}"; key-directory "{self.dir}";
  listen-on port {self.port} {{ {self.address}; }}; listen-on-v6 {{ none; }};
  recursion no; dnssec-validation no; notify-delay 0; serial-query-rate 1000; }};
controls {{ }};
logging {{ channel c {{ file "{self.dir}/named.log"; severity info; print-time yes; }}; category default {{ c; }}; }};
{keys}
dnssec-policy "p" {{ keys {{ csk lifetime unlimited algorithm ecdsap256sha256; }}; }};
{zone}
{plain}
"""

    def start(self):
        self.dir.mkdir(parents=True, exist_ok=True)
        (self.dir / "zone").write_text(
            f"{self.zone} 300 SOA ns.{self.zone} hostmaster.{self.zone} 1 3600 600 86400 5\n"
            f"{self.zone} 300 NS ns.{self.zone}\nns.{self.zone} 300 A {self.address}\n" + self.records)
        (self.dir / "plain").write_text(
            f"plain.{self.zone} 300 SOA ns.{self.zone} hostmaster.{self.zone} 1 3600 600 86400 5\nplain.{self.zone} 300 NS ns.{self.zone}\n")
        (self.dir / "named.conf").write_text(self.conf())
        self.launch()

    def launch(self):
        with open(self.dir / "named.err", "a") as err:
            self.process = subprocess.Popen([tool("named"), "-g", "-n", "1", "-c", str(self.dir / "named.conf")],
                                          stdin=subprocess.DEVNULL, stdout=err, stderr=err)
        for _ in range(600):
            answer = is_up(self.process, self.dir / "named.pid") and query(f"{self.address}@{self.port}", self.zone, 48, 0.2)
            if answer and answer[3] & 15 == 0 and answer[2] & 4 and answer[7] >= 2:
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        log = self.dir / "named.log"
        raise RuntimeError("named is not ready: " + (self.dir / "named.err").read_text()[-2000:] +
                           (log.read_text()[-2000:] if log.exists() else ""))

    def ds(self):
        dnskey = subprocess.run([tool("dig"), f"@{self.address}", "-p", str(self.port), "+noall", "+answer", self.zone, "DNSKEY"],
                                check=True, text=True, stdout=subprocess.PIPE).stdout
        return subprocess.run([tool("dnssec-dsfromkey"), "-2", "-f", "-", self.zone], input=dnskey, check=True,
                              text=True, stdout=subprocess.PIPE).stdout.strip()
