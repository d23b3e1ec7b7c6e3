#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The experiment of "PKI for IoT using the DNS infrastructure", told step by step.

Organisation A's Network Server hears a device of organisation B, finds B's Join Server by DNS,
both authenticate each other by DANE although they share no certificate authority, the device
joins, and its first uplink reaches B's Application Server decrypted. Then strangers are refused.

usage: experiment.py --build DIR [--report FILE] [--keep]
Exit 0 when everything went as told; 1 at the first thing that did not.
"""
import argparse, base64, json, os, pathlib, re, shutil, signal, subprocess, sys, tempfile, time

PAYLOAD = "53617264616e65"  # "Sardane"
DEV_EUI = "70b3d57ed0001234"
TTY = sys.stdout.isatty()


def paint(code, text):
    return f"\033[{code}m{text}\033[0m" if TTY else text


def chapter(title):
    print("\n" + paint("1;36", title))


def tell(text=""):
    print(f"  {text}")


class Wrong(Exception):
    """Something did not go as the story says."""


class Programs:
    """Starts the servers, reads their logs, stops them by pid."""

    def __init__(self, build, folder):
        self.build, self.folder, self.running = pathlib.Path(build).resolve(), folder, {}
        self.resolverd = self.build / "bin/resolverd/sardane-resolverd"

    def path(self, name):
        return str(self.build / "bin" / {"sardane": "cli"}.get(name, name.removeprefix("sardane-")) / name)

    def sardane(self, *words, ok=(0,), stdin=None):
        got = subprocess.run([self.path("sardane"), *map(str, words)], capture_output=True, text=True, input=stdin, timeout=60)
        if got.returncode not in ok:
            raise Wrong(f"sardane {' '.join(map(str, words[:3]))}: exit {got.returncode}: {got.stderr.strip() or got.stdout.strip()}")
        return got

    def start(self, name, program, config):
        path = self.folder / f"{name}.yaml"
        path.write_text(config)
        log = open(self.folder / f"{name}.log", "w")
        self.running[name] = subprocess.Popen([self.path(program), "--config", str(path)], stderr=log, stdout=log)

    def log(self, name):
        return (self.folder / f"{name}.log").read_text()

    def wait(self, name, pattern, since=0, seconds=15):
        """The first line of the log after since octets that matches."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for line in self.log(name)[since:].splitlines():
                if re.search(pattern, line):
                    return line
            if name in self.running and self.running[name].poll() is not None:
                raise Wrong(f"{name} ended: {self.log(name)[-600:]}")
            time.sleep(0.02)
        raise Wrong(f"{name} never said '{pattern}': {self.log(name)[-900:]}")

    def waits(self, name, pattern, count):
        """As many lines as count that match."""
        self.wait(name, pattern)
        end = time.monotonic() + 15
        while time.monotonic() < end:
            lines = [line for line in self.log(name).splitlines() if re.search(pattern, line)]
            if len(lines) >= count:
                return lines[:count]
            time.sleep(0.02)
        raise Wrong(f"{name} said '{pattern}' only {len(lines)} times")

    def stop(self):
        for process in self.running.values():
            process.terminate()
        for process in self.running.values():
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
        self.running.clear()


