#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""sardane-proxy between organisation A and organisation B of the lab, and what is plain beside it.

    with proxylab.world() as (world, lab), proxylab.Echo() as backend:
        with proxylab.Proxy(proxylab.listener(world, backend.address)) as b: ...

PROXY, SARDANE and RESOLVERD in the environment name the programs. The lab's DNS is real and signed.
"""
import atexit, contextlib, http.client, os, pathlib, re, select, shutil, signal, socket, socketserver, ssl, subprocess, tempfile, threading, time

from danelab import world  # noqa: F401: for those who import this

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"

def resolver(e):
    """The longest deadline there is: a machine may be slow."""
    return (f'resolver: {{deadline_ms: 4000, trust_anchor_file: {e["LAB_ANCHOR"]}, forward: ["{e["LAB_DNS_ADDRESS"]}@{e["LAB_DNS_PORT"]}"], '
            f'helper: {os.environ["RESOLVERD"]}}}\n')

def listener(e, backend, allow=None, more=""):
    """The server side of B: its Join Server's name and port, A's Network Server as client."""
    rules = "".join(f"      - {{{rule}}}\n" for rule in (allow or [f'name: {e["A_NS_CLIENT_NAME"]}']))
    return (f'listeners:\n  - name: in\n    bind: "{e["B_JS_ADDRESS"]}:{e["B_JS_PORT"]}"\n    tls_cert: {e["B_JS_SERVER"]}.pem\n'
            f'    tls_key: {e["B_JS_SERVER"]}-key.pem\n    backend: "{backend}"\n    allow:\n{rules}{more}') + resolver(e)

def outbound(e, bind="127.0.0.1:0", to=None, who="A_NS", name=None, key=None, more=""):
    """The client side of A."""
    cert = e[(key or who) + "_CLIENT"]
    return (f'outbound:\n  - name: out\n    bind: "{bind}"\n    to: "{to or e["B_JS_HOST"] + ":" + e["B_JS_PORT"]}"\n    tls_cert: {cert}.pem\n'
            f'    tls_key: {cert}-key.pem\n    dane_client_name: {name or e[who + "_CLIENT_NAME"]}\n{more}') + resolver(e)

def local_certificate(top, *names):
    """What a program that speaks TLS to the proxy beside it trusts: (the file, the keys of an outbound entry)."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=local",
                    "-addext", "subjectAltName=" + ",".join("DNS:" + n for n in names), "-keyout", f"{top}/local-key.pem", "-out", f"{top}/local.pem"],
                   check=True, capture_output=True)
    return f"{top}/local.pem", f"    local_cert: {top}/local.pem\n    local_key: {top}/local-key.pem\n"

def speaks_tls(s, name, ca, version=ssl.TLSVersion.TLSv1_3, alpn=()):
    """The TLS of a program that wants name; it believes ca alone."""
    context = ssl.create_default_context(cafile=ca)
    context.maximum_version = version
    if alpn:
        context.set_alpn_protocols(alpn)
    return context.wrap_socket(s, server_hostname=name)

class Proxy:
    """The program, with this configuration; .port(name), .log, .said(pattern), .stop()."""
    def __init__(self, config, workers=1, more="drain: 2\n", level="debug", words=()):
        self.dir = tempfile.mkdtemp(prefix="sardane-proxy-")
        atexit.register(shutil.rmtree, self.dir, ignore_errors=True)  # one that never starts is not left either
        self.config = pathlib.Path(self.dir, "proxy.yaml")
        self.config.write_text(f"workers: {workers}\n{more}" + config.replace("DIR", self.dir))
        self.log, self.seen, self.process, self.words = [], {}, None, ["-l", level, *words]

    def check(self):
        got = subprocess.run([os.environ["PROXY"], "-c", self.config, "-t"], capture_output=True, text=True, timeout=30)
        return got.returncode, got.stdout + got.stderr

    def start(self):
        self.process = subprocess.Popen([os.environ["PROXY"], "-c", self.config, *self.words], stderr=subprocess.PIPE, text=True)
        self.reader = threading.Thread(target=lambda: self.log.extend(self.process.stderr), daemon=True)
        self.reader.start()
        self.said(r"proxy\.ready")
        return self

    def said(self, pattern, seconds=60, times=1):
        """The line of its log that matches for the times-th time; waits for it."""
        until = time.monotonic() + seconds
        seen = self.seen.setdefault(pattern, [0])  # how many lines were looked at, and those that match
        while True:
            new = self.log[seen[0]:]
            seen[0] += len(new)
            seen += [line for line in new if re.search(pattern, line)]
            if len(seen) > times:
                return seen[times]
            assert time.monotonic() < until, f"no '{pattern}' in the log: " + "".join(self.log[-20:])
            time.sleep(0.02)

    def port(self, name):
        return int(re.search(r"port=(\d+)", self.said(rf"proxy\.listen at={name} "))[1])

    def connect(self, name="out"):
        s = socket.create_connection(("127.0.0.1", self.port(name)), timeout=20)
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return s

    def workers(self):
        return [int(p) for p in pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()]

    def stop(self, sig=signal.SIGTERM):
        if not self.process:
            return 0
        self.process.send_signal(sig)
        status = self.process.wait(30)
        self.reader.join(20)
        self.process = None
        return status

    def __enter__(self):
        return self.start()

    def __exit__(self, *why):
        status = self.stop()
        shutil.rmtree(self.dir)
        if why[1]:
            why[1].add_note(f"log of {self.config}:\n" + "".join(self.log[-200:]))
        else:
            assert status == 0 and not any("never closed" in line for line in self.log), f"{status}: " + "".join(self.log[-20:])

