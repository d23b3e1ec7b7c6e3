#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""HTTP over plain and over mutual DANE, with real programs on loopback.

usage: net.py plain|dane|limits|slow|smuggle ECHOD POSTC SARDANE RESOLVERD
Prints TAP. Every process started here is stopped here.
"""
import contextlib, os, pathlib, re, resource, signal, socket, subprocess, sys, tempfile, threading, time

what, ECHOD, POSTC, SARDANE, RESOLVERD = sys.argv[1:6]
top = pathlib.Path(tempfile.mkdtemp(prefix="sardane-net-"))
count = failed = 0


def check(name, good, words=""):
    global count, failed
    count += 1
    failed += not good
    print(f"{'ok' if good else 'not ok'} {count} - {name}", flush=True)
    if not good:
        print("\n".join(f"# {line}" for line in str(words).splitlines()[-25:]), flush=True)


def wait_for(condition, seconds=60):
    """True as soon as condition() is; the time is only a bound."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if condition():
            return True
        time.sleep(0.02)
    return condition()


class Echod:
    """The server program; .port, .log() and .stop()."""
    def __init__(self, config, files=None):
        self.dir = pathlib.Path(tempfile.mkdtemp(dir=top))
        (self.dir / "config.yaml").write_text(config)
        self.err = open(self.dir / "log", "w")
        limit = (lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))) if files else None
        self.process = subprocess.Popen([ECHOD, self.dir / "config.yaml"], stdout=subprocess.PIPE, stderr=self.err, text=True, preexec_fn=limit)
        line = self.process.stdout.readline().split()
        if line[:1] != ["port"]:
            raise RuntimeError(self.log())
        self.port = int(line[1])

    def log(self):
        return (self.dir / "log").read_text()

    def stop(self, sig=signal.SIGTERM):
        self.process.send_signal(sig)
        return self.process.wait(60)

    def cpu(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def rss(self):
        return int(pathlib.Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]) * 4096

    def __enter__(self):
        return self

    def __exit__(self, *why):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.err.close()


