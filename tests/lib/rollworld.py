#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A signed zone on a primary and on a secondary that lags, and a service under load.

    with rollworld.World() as w:
        w.begin(); w.load(200)               a key, published and presented, and handshakes
        w.roll(n), w.roll_wrongly()
        handshakes, failed, reasons = w.count()

Two knotd on 127.0.0.1 and 127.0.0.2, one port: "." and "roll.", signed on the first. The second is not
told of changes: it fetches them at a random time within lag seconds. Half of the clients ask one, half the
other. SARDANE, RESOLVERD and ROLL_LOAD in the environment name the programs.
"""
import json, os, pathlib, random, re, shutil, signal, subprocess, tempfile, threading, time

import dnsworld

PRIMARY, SECONDARY = "127.0.0.1", "127.0.0.2"
# A second address of each: a resolver that knows one address only has no other to try when a busy machine
# answers late, and remembers that for five seconds.
TOO = {PRIMARY: "127.0.0.3", SECONDARY: "127.0.0.4"}
SECRET = "c2VjcmV0LW9mLXRoZS10ZXN0LXdvcmxkLTAxMjM0NTY="
HOST, CLIENT = "js.roll", "_client.roll"


class World:
    def __init__(self, ttl=1, lag=0.8):
        self.ttl, self.lag, self.dir = ttl, lag, pathlib.Path(tempfile.mkdtemp(prefix="sardane-roll-"))
        self.port, self.service, self.refusals = dnsworld.free_port(), dnsworld.free_port(), []
        self.owner = f"_{self.service}._tcp.{HOST}."
        self.processes, self.loads, self.server, self.over = [], [], None, threading.Event()
        self.kills = self.emergencies = 0
        self.sardane = os.environ["SARDANE"]

    def run(self, *argv, **more):
        done = subprocess.run([str(a) for a in argv], text=True, capture_output=True, **more)
        assert done.returncode == 0, f"{argv}: {done.stdout}{done.stderr}"
        return done.stdout

    # --- DNS

    def conf(self, name, address, more, zone):
        folder = self.dir / name
        folder.mkdir()
        path = folder / "knot.conf"
        path.write_text(f"""
server:
    listen: [ {address}@{self.port}, {TOO[address]}@{self.port} ]
    rundir: "{folder}"
    pidfile: "{folder}/knot.pid"
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
control:
    listen: "{folder}/k.sock"
log:
  - target: "{folder}/knot.log"
    any: info
database:
    storage: "{folder}"
key:
  - id: "roll."
    algorithm: hmac-sha256
    secret: "{SECRET}"
{more}
template:
  - id: default
    storage: "{folder}"
    zonefile-sync: -1
    zonefile-load: difference
    journal-content: all
    acl: local
{zone}""" + "".join(f'  - domain: "{z}"\n    file: "{"root" if z == "." else z}zone"\n' for z in (".", "roll.")))
        return path

    def write_dns(self):
        self.primary = self.conf("primary", PRIMARY, """
acl:
  - id: local
    key: "roll."
    action: [update, transfer]
policy:
  - id: test
    manual: on
    single-type-signing: on
    algorithm: ecdsap256sha256
""", "    dnssec-signing: on\n    dnssec-policy: test\n    serial-policy: increment\nzone:\n")
        self.secondary = self.conf("secondary", SECONDARY, f"""
remote:
  - id: primary
    address: {PRIMARY}@{self.port}
    key: "roll."
acl:
  - id: local
    address: 127.0.0.0/8
    action: transfer