class Echo:
    """A backend: sends back what comes, until the end, which it gives back too. .address, .heads: what came first
    on each connection, .ends: "end" or "reset" for each, .count."""
    def __init__(self, unix=None, head=False):
        self.heads, self.ends, self.count = [], [], 0
        outer = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                outer.count += 1
                with contextlib.suppress(ConnectionError):
                    if head:
                        got = receive(self.request, 16)
                        got += receive(self.request, int.from_bytes(got[14:16], "big"))
                        outer.heads.append(got)
                    try:
                        while got := self.request.recv(65536):
                            self.request.sendall(got)
                    except ConnectionError:
                        outer.ends.append("reset")
                        raise
                    outer.ends.append("end")

        kind = socketserver.ThreadingUnixStreamServer if unix else socketserver.ThreadingTCPServer
        kind.daemon_threads = kind.allow_reuse_address = True
        kind.request_queue_size = 128
        self.server = kind(unix or ("127.0.0.1", 0), Handler)
        self.address = f"unix:{unix}" if unix else "127.0.0.1:%d" % self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *why):
        self.server.shutdown()
        self.server.server_close()

class Zone:
    """The server of a zone that hears questions (.heard) and answers none, or each with this RCODE."""
    def __init__(self, rcode=None):
        self.rcode, self.heard = rcode, []

    def __enter__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.address = f"127.0.0.1@{self.socket.getsockname()[1]}"
        threading.Thread(target=self.listen, daemon=True).start()
        return self

    def listen(self):
        with contextlib.suppress(OSError):
            while True:
                question, at = self.socket.recvfrom(4096)
                self.heard.append(question.lower())
                if self.rcode is not None:
                    self.socket.sendto(question[:2] + bytes([0x84 | question[2] & 1, self.rcode]) + question[4:], at)

    def __exit__(self, *why):
        self.socket.close()

class Slow:
    """The lab's DNS, .delay seconds away."""
    def __init__(self, e, delay):
        self.delay, self.to, self.address_of_lab = delay, (e["LAB_DNS_ADDRESS"], int(e["LAB_DNS_PORT"])), f'{e["LAB_DNS_ADDRESS"]}@{e["LAB_DNS_PORT"]}'

    def __enter__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        threading.Thread(target=self.listen, daemon=True).start()
        return self

    def listen(self):
        with contextlib.suppress(OSError):
            while True:
                threading.Timer(self.delay, self.relay, self.socket.recvfrom(4096)).start()

    def relay(self, question, asker):
        with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.settimeout(5)
            s.sendto(question, self.to)
            self.socket.sendto(s.recv(4096), asker)

    def asked_by(self, config):
        return config.replace(self.address_of_lab, f"127.0.0.1@{self.socket.getsockname()[1]}")

    def __exit__(self, *why):
        self.socket.close()

def stubbed(config, more="", **zones):
    """The same configuration, with the servers of these zones below example; more: of its resolver block."""
    stubs = ", ".join(f'{{zone: {name}.example, server: "{zone.address}"}}' for name, zone in zones.items())
    return config.replace("resolver: {", f"resolver: {{{more}stub: [{stubs}], ")

def get(p, path, method="GET"):
    """(status, body) of what the proxy tells at DIR/status."""
    connection = http.client.HTTPConnection("localhost", timeout=20)
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.settimeout(20)
    connection.sock.connect(p.dir + "/status")
    with contextlib.closing(connection):
        connection.request(method, path)
        got = connection.getresponse()
        return got.status, got.read().decode()

def metrics(p):
    """{name with its labels: value}."""
    status, text = get(p, "/metrics")
    assert status == 200, text
    return {name.removeprefix("sardane_proxy_") + labels: float(value) for name, labels, value in re.findall(r"^(\w+)(\{.*\})? (\S+)$", text, re.M)}

def receive(s, n):
    """Exactly n octets."""
    got = b""
    while len(got) < n:
        more = s.recv(n - len(got))
        if not more:
            raise ConnectionError("cut")
        got += more
    return got

def exchange(s, octets):
    """What comes back for octets, and then the end from both sides."""
    got = bytearray()
    reader = threading.Thread(target=lambda: [got.extend(more) for more in iter(lambda: s.recv(65536), b"")])
    reader.start()
    s.sendall(octets)
    s.shutdown(socket.SHUT_WR)
    reader.join(60)
    assert not reader.is_alive(), "no end came back"
    return bytes(got)

@contextlib.contextmanager
def by_certificate(e, cert, after=None, server_name=None):
    """A connection to B of a client that knows no DANE, with this certificate; it offers the session of the one before."""
    context = after.context if after else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.load_cert_chain(cert + ".pem", cert + "-key.pem")
    with socket.create_connection((e["B_JS_ADDRESS"], int(e["B_JS_PORT"])), 20) as s, \
            context.wrap_socket(s, server_hostname=server_name, session=after and after.session) as tls:
        yield tls

def is_cut(s, seconds=20):
    """True when s ends without an octet: by an end, a reset or an alert."""
    s.settimeout(seconds)
    try:
        return s.recv(1) == b""
    except (ConnectionError, ssl.SSLError):
        return True

def is_turned_away(proxy, octets=b""):
    """True when who connects to proxy's plain side, and says this, is cut. That may be before connect or
    sendall return: a proxy is quicker than a test that waits for its turn."""
    try:
        with proxy.connect() as s:
            s.sendall(octets)
            return is_cut(s)
    except (ConnectionResetError, BrokenPipeError):
        return True

def tlvs(octets):
    """{type: value} of the TLVs of PROXY v2."""
    found = {}
    while octets:
        kind, n = octets[0], int.from_bytes(octets[1:3], "big")
        assert kind not in found, octets
        found[kind], octets = octets[3:3 + n], octets[3 + n:]
    return found