def postc(config, *words, background=False):
    file = pathlib.Path(tempfile.mkdtemp(dir=top)) / "config.yaml"
    file.write_text(config)
    args = [POSTC, file, *map(str, words)]
    if background:
        return subprocess.Popen(args, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    done = subprocess.run(args, capture_output=True, text=True, timeout=200)
    return done.stdout + done.stderr


def send(s, octets):
    with contextlib.suppress(OSError):
        s.sendall(octets)


def talk(port, octets, seconds=8):
    """Raw octets in (a list: one after the other), all that comes out until the end or the time."""
    with socket.create_connection(("127.0.0.1", port)) as s:
        s.settimeout(seconds)
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        got = b""
        if isinstance(octets, bytes):
            threading.Thread(target=send, args=(s, octets), daemon=True).start()
        else:
            for part in octets:
                s.sendall(part)
                time.sleep(0.001)  # the other side reads them apart, and its deadline for all of them is a second
        with contextlib.suppress(socket.timeout, ConnectionResetError):
            while more := s.recv(65536):
                got += more
            got += b"<end>"
        return got


PLAIN = "client: {insecure_plain: true}\n"
CHUNKED = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
LAST = CHUNKED.replace(b"Host", b"Connection: close\r\nHost")
BEHIND = b"GET /who HTTP/1.1\r\nHost: x\r\n\r\n"


def smuggle():
    """Requests that two readers may end in different places, with another behind them."""
    post, te = b"POST / HTTP/1.1\r\nHost: x\r\n", b"Transfer-Encoding: chunked\r\n"
    end = b"\r\n0\r\n\r\n"
    cases = [
        ("refuses a length beside chunks", 400, post + b"Content-Length: 5\r\n" + te + end),
        ("refuses chunks beside a length", 400, post + te + b"Content-Length: 5\r\n" + end),
        ("refuses a coding twice", 400, post + te + te + end),
        ("refuses a coding of another name beside chunked", 400, post + te + b"Transfer-Encoding: identity\r\n" + end),
        ("refuses a coding on a folded line", 400, post + b"Transfer-Encoding:\r\n chunked\r\n" + end),
        ("refuses a coding with a blank before its colon", 400, post + b"Transfer-Encoding : chunked\r\n" + end),
        ("refuses chunked that is not the last coding", 400, post + b"Transfer-Encoding: chunked, identity\r\n" + end),
        ("refuses a coding before chunked", 501, post + b"Transfer-Encoding: gzip, chunked\r\n" + end),
        ("refuses chunks of HTTP/1.0", 400, b"POST / HTTP/1.0\r\nConnection: keep-alive\r\n" + te + end),
        ("refuses a size that overflows", 400, CHUNKED + b"10000000000000001\r\na\r\n0\r\n\r\n"),
        ("refuses a size beyond the limit", 413, CHUNKED + b"fffffffe\r\na\r\n0\r\n\r\n"),
        ("refuses a size of another notation", 400, CHUNKED + b"1x1\r\na\r\n0\r\n\r\n"),
        ("refuses a size that is too small", 400, CHUNKED + b"1\r\nab\r\n0\r\n\r\n"),
        ("refuses a bare LF behind a size", 400, CHUNKED + b"1\na\r\n0\r\n\r\n"),
        ("refuses a bare LF behind a chunk", 400, CHUNKED + b"1\r\na\n0\r\n\r\n"),
        ("refuses a bare LF behind an extension", 400, CHUNKED + b"1;a\na\r\n0\r\n\r\n"),
        ("refuses a bare LF behind the last chunk", 400, CHUNKED + b"0\r\n\n"),
        ("refuses a request where trailers are", 400, CHUNKED + b"0\r\n"),
        ("refuses an extension without end", 431, CHUNKED + b"1;" + b"a" * 5000),
        ("refuses extensions without end", 431, CHUNKED + b"1;abcdefgh\r\nx\r\n" * 1000),
        ("refuses a trailer without end", 431, CHUNKED + b"0\r\nX: " + b"y" * 5000),
        ("refuses trailers without end", 431, CHUNKED + b"0\r\n" + b"X: y\r\n" * 2000),
    ]
    with Echod('server: {bind: "127.0.0.1:0", insecure_plain: true}\nbody_max: 2000\nrequest_timeout_ms: 3000\nidle_timeout_ms: 3000\n') as d:
        for name, status, octets in cases:
            out = talk(d.port, octets + BEHIND)
            refused = out.startswith(b"HTTP/1.1 %d " % status) and b"Connection: close" in out and out.endswith(b"<end>")
            check(name, refused and out.count(b"HTTP/1.1 ") == 1, out)
        out = talk(d.port, CHUNKED + b"1\r\na\r\n0\r\nContent-Length: 34\r\n\r\n" + BEHIND)
        check("a length among the trailers hides no request", out.count(b"HTTP/1.1 200") == 2 and out.endswith(b"- unknown<end>"), out)
        check("ends in order", d.stop() == 0 and "never closed" not in d.log(), d.log())


def plain():
    config = """server: {bind: "127.0.0.1:0", insecure_plain: true}
body_max: 2000
request_timeout_ms: 1000
handshake_timeout_ms: 1000
idle_timeout_ms: 1500
drain_ms: 5000
"""
    with Echod(config) as d:
        url = f"http://127.0.0.1:{d.port}"
        out = postc(PLAIN, url + "/", 5, 1, "hello")
        check("echoes a body over one connection", out.count("ok 200") == 5 and out.count("reused=1") == 4 and out.count("body=hello") == 5, out)
        out = postc(PLAIN, url + "/later", 20, 20, "later")
        check("answers later, many at once, over at most 8 connections", out.count("ok 200") == 20 and out.count("reused=0") == 8, out)
        check("refuses a body above the limit and says so", "ok 413" in postc(PLAIN, url + "/", 1, 1, "@2001"))
        check("takes a body at the limit", "ok 200" in postc(PLAIN, url + "/", 1, 1, "@2000"))
        out = talk(d.port, LAST + b"2;a=b\r\nhe\r\n3\r\nllo\r\n0\r\nX: y\r\n\r\n")
        check("puts a chunked body together", out.startswith(b"HTTP/1.1 200") and out.endswith(b"\r\n\r\nhello<end>"), out)
        out = talk(d.port, [LAST] + [b"%c" % c for c in b"2\r\nhe\r\n3\r\nllo\r\n0\r\nX: y\r\n\r\n"])
        check("takes chunks octet by octet", out.startswith(b"HTTP/1.1 200") and out.endswith(b"\r\n\r\nhello<end>"), out)
        out = talk(d.port, (CHUNKED + b"1\r\na\r\n0\r\n\r\n") * 500 + b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nb" + LAST + b"0\r\n\r\n")
        check("answers chunked requests that were pipelined, in order", out.count(b"HTTP/1.1 200") == 502 and out.count(b"\r\n\r\na") == 500 and out.count(b"\r\n\r\nb") == 1 and out.endswith(b"\r\n\r\n<end>"), out[-300:])
        out = talk(d.port, LAST + b"1\r\nz\r\n" * 2000 + b"0\r\n" + b"X: y\r\n" * 800 + b"\r\n")
        check("takes a chunked body at the limit", out.startswith(b"HTTP/1.1 200") and out.endswith(b"z" * 2000 + b"<end>"), out[:300])
        out = talk(d.port, LAST.replace(b"Host", b"A: " + b"b" * 16200 + b"\r\nHost") + b"7d0\r\n" + b"x" * 2000 + b"\r\n0\r\n\r\n")
        check("takes one behind the largest header", out.startswith(b"HTTP/1.1 200"), out[:300])
        out = talk(d.port, LAST + b"7d0\r\n" + b"x" * 2000 + b"\r\n1\r\ny\r\n0\r\n\r\n")
        check("refuses a chunked body above the limit", out.startswith(b"HTTP/1.1 413") and b"Connection: close" in out, out)
        out = talk(d.port, [LAST.replace(b"Host", b"Expect: 100-continue\r\nHost"), b"2\r\nhi\r\n0\r\n\r\n"])
        check("tells who asks to go on with chunks", out.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n") and out.count(b"100 Continue") == 1 and out.endswith(b"hi<end>"), out)
        out = talk(d.port, LAST + b"5\r\nhel")
        check("cuts a chunked request that does not end", out == b"<end>", out)
        out = talk(d.port, b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\nx")
        check("refuses a length that is no length", b" 200 " not in out, out)
        out = talk(d.port, b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc")
        check("cuts a request that does not end", out == b"<end>", out)
        check("cuts a connection that says nothing", talk(d.port, b"") == b"<end>")
        out = talk(d.port, b"GET /who HTTP/1.1\r\nHost: x\r\n\r\n")
        check("answers and cuts an idle connection", out.startswith(b"HTTP/1.1 200") and out.endswith(b"- unknown<end>"), out)
        out = talk(d.port, b"POST / HTTP/1.1\r\nHost: x\r\n" + b"X: " + b"y" * 40000 + b"\r\n\r\n")
        check("refuses headers without end", b" 200 " not in out, out)
        out = talk(d.port, b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\naPOST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nb")
        check("answers pipelined requests in order", out.count(b"HTTP/1.1 200") == 2 and out.endswith(b"b<end>"), out)
        out = talk(d.port, b"POST /later HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\naPOST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nb")
        check("answers what was pipelined behind a slow one, in order", out.count(b"HTTP/1.1 200") == 2 and out.endswith(b"b<end>"), out)
        out = talk(d.port, [b"%c" % c for c in b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi"])
        check("takes a request octet by octet", out.startswith(b"HTTP/1.1 200") and out.endswith(b"\r\n\r\nhi<end>"), out)
        out = talk(d.port, [b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n", b"hi"])
        check("tells who asks to go on", out.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n") and out.endswith(b"hi<end>"), out)
        out = talk(d.port, b"HEAD /who HTTP/1.1\r\nHost: x\r\n\r\n")
        check("answers HEAD without a body", out.startswith(b"HTTP/1.1 200") and out.endswith(b"\r\n\r\n<end>"), out)
        many = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2000\r\n\r\n" + b"y" * 2000
        check("answers a thousand pipelined requests", talk(d.port, many * 1000).count(b"HTTP/1.1 200") == 1000)
        with socket.socket() as deaf:
            deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            deaf.connect(("127.0.0.1", d.port))
            deaf.settimeout(8)
            before, sent = d.rss(), 0
            with contextlib.suppress(OSError):
                while sent < 60000:
                    deaf.sendall(many)
                    sent += 1
            check("a peer that does not read is not heard, and cut", sent < 60000 and d.rss() - before < 4 << 20, f"{sent} {d.rss() - before}")
        check("an answer with no one left to hear it is dropped", talk(d.port, b"POST /later HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", 0.01) == b"")
        late = postc(PLAIN, url + "/later", 1, 1, "last", background=True)
        check("a request is in flight", wait_for(lambda: "octets=4" in d.log()))
        code = d.stop()
        check("answers what is in flight before it ends", code == 0 and "body=last" in late.communicate(timeout=60)[0], d.log())
        check("every handle was closed", "never closed" not in d.log(), d.log())
    with Echod(config.replace("idle_timeout_ms: 1500", "idle_timeout_ms: 60000")) as d:
        out = talk(d.port, b"GET /who HTTP/1.0\r\n\r\n", 30)
        check("ends the connection of HTTP/1.0", b"Connection: close" in out and out.endswith(b"<end>"), out)
        check("refuses to talk in clear text to another host", "http only to loopback" in postc(PLAIN, "http://192.0.2.1/"))
        check("a dead port is an answer", "failed" in postc(PLAIN, "http://127.0.0.1:9/"))
        out = postc("client: {insecure_plain: true}\ntimeout_ms: 300\n", f"http://127.0.0.1:{d.port}/never")
        check("a silent server is an answer within the deadline", "failed" in out, out)
    refused = subprocess.run(["timeout", "5", ECHOD, "/dev/stdin"], input='server: {bind: "0.0.0.0:0", insecure_plain: true}\n', capture_output=True, text=True)
    check("refuses to listen in clear text for everyone", refused.returncode == 2 and "only on loopback" in refused.stderr, refused.stderr)


class Lab:
    def __init__(self):
        self.dir = top / "lab"
        self.run("up", "--ttl", "2")
        self.env = dict(line.split("=", 1) for line in (self.dir / "lab.env").read_text().splitlines() if "=" in line and line[0] != "#")
        self.env = {k: v.strip("'") for k, v in self.env.items()}

    def run(self, verb, *words):
        done = subprocess.run([SARDANE, "lab", verb, "--dir", self.dir, *words], capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(done.stdout + done.stderr)
        return done.stdout

    def resolver(self):
        e = self.env
        return f'resolver: {{deadline_ms: 4000, trust_anchor_file: {e["LAB_ANCHOR"]}, forward: ["{e["LAB_DNS_ADDRESS"]}@{e["LAB_DNS_PORT"]}"], helper: {RESOLVERD}{self.stub}}}\n'

    stub = ""

    def server(self, clients, more=""):
        e = self.env
        rules = "".join(f'  - {{name: "{c}"}}\n' for c in clients)
        return f'server: {{bind: "{e["B_JS_ADDRESS"]}:{e["B_JS_PORT"]}", tls_cert: {e["B_JS_SERVER"]}.pem, tls_key: {e["B_JS_SERVER"]}-key.pem}}\nclients:\n{rules}net_id_suffix: {e["LAB_NET_ID_SUFFIX"]}\n{more}' + self.resolver()

    def client(self, who="A_NS", name=None, key=None):
        e = self.env
        return f'client: {{tls_cert: {e[(key or who) + "_CLIENT"]}.pem, tls_key: {e[(key or who) + "_CLIENT"]}-key.pem, dane_client_name: {name or e[who + "_CLIENT_NAME"]}}}\n' + self.resolver()

    @property
    def url(self):
        return f'https://{self.env["B_JS_HOST"]}:{self.env["B_JS_PORT"]}'


def dane():
    lab = Lab()
    try:
        dane_in(lab)
    finally:
        lab.run("down")


def dane_in(lab):
    ns, other = lab.env["A_NS_CLIENT_NAME"], lab.env["B_NS_CLIENT_NAME"]
    owner = f'_{lab.env["B_JS_PORT"]}._tcp.{lab.env["B_JS_HOST"]}'
    with Echod(lab.server([ns, other], "drain_ms: 3000\nhandshake_timeout_ms: 5000\n")) as d:
        out = postc(lab.client(), lab.url + "/who", 3, 1, "x")
        check("both ends authenticate by DANE", out.count(f"body={ns} authenticated") == 3 and out.count("peer=1") == 3 and out.count("reused=1") == 2, out)
        check("the client says whose TLSA it verified", f"tls.verify server={lab.env['B_JS_HOST']}:{lab.env['B_JS_PORT']} tlsa={owner} usage=\"3 1 1\" dnssec=secure" in out, out)
        check("the server says whose TLSA it verified", f'tls.accept peer={ns} tlsa={ns} usage="3 1 1" dnssec=secure' in d.log(), d.log())
        out = postc(lab.client(), f'join:{lab.env["B_JOIN_EUI"]}@{lab.env["LAB_JOIN_EUI_SUFFIX"]}', 1, 1, "found")
        check("the server of a JoinEUI is found by DNS", "body=found" in out, out)
        out = postc(lab.client(), "join:00005e10000000ff@" + lab.env["LAB_JOIN_EUI_SUFFIX"], 1, 1)
        check("a JoinEUI that DNS denies is an answer", "failed" in out and "service.refuse" in out, out)
        binding(lab, d)
        strangers(lab, d)
        withdrawal(lab, d, ns, owner)
        check("ends in order", d.stop() == 0 and "never closed" not in d.log(), d.log())


def binding(lab, d):
    for client, net_id, word in [("A_NS", "A_NET_ID", "granted"), ("A_NS", "B_NET_ID", "refused"), ("B_NS", "B_NET_ID", "granted")]:
        out = postc(lab.client(client), lab.url + "/net/" + lab.env[net_id], 1, 1)
        check(f"{client} speaking for {net_id} is {word}", f"body={word}" in out, out)
    out = postc(lab.client(), lab.url + "/net/fffffe", 1, 1)
    check("a NetID that DNS does not know is refused", "body=refused" in out, out)
    out = postc(lab.client(), lab.url + "/as/" + lab.env["A_NS_HOST"], 1, 1)
    check("an AS-ID above the client's name is granted", "body=granted" in out, out)
    out = postc(lab.client(), lab.url + "/as/" + lab.env["B_AS_HOST"], 1, 1)
    check("an AS-ID of another is refused", "body=refused" in out, out)


def strangers(lab, d):
    refused = "the server refused this client"
    out = postc(lab.client("A_AS"), lab.url + "/", 1, 1)
    check("a name outside the policy is refused before any DNS", refused in out and f'peer={lab.env["A_AS_CLIENT_NAME"]} tlsa=- usage=- dnssec=- refusal=policy' in d.log(), out + d.log())
    out = postc(lab.client("A_NS", key="A_AS"), lab.url + "/", 1, 1)
    check("a certificate of another key is refused", refused in out and "refusal=no-match" in d.log(), out + d.log())
    out = postc(f'client: {{}}\n' + lab.resolver(), lab.url + "/", 1, 1)
    check("no certificate is refused", refused in out and "refusal=no-certificate" in d.log(), out + d.log())
    wrong = f'https://{lab.env["A_JS_HOST"]}:{lab.env["B_JS_PORT"]}/'
    lab.run("publish", lab.env["A_JS_HOST"], "A", lab.env["B_JS_ADDRESS"])
    out = postc(lab.client(), wrong, 1, 1)
    check("a server whose key is not in its TLSA gets no request", "failed" in out and "tls.reject" in out and "octets=2" not in d.log().split("refusal=no-certificate")[-1], out)


def withdrawal(lab, d, ns, owner):
    long = postc(lab.client(), lab.url + "/", 10000, 1, "stay", 100, background=True)
    try:
        check("an open connection is in use", wait_for(lambda: d.log().count("octets=4") >= 3), d.log())
        before = d.log().count("tls.accept")
        time.sleep(4.5)
        check("it outlives its TTL while the TLSA stays", d.log().count("tls.accept") == before, d.log())
        lab.run("withdraw", ns, "TLSA")
        check("it is closed when the TLSA is gone", wait_for(lambda: "tls.withdrawn" in d.log()), d.log())
        check("for that reason", f'tls.withdrawn peer={ns}' in d.log() and 'the TLSA was removed' in d.log(), d.log())
        check("and does not come back", wait_for(lambda: "refusal=no-tlsa" in d.log()), d.log())
    finally:
        long.kill()
        long.communicate()


def limits():
    lab = Lab()
    try:
        limits_in(lab)
    finally:
        lab.run("down")


def silent(address, port, n):
    out = []
    for _ in range(n):
        out.append(socket.create_connection((address, port)))
    return out


def limits_in(lab):
    ns, e = lab.env["A_NS_CLIENT_NAME"], lab.env
    address, port = e["B_JS_ADDRESS"], int(e["B_JS_PORT"])
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))
    with Echod(lab.server([ns], "handshake_timeout_ms: 8000\nper_source_max: 3000\nhandshakes_max: 1200\n")) as d:
        postc(lab.client(), lab.url + "/", 1, 1)
        before = d.rss()
        held = silent(address, port, 1000)
        check("1,000 connections that say nothing are held", wait_for(lambda: len(os.listdir(f"/proc/{d.process.pid}/fd")) >= 1000))
        each = (d.rss() - before) / 1000
        check("at under 1 KB each", each < 1024, f"{each} octets")
        for s in held[:500]:
            s.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
        for s in held[500:600]:
            s.sendall(b"\x16\x03\x01\x00\x01\x01" + b"\x16\x03\x01\x00\x01\x00" * 2)  # an octet in each record
        time.sleep(1)
        for s in held[500:600]:
            s.sendall(b"\x16")
        each = (d.rss() - before) / 1000
        check("also when they begin a ClientHello and do not end it", each < 1024, f"{each} octets")
        out = postc(lab.client(), lab.url + "/", 30, 4, "honest")
        check("while honest peers pass", out.count("body=honest") == 30, out)
        check("and are cut when their time is over", wait_for(lambda: len(os.listdir(f"/proc/{d.process.pid}/fd")) < 100, 25))
        for s in held:
            s.close()
        held = silent(address, port, 1500)
        out = postc(lab.client(), lab.url + "/", 10, 2, "again")
        check("past the limit the oldest half-open ones give way", out.count("body=again") == 10, out)
        for s in held:
            s.close()
        check("ends in order", d.stop() == 0, d.log())
    with Echod(lab.server([ns], "handshake_timeout_ms: 60000\nper_source_max: 20\n")) as d:
        held = silent(address, port, 40)
        check("one address cannot hold more than its share", wait_for(lambda: sum(map(int, re.findall(r"dropped=(\d+)", d.log()))) == 20), d.log())
        for s in held:
            s.close()
        check("and gets it back", wait_for(lambda: "body=x" in postc(lab.client(), lab.url + "/", 1, 1, "x")), d.log())
    with Echod(lab.server([ns], "handshake_timeout_ms: 60000\n"), files=100) as d:
        held = silent(address, port, 300)
        check("a full descriptor table is noticed", wait_for(lambda: "listen.rest" in d.log()), d.log())
        cpu = d.cpu()
        time.sleep(2)
        check("and waited out, not spun on", d.cpu() - cpu < 0.3, d.cpu() - cpu)
        for s in held:
            s.close()
        check("and survived", wait_for(lambda: "body=x" in postc(lab.client(), lab.url + "/", 1, 1, "x")), d.log())


def slow():
    lab = Lab()
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mute:
            mute.bind(("127.0.0.1", 0))
            lab.stub = f', open_per_source_max: 2000, stub: [{{zone: slow.example, server: "127.0.0.1@{mute.getsockname()[1]}"}}]'
            slow_in(lab)
    finally:
        lab.run("down")


def slow_in(lab):
    """Clients whose names lie in a zone that never answers: each holds a paused handshake."""
    ns = lab.env["A_NS_CLIENT_NAME"]
    many = 200 if os.environ.get("SARDANE_SANITIZED") else 1000
    hostile = lab.client(name="_x.slow.example").replace("resolver:", "connections_max: 1000\ntimeout_ms: 20000\nresolver:")
    waiting = lambda: len(os.listdir(f"/proc/{d.process.pid}/fd"))
    with Echod(lab.server([ns, ".slow.example"], "handshake_timeout_ms: 30000\nper_source_max: 3000\n")) as d:
        honest = postc(lab.client(), lab.url + "/", 1, 1, "before")
        few = waiting()
        attack = postc(hostile, lab.url + "/", many, many, background=True)
        check("handshakes wait for a zone that does not answer", wait_for(lambda: waiting() > few + many * 0.15), d.log()[-2000:])
        check("a silent zone keeps no one else out", honest.count("body=before") == 1 and postc(lab.client(), lab.url + "/", 20, 2, "honest").count("body=honest") == 20)
        out = attack.communicate(timeout=200)[0]
        check(f"every one of {many} is refused", f"done {many} ok=0" in out, out[-2000:])
        check("for want of an answer", d.log().count("refusal=dns") >= 50 and "tls.accept peer=_x" not in d.log(), d.log()[-2000:])
        check("ends in order", d.stop() == 0 and "never closed" not in d.log(), d.log()[-2000:])
    # A resolver of its own: the first one knows by now that the zone is silent.
    with Echod(lab.server([ns, ".slow.example"], "handshake_timeout_ms: 30000\nper_source_max: 3000\n")) as d:
        postc(lab.client(), lab.url + "/", 1, 1)
        few = waiting()
        attack = postc(hostile, lab.url + "/", 300, 300, background=True)
        paused = wait_for(lambda: waiting() > few + 50)
        attack.kill()
        attack.communicate()
        check("handshakes closed while paused leave nothing behind", paused and wait_for(lambda: waiting() <= few + 4), waiting())
        out = postc(lab.client(), lab.url + "/", 20, 2, "after")
        check("and the next honest one passes", out.count("body=after") == 20, out)
        check("ends in order", d.stop() == 0 and "never closed" not in d.log(), d.log()[-2000:])


try:
    {"plain": plain, "dane": dane, "limits": limits, "slow": slow, "smuggle": smuggle}[what]()
finally:
    subprocess.run(["rm", "-rf", top])
print(f"1..{count}")
sys.exit(failed > 0)