class Experiment:
    def __init__(self, build, folder):
        self.p = Programs(build, folder)
        self.folder = folder
        self.report = {"refused": []}
        self.lab = None

    def tls(self, role, org, which):
        prefix = self.lab["organisations"][org][role][f"{which}_prefix"]
        return f"  tls_cert: {prefix}.pem\n  tls_key: {prefix}-key.pem\n"

    def resolver_text(self):
        return (f"resolver:\n  backend: validating\n  helper: {self.p.resolverd}\n"
                f"  trust_anchor_file: {self.lab['trust_anchor_file']}\n"
                f"  forward: [\"{self.lab['dns_address']}@{self.lab['dns_port']}\"]\n")

    def up(self):
        chapter("1. Two organisations, two root CAs, one signed DNS")
        began = time.monotonic()
        self.lab = json.loads(self.p.sardane("lab", "up", "--dir", self.folder / "lab", "--ttl", "3", "--json").stdout)
        (self.folder / "resolver.yaml").write_text(self.resolver_text())
        a, b = (self.lab["organisations"][o] for o in "ab")
        self.a, self.b, roots = a, b, []
        tell(f"a private DNS world runs on {self.lab['dns_address']} port {self.lab['dns_port']} ({(time.monotonic() - began) * 1000:.0f} ms):"
             f" {', '.join(self.lab['zones'][:5])}")
        for org in (a, b):
            got = subprocess.run(["openssl", "x509", "-in", org["root"], "-noout", "-fingerprint", "-sha256"], capture_output=True, text=True, check=True)
            roots.append(got.stdout.split("=")[1].strip())
            tell(f"{org['domain']:10} NetID {org['net_id']}  root CA {roots[-1][:23]}...")
        if roots[0] == roots[1]:
            raise Wrong("the two organisations share a root")
        self.report["roots"] = roots

    def dns(self):
        chapter("2. What DNS holds, and why it may be believed")
        for label, owner, kind in (("B's Join Server", self.b["js"]["tlsa"], "TLSA"), ("A's Network Server as a client", self.a["ns"]["client_name"], "TLSA")):
            tell(f"{label}: {owner} {kind} {self.dig(owner, kind)[0][:40]}...")
        eui = ".".join(reversed(self.b["join_eui"])) + "." + self.lab["join_eui_suffix"]
        tell(f"JoinEUI {self.b['join_eui']}: {eui}")
        for record in self.dig(eui, "NAPTR"):
            tell(f"    NAPTR {record}")
        tell("chain of trust, each key named by the DS in its parent:")
        for line in self.chain():
            tell("    " + line)

    def dig(self, name, kind, *more):
        got = subprocess.run(["kdig", f"@{self.lab['dns_address']}", "-p", str(self.lab["dns_port"]), "+short", *more, name, kind], capture_output=True, text=True)
        records = [line for line in got.stdout.splitlines() if line]
        if not records:
            raise Wrong(f"DNS has no {kind} at {name}")
        return records

    @staticmethod
    def key_tag(record):
        """RFC 4034 appendix B, over a DNSKEY in presentation form."""
        flags, protocol, algorithm, *key = record.split()
        rdata = int(flags).to_bytes(2, "big") + bytes([int(protocol), int(algorithm)]) + base64.b64decode("".join(key))
        total = sum(octet << 8 if i % 2 == 0 else octet for i, octet in enumerate(rdata))
        return (total + (total >> 16)) & 0xFFFF

    def chain(self):
        """Every zone from the root down: the key its parent vouches for is one it has."""
        anchor = next(line for line in pathlib.Path(self.lab["trust_anchor_file"]).read_text().splitlines() if "DNSKEY" in line)
        vouched, by = self.key_tag(anchor.split("DNSKEY")[1]), "the trust anchor"
        for zone in (".", "example", self.b["domain"]):
            if zone != ".":
                vouched, by = int(self.dig(zone, "DS")[0].split()[0]), "the DS in its parent"
            tags = [self.key_tag(record) for record in self.dig(zone, "DNSKEY")]
            if vouched not in tags:
                raise Wrong(f"zone {zone}: {by} names key {vouched}, the zone has {tags}")
            yield f"{zone:12} key {vouched}, named by {by}"
        signed = [int(record.split()[6]) for record in self.dig(self.b["js"]["tlsa"], "TLSA", "+dnssec") if record.startswith("TLSA ")]
        if vouched not in signed:
            raise Wrong(f"{self.b['js']['tlsa']}: signed with {signed}, not with key {vouched}")
        yield f"{self.b['js']['tlsa']} TLSA is signed with key {vouched}"

    def servers(self):
        chapter("3. The servers")
        a, b = self.a, self.b
        res = self.resolver_text()
        self.p.start("joind-b", "sardane-joind", f"database: {self.folder}/joind.db\njoin_server:\n  bind: {b['js']['address']}:{b['js']['port']}\n"
                     f"  tickets: true\n{self.tls('js', 'b', 'server')}clients:\n"
                     f"  - name: .{a['domain']}\n  - name: .{b['domain']}\n"
                     f"  - name: {b['as']['client_name']}\n    as_id: {b['as']['host']}\n"
                     f"resolve_net_id_domain_suffix: {self.lab['net_id_suffix']}\n{res}")
        self.p.start("applicationd-b", "sardane-applicationd", f"as_id: {b['as']['host']}\ndatabase: {self.folder}/applicationd.db\n"
                     f"events: {self.folder}/events.jsonl\ncommand_socket: {self.folder}/as.sock\n"
                     f"backend_interfaces:\n  bind: {b['as']['address']}:{b['as']['port']}\n{self.tls('as', 'b', 'server')}"
                     f"clients:\n  - name: .{a['domain']}\n"
                     f"join_server:\n  resolve_join_eui_domain_suffix: {self.lab['join_eui_suffix']}\n{self.tls('as', 'b', 'client')}"
                     f"  dane_client_name: {b['as']['client_name']}\n"
                     f"network_server:\n  resolve_net_id_domain_suffix: {self.lab['net_id_suffix']}\n  port: 8000\n"
                     f"applications:\n  - id: metering\n    name: Metering\n    devices:\n      - dev_eui: {DEV_EUI}\n        join_eui: {self.b['join_eui']}\n        name: meter 7\n{res}")
        self.p.start("networkd-a", "sardane-networkd", self.network_config("a", a["net_id"], "networkd-a"))
        self.p.wait("joind-b", "joind.ready")
        self.p.wait("applicationd-b", "applicationd.ready")
        self.udp = self.port_of("networkd-a")
        tell(f"{b['js']['host']} (Join Server), {b['as']['host']} (Application Server), {a['ns']['host']} (Network Server, UDP {self.udp})")
        tell("none of them has the other's root certificate, or any certificate but its own")

    def network_config(self, org, net_id, name):
        o = self.lab["organisations"][org]
        return (f"net_id: \"{net_id}\"\ndatabase: {self.folder}/{name}.db\nsemtech_udp:\n  bind: 127.0.0.1:0\n"
                f"join_server:\n  resolve_join_eui_domain_suffix: {self.lab['join_eui_suffix']}\n{self.tls('ns', org, 'client')}"
                f"  dane_client_name: {o['ns']['client_name']}\n"
                f"api:\n  bind: {o['ns']['address']}:{o['ns']['port']}\n{self.tls('ns', org, 'server')}"
                f"clients:\n  - name: {self.b['as']['client_name']}\n    as_id: {self.b['as']['host']}\n{self.resolver_text()}")

    def port_of(self, name):
        return int(re.search(r" port=(\d+)", self.p.wait(name, "networkd.ready"))[1])

    def connect(self, org, *more, ok=(0,)):
        prefix = self.lab["organisations"][org]["ns"]["client_prefix"]
        words = ["--client-name", self.lab["organisations"][org]["ns"]["client_name"], "--cert", f"{prefix}.pem", "--key", f"{prefix}-key.pem"]
        return self.p.sardane("connect", f"{self.b['js']['host']}:{self.b['js']['port']}", "--resolver", self.folder / "resolver.yaml", "--wait", 400, *words, *more, ok=ok)

    def handshake(self):
        chapter("4. The handshake, both ways")
        out = self.connect("a", "--count", 2).stdout
        for line in out.splitlines():
            tell(line)
        accepts = self.p.waits("joind-b", "tls.accept.*" + re.escape(self.a["ns"]["client_name"]), 2)
        tell()
        tell("the Join Server's log:")
        for line in accepts:
            tell("    " + line)
        # The client's handshake ends before the server has asked DNS about the client, so the
        # longer of the two counts. First time: nothing cached at either end; then: all of it.
        times = re.findall(r"dns ([\d.]+) ms, tcp ([\d.]+) ms, tls ([\d.]+) ms", out)
        for which, (dns, tcp, tls), line in zip(("cold", "warm"), times, accepts):
            took = float(re.search(r"took_ms=([\d.]+)", line)[1])
            self.report[f"handshake_ms_{which}"] = round(float(dns) + float(tcp) + max(float(tls), took), 3)
        tell()
        tell(f"both proofs, nothing cached: {self.report['handshake_ms_cold']:.1f} ms; with the TLSA cached: {self.report['handshake_ms_warm']:.1f} ms")

    def join(self):
        chapter("5. The join")
        device = self.folder / "device.csv"
        self.p.sardane("simulate", "--write-devices", device, "--devices", 1, "--dev-eui", DEV_EUI, "--join-eui", self.b["join_eui"], "--seed", 7)
        rows = device.read_text().splitlines()
        key = dict(zip(rows[0].split(","), rows[1].split(",")))["app_key"]
        self.p.sardane("device", "add", DEV_EUI, "--join-eui", self.b["join_eui"], "--app-key", "-", "--net-id", self.a["net_id"],
                       "--application-server", f"https://{self.b['as']['host']}:{self.b['as']['port']}", "--as-id", self.b["as"]["host"],
                       "--config", self.folder / "joind-b.yaml", stdin=key + "\n")
        tell(f"B registers its device {DEV_EUI} at its Join Server; the key never leaves B and the device")
        got = json.loads(self.p.sardane("simulate", "--server", f"127.0.0.1:{self.udp}", "--device-file", device, "--uplinks", 1, "--payload", PAYLOAD,
                                        "--net-id", self.a["net_id"], "--json").stdout)
        self.summary = got
        self.device = device
        for who, what in (("networkd-a", "tls.verify"), ("networkd-a", "message_type=JoinReq"), ("joind-b", "join.accept"), ("networkd-a", "join.accept")):
            tell(f"{who:15} {self.p.wait(who, what)}")
        self.report["join_ms"] = self.first_number(got, "join")

    @staticmethod
    def first_number(summary, which):
        ms = summary[f"{which}_ms"]
        return ms["p50"] if isinstance(ms, dict) else ms

    def uplink(self):
        chapter("6. The first uplink, decrypted by B's Application Server")
        for what in ("tls.verify ", "appskey.given", "session.new", "uplink.take"):
            tell("applicationd-b  " + self.p.wait("applicationd-b", what))
        end = time.monotonic() + 10
        event = None
        while not event and time.monotonic() < end:
            lines = (self.folder / "events.jsonl").read_text().splitlines() if (self.folder / "events.jsonl").exists() else []
            event = next((e for e in map(json.loads, lines) if e["event"] == "up"), None)
            time.sleep(0.02)
        if not event:
            raise Wrong("no uplink event: " + self.p.log("applicationd-b")[-900:])
        plain = base64.b64decode(event["data"]).hex()
        tell(f"event up: devEui {event['deviceInfo']['devEui']} devAddr {event['devAddr']} fCnt {event['fCnt']} fPort {event['fPort']} data {event['data']}")
        tell(f"the device sent {PAYLOAD} (\"{bytes.fromhex(PAYLOAD).decode()}\"), the application reads {plain} (\"{bytes.fromhex(plain).decode()}\")")
        self.report["uplink_decrypted"] = plain == PAYLOAD
        if plain != PAYLOAD:
            raise Wrong("the payload is not what the device sent")

    def refused(self, name, line, expect):
        if not re.search(expect, line):
            raise Wrong(f"{name}: refused for another reason: {line}")
        m = re.search(r'reason="([^"]*)"|reason=(\S+)', line)
        reason = (m[1] or m[2]) if m else line
        self.report["refused"].append({"name": name, "reason": reason})
        tell(paint("1;31", "refused") + f": {reason}")
        tell(f"    {line}")

    def stranger(self):
        chapter("7. Refused: a stranger with a valid certificate of another CA")
        folder = self.folder / "stranger"
        self.p.sardane("ca", "init", folder, "--name", "Stranger Root CA")
        self.p.sardane("cert", "issue", "--ca", folder, "--dns", self.a["ns"]["client_name"], "--role", "client", "--out", self.folder / "mallory")
        tell(f"it claims to be {self.a['ns']['client_name']}, and its CA says so too")
        since = len(self.p.log("joind-b"))
        self.p.sardane("connect", f"{self.b['js']['host']}:{self.b['js']['port']}", "--resolver", self.folder / "resolver.yaml",
                       "--client-name", self.a["ns"]["client_name"], "--cert", self.folder / "mallory.pem", "--key", self.folder / "mallory-key.pem", ok=(1,))
        self.refused("stranger with a certificate of another CA", self.p.wait("joind-b", "tls.refuse ", since), "no matching DANE TLSA|no TLSA record matched")

    def impostor(self):
        chapter("8. Refused: a Network Server that claims another's NetID")
        self.p.start("networkd-b", "sardane-networkd", self.network_config("b", self.a["net_id"], "networkd-b"))
        udp = self.port_of("networkd-b")
        tell(f"B's Network Server proves to be {self.b['ns']['client_name']}, but says SenderID {self.a['net_id']}")
        since = len(self.p.log("joind-b"))
        self.p.sardane("simulate", "--server", f"127.0.0.1:{udp}", "--device-file", self.device, "--uplinks", 0, "--timeout", 2500, ok=(1,))
        self.refused("NetID of another", self.p.wait("joind-b", "UnknownSender", since), "UnknownSender")

    def removed(self):
        chapter("9. Refused: a Network Server whose TLSA was taken out of DNS, its resumed session too")
        session = self.folder / "session"
        # A ticket is good while the TLSA it rests on is cached; that may run out in between.
        line = None
        for _ in range(5):
            since = len(self.p.log("joind-b"))
            self.connect("a", "--session", session)
            line = self.p.wait("joind-b", "tls.accept ", since)
            if "resumed=yes" in line:
                break
        else:
            raise Wrong("no session was resumed: " + line)
        tell("while the TLSA stands, the session is resumed:")
        tell("    " + line)
        self.p.sardane("lab", "withdraw", "--dir", self.folder / "lab", self.a["ns"]["client_name"], "TLSA")
        tell("the TLSA is withdrawn; caches hold it for 3 more seconds")
        time.sleep(3.5)
        since = len(self.p.log("joind-b"))
        self.connect("a", "--session", session, ok=(1,))
        self.refused("resumed session after its TLSA was removed", self.p.wait("joind-b", "tls.refuse ", since), "denies|no-tlsa")
        since = len(self.p.log("joind-b"))
        self.connect("a", ok=(1,))
        self.refused("Network Server whose TLSA was removed", self.p.wait("joind-b", "tls.refuse ", since), "denies|no-tlsa")

    def run(self):
        self.up()
        self.dns()
        self.servers()
        self.handshake()
        self.join()
        self.uplink()
        self.stranger()
        self.impostor()
        self.removed()

    def end(self):
        self.p.stop()
        if self.lab:
            self.p.sardane("lab", "down", "--dir", self.folder / "lab", ok=(0, 1))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", required=True)
    parser.add_argument("--report")
    parser.add_argument("--keep", action="store_true")
    words = parser.parse_args()
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    folder = pathlib.Path(tempfile.mkdtemp(prefix="sardane-demo-"))
    experiment, began = Experiment(words.build, folder), time.monotonic()
    status = 0
    try:
        experiment.run()
        chapter(f"Everything went as told, in {time.monotonic() - began:.1f} s.")
    except Wrong as wrong:
        print(paint("1;31", f"\ndemo: {wrong}"), file=sys.stderr)
        status = 1
    finally:
        experiment.end()
        if words.keep:
            print(f"logs and configurations: {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    if words.report and status == 0:
        report = pathlib.Path(words.report)
        report.parent.mkdir(parents=True, exist_ok=True)
        report.write_text(json.dumps(experiment.report, indent=1) + "\n")
    return status


if __name__ == "__main__":
    sys.exit(main())
