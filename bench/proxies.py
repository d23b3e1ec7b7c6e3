# SPDX-License-Identifier: Apache-2.0
"""The proxies that bench-proxy compares, each configured to do the same, and the world they stand in.

    with World(build, names) as w:
        p = w.start("nginx-http")      p.port, p.cpu(), p.rss_kb()
        w.load(p, connections=100)     what proxyload said

Theirs: PKIX, leaf and intermediate from both sides, client certificate required, no tickets where that can be
said (hitch cannot), no log. Ours: DANE-EE and dane_clientid, no line for a connection. All: TLS 1.3, X25519,
P-256, one worker, on processor 0; what drives them and stands behind them on the others.
"""
import contextlib, json, os, pathlib, re, shutil, signal, socket, subprocess, tempfile, time

PEERS = ("nginx-http", "nginx-stream", "haproxy-http", "haproxy-tcp", "hitch", "stunnel")
FDS = 19990  # connections of both sides of 9,500, and some

NGINX = """daemon off; pid DIR/nginx.pid; error_log DIR/nginx.log crit; worker_processes 1; worker_rlimit_nofile 20000;
user root; LOAD events { worker_connections 19990; }
"""
TLS = """ssl_protocols TLSv1.3; ssl_ecdh_curve X25519; ssl_session_cache off; ssl_session_tickets off;
  ssl_certificate W/leaf.pem; ssl_certificate_key W/leaf-key.pem; ssl_verify_client on; ssl_client_certificate W/root.pem; ssl_verify_depth 3;
"""
HAPROXY = """global
  maxconn 9900
  nbthread 1
  tune.ssl.cachesize 0
  ssl-default-bind-options ssl-min-ver TLSv1.3 no-tls-tickets
defaults
  mode MODE
  timeout client 1h
  timeout server 1h
  timeout connect 10s
  timeout http-keep-alive 1h
listen in
  bind 127.0.0.1:PORT backlog 4096 ssl crt DIR/both.pem ca-file W/root.pem verify required curves X25519
  server s 127.0.0.1:BACK
"""
CONFIGS = {
    "nginx-http": NGINX.replace("LOAD", "") + """http { access_log off; keepalive_requests 1000000000; keepalive_timeout 1h; client_max_body_size 0;
  proxy_max_temp_file_size 0; upstream b { server 127.0.0.1:BACK; keepalive 512; keepalive_requests 1000000000; }
  server { listen 127.0.0.1:PORT ssl backlog=4096; """ + TLS + """
  location / { proxy_pass http://b; proxy_http_version 1.1; proxy_set_header Connection ""; } } }""",
    "nginx-stream": NGINX.replace("LOAD", "MODULE") + """stream { access_log off;
  server { listen 127.0.0.1:PORT ssl backlog=4096; """ + TLS + """ proxy_pass 127.0.0.1:BACK; proxy_timeout 1h; } }""",
    "haproxy-http": HAPROXY.replace("MODE", "http"),
    "haproxy-tcp": HAPROXY.replace("MODE", "tcp"),
    "hitch": """frontend = "[127.0.0.1]:PORT"
backend = "[127.0.0.1]:BACK"
pem-file = "DIR/both.pem"
workers = 1
backlog = 4096
tls-protos = TLSv1.3
ecdh-curve = "X25519"
client-verify = required
client-verify-ca = "W/root.pem"
log-level = 0
quiet = on
user = "root"
daemon = off
""",
    "stunnel": """foreground = yes
pid =
debug = 0
socket = l:TCP_NODELAY=1
socket = r:TCP_NODELAY=1
[in]
accept = 127.0.0.1:PORT
connect = 127.0.0.1:BACK
cert = W/leaf.pem
key = W/leaf-key.pem
CAfile = W/root.pem
verifyChain = yes
requireCert = yes
sslVersionMin = TLSv1.3
curves = X25519
options = NO_TICKET
sessionCacheSize = 1
""",
    "sardane": """workers: WORKERS
drain: 1
user: root
listeners:
  - name: in
    bind: 127.0.0.1:PORT
    tls_cert: W/ee.pem
    tls_key: W/ee-key.pem
    backend: 127.0.0.1:BACK
    identity: none
    allow: [{name: .example}]
    connections_max: 19000
    handshakes_max: 19000
    per_source_max: 19000
resolver: {trust_anchor_file: W/key-example.key, forward: ["FORWARD"], helper: HELPER, open_max: 4096, open_per_source_max: 4096, cache_names_max: 100000}
""",
}