""", "    master: primary\nzone:\n")
        ds = {}
        for zone in (".", "roll."):
            self.run(dnsworld.tool("keymgr"), "-c", self.primary, zone, "generate", "algorithm=ecdsap256sha256", "ksk=yes", "zsk=yes")
            lines = self.run(dnsworld.tool("keymgr"), "-c", self.primary, zone, "ds").splitlines()
            ds[zone] = [l for l in lines if " 13 2 " in l][0]
        glue = f"ns1.roll. 300 A {PRIMARY}\nns2.roll. 300 A {SECONDARY}\n"
        servers = "{0} 300 NS ns1.roll.\n{0} 300 NS ns2.roll.\n"
        soa = "{0} 300 SOA ns1.roll. hostmaster.roll. 1 {1} {1} 86400 1\n"
        (self.dir / "primary/rootzone").write_text(
            soa.format(".", 3600) + servers.format(".") + servers.format("roll.") + glue + ds["roll."] + "\n")
        (self.dir / "primary/roll.zone").write_text(
            soa.format("roll.", 3600) + servers.format("roll.") + glue + f"{HOST}. 300 A 127.0.0.1\n")
        self.anchor = self.dir / "root.anchor"
        self.anchor.write_text(ds["."].replace(" DS ", " IN DS ") + "\n")
        self.tsig = self.dir / "tsig.key"
        self.tsig.write_text(f"hmac-sha256:roll.:{SECRET}\n")
        self.tsig.chmod(0o600)

    def start(self):
        self.write_dns()
        self.launch()
        threading.Thread(target=self.refresh, daemon=True).start()

    def launch(self):
        for conf, address in ((self.primary, PRIMARY), (self.secondary, SECONDARY)):
            self.processes.append(subprocess.Popen(
                [dnsworld.tool("knotd"), "-c", conf], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
            self.until(lambda: dnsworld.is_up(self.processes[-1], conf.with_name("knot.pid")) and self.ask(address, "ns1.roll.", "A") == {PRIMARY},
                       f"knotd on {address}")

    def refresh(self):
        """The lag of the secondary: from 0 to lag seconds."""
        while not self.over.wait(random.uniform(0, self.lag)):
            subprocess.run([dnsworld.tool("knotc"), "-c", self.secondary, "zone-refresh", "roll."],
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=30)

    def ask(self, address, name, kind):
        done = subprocess.run(["kdig", f"@{address}", "-p", str(self.port), "+short", "+timeout=10", "+retry=0", name, kind],
                              capture_output=True, text=True)
        return {"no answer"} if done.returncode else {"".join(l.split()).lower() for l in done.stdout.splitlines() if l and l[0] != ";"}

    def until(self, true, what, seconds=30):
        end = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < end, f"{what}: not within {seconds} s"
            time.sleep(0.05)

    def publish(self, lines):
        self.run("knsupdate", "-k", self.tsig, input=f"server {PRIMARY} {self.port}\nzone roll.\n" + "\n".join(lines) + "\nsend\nquit\n")

    def everywhere(self, records, owner=None):
        wanted = {"".join(r.split()).lower() for r in records}
        self.until(lambda: all(self.ask(a, owner or self.owner, "TLSA") == wanted for a in (PRIMARY, SECONDARY)), "every server")

    # --- credentials

    def make_key(self, folder):
        folder.mkdir(parents=True, exist_ok=True)
        self.run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj",
                 f"/CN={HOST}", "-addext", f"subjectAltName=DNS:{HOST}", "-keyout", folder / "key.pem", "-out", folder / "cert.pem")
        (folder / "key.pem").chmod(0o600)

    def tlsa(self, folder):
        return self.run(self.sardane, "tlsa", "generate", "--cert", folder / "cert.pem").strip()

    # --- the service and its clients

    def environment(self, forward):
        return {**os.environ, "DNS_FORWARD": f"{forward}@{self.port}", "DNS_FORWARD_TOO": f"{TOO[forward]}@{self.port}",
                "DNS_ANCHOR": str(self.anchor), "SARDANE_HELPER": os.environ["RESOLVERD"]}

    def serve(self, folder):
        """The service on what lies in folder; it can be told to look again: reload()."""
        # The name servers come first where there is not enough of the machine.
        self.server = subprocess.Popen(["nice", "-n", "5", os.environ["ROLL_LOAD"], "server", "127.0.0.1", str(self.service), folder, "roll"],
                                       env=self.environment(PRIMARY), stdout=subprocess.PIPE, text=True)
        self.processes.append(self.server)
        self.reloads = 0
        ready = threading.Event()

        def read():
            for line in self.server.stdout:
                self.reloads += line == "reloaded\n"
                if line.startswith("refused: "):
                    self.refusals.append("server " + line.strip())
                if line == "ready\n":
                    ready.set()
        threading.Thread(target=read, daemon=True).start()
        assert ready.wait(30), "the server is not ready"

    def reload(self):
        before = self.reloads
        self.server.send_signal(signal.SIGHUP)
        self.until(lambda: self.reloads > before, "a reload")

    def load(self, rate):
        """Two clients, one behind each name server, rate handshakes a second together."""
        self.make_key(self.dir / "client")
        record = self.tlsa(self.dir / "client")
        self.publish([f"add {CLIENT}. 300 TLSA {record}"])
        self.everywhere([record], CLIENT + ".")
        self.load_as(rate, CLIENT, self.dir / "client/cert.pem", self.dir / "client/key.pem")

    def load_as(self, rate, name, cert, key):
        for forward in (PRIMARY, SECONDARY):
            one = Load(self, forward, rate // 2, name, cert, key)
            self.loads.append(one)
            self.processes.append(one.process)
            assert one.ready.wait(30), "a client is not ready"

    # --- a key in use, and what becomes of it

    def begin(self):
        """The first key is presented and published; the service looks at what lies at live."""
        first = self.dir / "first"
        self.make_key(first)
        self.publish([f"add {self.owner} {self.ttl} TLSA {self.tlsa(first)}"])
        self.everywhere([self.tlsa(first)])
        self.live = self.dir / "live"
        self.live.symlink_to(first)
        self.serve(self.live)
        self.write_via()
        self.folder = self.state / "names" / self.owner.rstrip(".")

    def write_via(self):
        helper = f"trust_anchor_file: {self.anchor}, forward: ['{PRIMARY}@{self.port}'], helper: {os.environ['RESOLVERD']}"
        self.via = self.dir / "publish.yaml"
        self.via.write_text(
            f"publish: {{backend: update, zone: roll, server: '{PRIMARY}@{self.port}', key_file: {self.tsig}, ttl_s: {self.ttl}}}\n"
            f"resolver: {{{helper}, root_servers: ['{PRIMARY}@{self.port}', '{SECONDARY}@{self.port}'], authority_port: {self.port}}}\n")
        self.state = self.dir / "state"

    def rollover(self, *words):
        return [self.sardane, "rollover", HOST, "--state", self.state, *words]

    def settings(self):
        first = self.dir / "first"
        return ["--via", self.via, "--service", f"{self.service}/tcp", "--cert", first / "cert.pem", "--key", first / "key.pem", "--reload",
                f"ln -sfn $SARDANE_FOLDER {self.live} && kill -HUP {self.server.pid}", "--margin", "1", "--drain", "1", "--pause", "100"]

    def status(self):
        done = subprocess.run(self.rollover("--status", "--json"), text=True, capture_output=True)
        return json.loads(done.stdout) if done.returncode < 2 else {"done": 0, "under_way": False, "standby": ""}

    def roll(self, kill=True, emergency=False, more=()):
        """One rollover from begin to end, the tool killed at random points and run again."""
        before = self.status()
        words = [*(self.settings() if before["done"] == 0 else []), *more, *(["--emergency"] if emergency else [])]
        self.emergencies += emergency
        while True:
            tool = subprocess.Popen([str(x) for x in self.rollover(*words)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            try:
                # Half of them while it is busy, right after its start; the others while it waits.
                _, said = tool.communicate(timeout=random.uniform(0, random.choice((0.5, 5))) if kill else 120)
                assert tool.returncode == 0, f"sardane rollover: exit {tool.returncode}: {said}"
            except subprocess.TimeoutExpired:
                tool.kill()
                tool.communicate()
                self.kills += 1
            now = self.status()
            if now["done"] > before["done"]:
                assert now["done"] == before["done"] + 1 and not now["under_way"], now
                return now
            if now["under_way"]:
                words = ["--continue"]

    def roll_wrongly(self):
        """As it is done without a plan: the new record in place of the old, and the new key at once."""
        new = self.dir / "wrong"
        self.make_key(new)
        self.publish([f"del {self.owner} TLSA", f"add {self.owner} {self.ttl} TLSA {self.tlsa(new)}"])
        self.live.unlink()
        self.live.symlink_to(new)
        self.reload()
        self.everywhere([self.tlsa(new)])
        time.sleep(2 * self.ttl)

    def count(self):
        """(handshakes, failures, reasons) until now; a client that was refused does not know why, the server does."""
        failed = sum(l.failed for l in self.loads)
        return (sum(l.handshakes for l in self.loads), failed, [r for l in self.loads for r in l.reasons] + (self.refusals if failed else []))

    def counted(self):
        """The same once each client has told twice what it had counted: all of what is over by now."""
        before = [l.told for l in self.loads]
        self.until(lambda: all(l.told >= n + 2 for l, n in zip(self.loads, before)), "a word of each client")
        return self.count()

    def stop(self):
        self.over.set()
        for p in reversed(self.processes):
            if p.poll() is None:
                p.terminate()
        for p in self.processes:
            try:
                p.wait(10)
            except subprocess.TimeoutExpired:
                p.kill()
                p.wait()
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


class Load:
    def __init__(self, world, forward, rate, name, cert, key):
        self.handshakes = self.failed = self.told = 0
        self.reasons, self.ready = [], threading.Event()
        self.process = subprocess.Popen(
            ["nice", "-n", "5", os.environ["ROLL_LOAD"], "client", HOST, str(world.service), cert, key, name, str(rate)],
            env=world.environment(forward), stdout=subprocess.PIPE, text=True)
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            if line == "ready\n":
                self.ready.set()
            m = re.match(r"handshakes=(\d+) failed=(\d+)", line)
            if m:
                self.handshakes, self.failed = int(m[1]), int(m[2])
                self.told += 1
            elif line.startswith("failed: ") and len(self.reasons) < 20:
                self.reasons.append(line[8:].strip())
