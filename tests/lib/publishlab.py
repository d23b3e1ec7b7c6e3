# SPDX-License-Identifier: Apache-2.0
"""What the tests of publishing share: a signed world of Knot with a zone of BIND in it, and words about it.

    with Lab(SARDANE) as lab:   "." and example. by Knot on 127.0.0.2, bind.example. by BIND on 127.0.0.1 and,
                                when asked for, by a secondary (Knot) on 127.0.0.3, which without
                                notify hears of no change; one port for all of them
    lab.run("publish", ...)     a finished subcommand: returncode, stdout, stderr
"""
import base64, contextlib, hashlib, json, pathlib, re, shutil, socket, subprocess, sys, tempfile, threading, time

import bindworld, dnsworld

count = failed = 0


def check(good, what, note=""):
    global count, failed
    count += 1
    failed += not good
    print(f"{'ok' if good else 'not ok'} {count} - {what}", flush=True)
    if not good and note:
        print("\n".join("# " + line for line in str(note).splitlines()), flush=True)


def done():
    print(f"1..{count}")
    sys.exit(failed > 0)


def skip_without(*programs):
    for p in programs:
        try:
            dnsworld.tool(p)
        except FileNotFoundError:
            print(f"1..0 # SKIP {p} is not installed")
            sys.exit(0)
    try:
        confined = "named (enforce)" in pathlib.Path("/sys/kernel/security/apparmor/profiles").read_text()
    except OSError:
        confined = False
    if confined:
        print("1..0 # SKIP AppArmor lets named serve nothing from a folder of a test")
        sys.exit(0)


def digest(octet):
    return "3 1 1 " + octet * 32


def octets(path):
    """The DER of the first block of a PEM file."""
    return base64.b64decode(re.search("-----BEGIN [A-Z ]+-----(.*?)-----END", path.read_text(), re.S)[1])


def element(der, at):
    """Where the content of the element at a place begins, and where the element ends."""
    n, at = der[at + 1], at + 2
    if n > 0x80:
        n, at = int.from_bytes(der[at:at + n - 0x80], "big"), at + n - 0x80
    return at, at + n


def spki(cert):
    """The SubjectPublicKeyInfo of a certificate, RFC 5280 section 4.1."""
    der = octets(cert)
    at = element(der, element(der, 0)[0])[0]
    for _ in ("version", "serial number", "algorithm", "issuer", "validity", "subject"):
        at = element(der, at)[1]
    return der[at:element(der, at)[1]]


def record(cert):
    return "3 1 1 " + hashlib.sha256(spki(cert)).hexdigest()


def free_port():
    """Free for both transports on all addresses we use."""
    while True:
        port = dnsworld.free_port()
        with contextlib.ExitStack() as held:
            try:
                for host in ("127.0.0.1", "127.0.0.2", "127.0.0.3"):
                    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
                        held.enter_context(socket.socket(socket.AF_INET, kind)).bind((host, port))
                return port
            except OSError:
                continue


class Secondary(bindworld.Server):
    """A knotd that transfers one zone from 127.0.0.1."""

    def __init__(self, directory, address, port, zone):
        self.dir, self.address, self.port, self.zone = pathlib.Path(directory), address, port, zone

    def start(self):
        self.dir.mkdir(exist_ok=True)
        (self.dir / "knot.conf").write_text(f"""
server:
    listen: {self.address}@{self.port}
    rundir: "{self.dir}"
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
control:
    listen: "{self.dir}/knot.sock"
database:
    storage: "{self.dir}"
log:
  - target: "{self.dir}/knot.log"
    any: info
remote:
  - id: primary
    address: 127.0.0.1@{self.port}
acl:
  - id: notify
    address: 127.0.0.0/8
    action: notify
zone:
  - domain: "{self.zone}"
    storage: "{self.dir}"
    master: primary
    acl: notify
""")
        with open(self.dir / "err", "a") as err:
            self.process = subprocess.Popen([dnsworld.tool("knotd"), "-c", str(self.dir / "knot.conf")],
                                          stdin=subprocess.DEVNULL, stdout=err, stderr=err)
        for _ in range(400):
            answer = dnsworld.is_up(self.process, self.dir / "knot.pid") and dnsworld.query(f"{self.address}@{self.port}", self.zone, 6, 0.2)
            if answer and answer[3] & 15 == 0 and answer[7] >= 1:
                return
            time.sleep(0.05)
        raise RuntimeError("the secondary is not ready: " + (self.dir / "knot.log").read_text())