CONFIGS["sardane-asleep"] = CONFIGS["sardane"] + "spin_us: 0\n"


def command(name, config, build):
    return {"nginx": ["nginx", "-c", config], "haproxy": ["haproxy", "-f", config], "hitch": ["hitch", "--config=" + config],
        "stunnel": ["stunnel", config], "sardane": [build / "bin/proxy/sardane-proxy", "-c", config, "-l", "warning"]}[name.partition("-")[0]]


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def children():
    """{pid: (its parent, its processor ticks)} of all processes."""
    found = {}
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            words = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        found[int(stat.parent.name)] = int(words[1]), int(words[11]) + int(words[12])
    return found


class Broken(Exception):
    """There is no figure: who was to be measured died, fell silent or turned somebody away."""


def processor_s(pid):
    """Seconds of processor time of a process so far, to the nanosecond, threads that ended included."""
    try:
        return time.clock_gettime(~pid << 3 | 2)  # clock_getcpuclockid(3)
    except OSError:
        return 0


class Proxy:
    """One running proxy with all that it started."""
    def __init__(self, world, name, workers, env):
        self.seen = set()
        self.name, self.port, self.dir = name, free_port(), pathlib.Path(tempfile.mkdtemp(prefix="bench-proxy-"))
        (self.dir / "both.pem").write_text((world.folder / "leaf-key.pem").read_text() + (world.folder / "leaf.pem").read_text())
        text = CONFIGS[name]
        for word, value in (("MODULE", "load_module /usr/lib/nginx/modules/ngx_stream_module.so;"), ("WORKERS", workers), ("PORT", self.port),
                ("BACK", world.back_port), ("FORWARD", world.forward), ("HELPER", world.build / "bin/resolverd/sardane-resolverd"),
                ("DIR/", f"{self.dir}/"), ("W/", f"{world.folder}/")):
            text = text.replace(word, str(value))
        config = self.dir / "config"
        config.write_text(text)
        pin = ["taskset", "-c", "0" if workers == 1 else "0-%d" % (os.cpu_count() - 1)]
        self.process = subprocess.Popen(pin + command(name, str(config), world.build), stdout=subprocess.DEVNULL,
            stderr=open(self.dir / "log", "w"), env={**os.environ, **env})
        until = time.monotonic() + 20
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                break
            except OSError:
                if self.process.poll() is not None or time.monotonic() > until:
                    why = (self.dir / "log").read_text()[-2000:]
                    self.stop()
                    raise Broken(f"{name} does not start: {why}") from None
                time.sleep(0.05)

    def pids(self):
        all_, mine = children(), [self.process.pid]
        for pid in mine:
            mine += [p for p, (parent, _) in all_.items() if parent == pid]
        return mine

    def cpu(self):
        """Seconds of processor time so far, of all its processes, the resolver's too."""
        return sum(processor_s(p) for p in self.pids())

    def is_whole(self):
        """Breaks when a process of it is no more: its time is lost, and others do its work."""
        now = set(self.pids())
        if self.process.poll() is not None or not self.seen <= now:
            raise Broken(f"{self.name}: a process of it died")
        self.seen = now

    def rss_kb(self):
        return sum(int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{p}/status").read_text())[1]) for p in self.pids())

    def stop(self):
        mine = self.pids()
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            for pid in mine:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self.process.wait()
        shutil.rmtree(self.dir)


class World:
    """Certificates, names in DNS, a backend; and the proxies that were started."""
    def __init__(self, build, names):
        self.begun, self.running = [], []
        self.build, self.others = build, ",".join(str(n) for n in range(1, os.cpu_count())) or "0"
        self.world = self.begin("proxyworld", str(names), stdin=subprocess.PIPE)
        self.folder = pathlib.Path(self.world.stdout.readline().split()[1])
        self.forward = self.world.stdout.readline().split()[1]
        self.back = self.begin("proxyback")
        self.back_port = int(self.back.stdout.readline())
        self.used = 0

    def begin(self, program, *words, **more):
        p = subprocess.Popen(["taskset", "-c", self.others, self.build / "bench" / program, *words], stdout=subprocess.PIPE, text=True, **more)
        self.begun.append(p)
        return p

    def start(self, name, workers=1, **env):
        p = Proxy(self, name, workers, env)
        self.running.append(p)
        return p

    def stop(self, p):
        p.stop()
        self.running.remove(p)

    def words(self, proxy, name, **wish):
        """Of proxyload; proxy None: straight to the backend, in the clear."""
        words = ["--port", str(proxy.port if proxy else self.back_port)]
        if proxy:
            mine = "dane" if proxy.name.startswith("sardane") else "client"
            words += ["--name", name, "--chain", self.folder / f"{mine}.pem", "--key", self.folder / f"{mine}-key.pem"]
        for key, value in wish.items():
            words += ["--" + key.replace("_", "-")] + ([] if value is True else [str(value)])
        return words

    def end(self, load):
        load.kill()
        load.communicate()
        self.begun.remove(load)

    def heard(self, proxy, load, may_fail=False):
        """What proxyload said at its end. Nothing, or that a connection failed, is no measurement."""
        name, line = proxy.name if proxy else "the backend", load.stdout.readline()
        if not line.startswith("{"):
            raise Broken(f"{name} does not answer")
        got = json.loads(line)
        if got["failed"] and not may_fail:
            raise Broken(f"{name}: {got['failed']} connections failed")
        if not got["requests"]:
            raise Broken(f"{name} answered nothing")
        if proxy:
            proxy.is_whole()
        return got

    def load(self, proxy, name="_warm.example", may_fail=False, **wish):
        p = self.begin("proxyload", *self.words(proxy, name, **wish))
        try:
            return self.heard(proxy, p, may_fail)
        finally:
            self.end(p)

    def steady(self, proxy, **wish):
        """(what it said, the proxy's processor time) of connections that are there before the time counts."""
        p = self.begin("proxyload", *self.words(proxy, "_warm.example", steady=True, **wish), stdin=subprocess.PIPE)
        try:
            if p.stdout.readline() != "ready\n":
                raise Broken(f"{proxy.name if proxy else 'the backend'} does not answer")
            before = proxy.cpu() if proxy else 0
            p.stdin.write("go\n")
            p.stdin.flush()
            said = self.heard(proxy, p)
            return said, proxy.cpu() - before if proxy else 0
        finally:
            self.end(p)

    def load_new(self, proxy, **wish):
        """The same with names that nobody was asked about before."""
        got = self.load(proxy, "_u%u.example", **{"from": self.used}, **wish)
        self.used += got["connections"] + got["failed"] + 100
        return got

    def hold(self, proxy, count):
        """A process with so many idle connections, each of which has served a request."""
        p = self.begin("proxyload", *self.words(proxy, "_warm.example", connections=count, at_once=32, hold=True), stdin=subprocess.PIPE)
        return p, self.heard(proxy, p)

    def __enter__(self):
        return self

    def clear(self):
        """Nothing of what was measured runs any more; the backend and the names do."""
        for p in list(self.running):
            self.stop(p)
        for p in set(self.begun) - {self.world, self.back}:
            self.end(p)

    def __exit__(self, *why):
        self.clear()
        self.end(self.back)
        self.world.communicate()