class Between:
    """Stands between us and a primary, by TCP, on an address of its own; on_update is called once, before the next
    UPDATE is passed on; with lose the answer to it is lost."""

    def __init__(self, host, port, on_update=lambda: None, lose=False):
        self.to, self.on_update, self.lose, self.done = (host, port), on_update, lose, False
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.server = f"127.0.0.1@{self.listener.getsockname()[1]}"
        threading.Thread(target=self.serve, daemon=True).start()

    def message(self, s):
        head = s.recv(2, socket.MSG_WAITALL)
        return head + s.recv(int.from_bytes(head, "big"), socket.MSG_WAITALL)

    def serve(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            with client, socket.create_connection(self.to) as server:
                query = self.message(client)
                first = (query[4] >> 3) & 15 == 5 and not self.done
                if first:
                    self.done = True
                    self.on_update()
                server.sendall(query)
                answer = self.message(server)
                if not (first and self.lose):
                    client.sendall(answer)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.listener.close()


class Lab:
    def __init__(self, sardane, secondary=False, notify=True, records=""):
        self.sardane, self.secondary, self.notify = sardane, secondary, notify
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="sardane-test-"))
        self.port = free_port()
        self.records, self.stack = records, contextlib.ExitStack()

    def __enter__(self):
        try:
            self.stack.callback(shutil.rmtree, self.dir, ignore_errors=True)
            second = "bind.example. 300 NS ns2.bind.example.\nns2.bind.example. 300 A 127.0.0.3\n" if self.secondary else ""
            self.bind = self.stack.enter_context(bindworld.Bind(
                self.dir / "primary", self.port, "bind.example.", second + self.records,
                notify="127.0.0.3" if self.secondary and self.notify else None))
            glue = "bind.example. 300 NS ns.bind.example.\nns.bind.example. 300 A 127.0.0.1\n" + second
            if self.secondary:
                self.second = self.stack.enter_context(Secondary(self.dir / "second", "127.0.0.3", self.port, "bind.example."))
            self.world = dnsworld.World(glue + self.bind.ds().replace(" IN DS ", " 300 DS ") + "\n", self.dir / "knot",
                                        host="127.0.0.2", port=self.port)
            self.stack.callback(self.world.stop)
            self.world.start()
            self.resolver = self.dir / "resolver.yaml"
            self.resolver.write_text(f"""resolver:
  trust_anchor_file: "{self.world.anchor}"
  deadline_ms: 4000
  stub:
    - {{zone: ".", server: "127.0.0.2@{self.port}"}}
    - {{zone: "example", server: "127.0.0.2@{self.port}"}}
    - {{zone: "org", server: "127.0.0.2@{self.port}"}}
    - {{zone: "bind.example", server: "127.0.0.1@{self.port}"}}
  root_servers: ["127.0.0.2@{self.port}"]
  authority_port: {self.port}
  helper: "{pathlib.Path(self.sardane).parent.parent / 'resolverd/sardane-resolverd'}"
""")
        except BaseException:
            self.stack.close()
            raise
        return self

    def __exit__(self, *exc):
        self.stack.close()

    def via(self, name, text, state="state"):
        """A file for --via: its publish block, with what all have in common."""
        path = self.dir / f"{name}-{state}.yaml"
        state = f"  state: {self.dir / state}\n" if state else ""
        path.write_text(f"publish:\n{text}\n{state}  ttl_s: 60\n  wait_s: 20\nresolver:\n  file: {self.resolver}\n")
        return path

    def via_bind(self, bits=256, **more):
        return self.via(f"bind{bits}", f"""  backend: update
  zone: bind.example
  server: 127.0.0.1@{self.port}
  key_file: {self.bind.key(bits)}""", **more)

    def via_knot(self, bits=256, **more):
        return self.via(f"knot{bits}", f"""  backend: update
  zone: example
  server: 127.0.0.2@{self.port}
  key_file: {self.world.key(bits)}""", **more)

    def run(self, *argv, **more):
        return subprocess.run([self.sardane, *map(str, argv)], text=True, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120, **more)

    def json(self, *argv):
        got = self.run(*argv, "--json")
        return got.returncode, json.loads(got.stdout) if got.stdout else got.stderr

    def served(self, owner, address="127.0.0.1"):
        """The TLSA of a server, sorted, as "3 1 1 ab..."."""
        out = subprocess.run([dnsworld.tool("kdig"), f"@{address}", "-p", str(self.port), "+short", "+tcp", owner, "TLSA"],
                             text=True, stdout=subprocess.PIPE).stdout
        return sorted(l.lower() for l in out.splitlines() if l and not l.startswith(";"))

    def all_served(self):
        """The TLSA of every name of bind.example, as served() has them."""
        out, all = subprocess.run([dnsworld.tool("kdig"), "@127.0.0.1", "-p", str(self.port), "+noall", "+answer", "bind.example", "AXFR"],
                                  text=True, stdout=subprocess.PIPE, check=True).stdout, {}
        for owner, _, _, what, *data in (l.split() for l in out.splitlines()):
            if what == "TLSA":
                all.setdefault(owner.rstrip("."), []).append(" ".join(data[:3] + ["".join(data[3:])]).lower())
        return {owner: sorted(set(records)) for owner, records in all.items()}

    def put(self, *lines, bits=256, server="127.0.0.1", zone="bind.example"):
        """Another writer: changes of nsupdate."""
        key = self.bind.key(bits) if server == "127.0.0.1" else self.world.key(bits)
        text = f"server {server} {self.port}\nzone {zone}\n" + "\n".join(lines) + "\nsend\n"
        alg, name, secret = key.read_text().strip().split(":")
        subprocess.run([dnsworld.tool("nsupdate"), "-v", "-y", f"{alg}:{name}:{secret}"], input=text, text=True, check=True)
