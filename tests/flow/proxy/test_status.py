#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What sardane-proxy tells of itself: metrics, peers, health, and "sardane top"; also when DNS is slow or gone.

PROXY, SARDANE and RESOLVERD name the programs. The lab's DNS is real and signed.
"""
import contextlib, json, os, pathlib, re, shutil, signal, socket, subprocess, sys, tempfile, time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "lib"))
import calab, proxylab
from joinlab import run
from proxylab import Echo, Proxy, by_certificate, exchange, get, listener, metrics, outbound, receive
from proxyload import children, open_pair, passes, still_open, until

PLAIN = "    identity: none\n"
STATUS = "status: unix:DIR/status\n"

def the_numbers_of_all_workers_are_told():
    rules = [f'name: {WORLD["A_NS_CLIENT_NAME"]}', "name: _old.a.example, by: pkix"]
    with calab.Authority() as ca, Echo() as backend, \
            Proxy(listener(WORLD, backend.address, rules, PLAIN + f"    client_ca: {ca.pem}\n") + STATUS, workers=2) as b, \
            Proxy(outbound(WORLD) + STATUS) as a, Proxy(outbound(WORLD, who="A_AS")) as stranger:
        for _ in range(8):
            with a.connect() as s:
                assert exchange(s, b"x" * 1000) == b"x" * 1000
        with by_certificate(WORLD, ca.leaf("old", "DNS:_old.a.example")) as s:
            s.sendall(b"x" * 1000)
            receive(s, 1000)
            assert [p["how"] for p in json.loads(get(b, "/peers")[1])["peers"] if p["peer"] == "_old.a.example"] == ["pkix"]
        assert proxylab.is_turned_away(stranger)
        def done():
            m = metrics(b)
            return m['octets_total{at="in",side="listener",direction="back"}'] == 9000 and \
                m['handshakes_total{at="in",side="listener",outcome="refused",reason="policy"}'] == 1 and \
                m['dns_answers_total{status="secure"}'] >= 1 and m
        m = until(done)
        entry = 'at="in",side="listener"'
        for name, value in ((f'accepts_total{{{entry}}}', 10), (f'handshakes_total{{{entry},outcome="proved",reason=""}}', 9),
                            (f'handshakes_by_pkix_total{{{entry}}}', 1),
                            (f'connections_total{{{entry},outcome="passed"}}', 9), (f'octets_total{{{entry},direction="forth"}}', 9000),
                            (f'handshake_seconds_count{{{entry}}}', 9), (f'handshake_seconds_bucket{{{entry},le="+Inf"}}', 9),
                            (f'reach_seconds_count{{{entry}}}', 9), ("workers", 2), ("healthy", 1)):
            assert m[name] == value, (name, m.get(name), value)
        way = metrics(a)
        assert way['handshakes_total{at="out",side="outbound",outcome="proved",reason=""}'] == 8
        owner = WORLD["A_NS_CLIENT_NAME"]
        assert way[f'own_tlsa_good{{at="out",side="outbound",name="{owner}"}}'] == 1, way
        expiry = way[f'certificate_expiry_timestamp_seconds{{at="out",side="outbound",name="{owner}"}}']
        assert expiry > time.time()
        assert get(b, "/nothing")[0] == 404 and get(b, "/metrics", "POST")[0] == 405

def each_server_name_is_told_of_by_itself():
    names = f"""    names:
      - {{name: second.b.example, tls_cert: {WORLD["B_AS_SERVER"]}.pem, tls_key: {WORLD["B_AS_SERVER"]}-key.pem}}
      - {{name: "*.many.b.example"}}
      - {{name: "*.more.b.example", tls_cert: {WORLD["B_AS_SERVER"]}.pem, tls_key: {WORLD["B_AS_SERVER"]}-key.pem}}
"""
    with Echo() as backend, Proxy(listener(WORLD, backend.address, more=PLAIN + names) + STATUS) as b:
        port, expiry = WORLD["B_JS_PORT"], "certificate_expiry_timestamp_seconds"
        of = lambda name, more="": f'{{at="in",side="listener",name="_{port}._tcp.{name}"{more}}}'  # noqa: E731
        second = of("second.b.example", ',server_name="second.b.example"')
        m = until(lambda: (got := metrics(b)).get("own_tlsa_good" + second) == 0 and got)
        assert m[expiry + second] > time.time() and m["healthy"] == 0, m
        assert m[expiry + of(WORLD["B_JS_HOST"])] > time.time(), m
        assert sum(key.startswith(expiry) for key in m) >= 4, m
        lines = [line.rsplit(" ", 1)[0] for line in get(b, "/metrics")[1].splitlines() if line[0] != "#"]
        assert len(lines) == len(set(lines)), "a sample that stands twice"
        assert "second.b.example" in get(b, "/healthz")[1]

def the_certificate_for_programs_of_this_machine_is_looked_after():
    with tempfile.TemporaryDirectory() as top:
        _, keys = proxylab.local_certificate(top, "x.b.example")
        with Proxy(outbound(WORLD, to="sni:443", more=keys + "    allow: [{name: .b.example}]\n") + STATUS) as a:
            until = metrics(a)['certificate_expiry_timestamp_seconds{at="out",side="outbound",name="",local="yes"}']
            assert 86400 < until - time.time() < 3 * 86400 and get(a, "/healthz")[0] == 200

def counters_survive_a_worker_and_a_reload():
    with Echo() as backend, Proxy(listener(WORLD, backend.address, more=PLAIN) + STATUS) as b, Proxy(outbound(WORLD)) as a:
        accepts = 'accepts_total{at="in",side="listener"}'
        with a.connect() as s:
            assert exchange(s, b"x") == b"x"
        until(lambda: metrics(b)[accepts] == 1)
        worker = json.loads(subprocess.run(["ps", "--ppid", str(b.process.pid), "-o", "pid="], capture_output=True, text=True).stdout.split()[0])
        os.kill(worker, signal.SIGKILL)
        b.said(r"proxy\.worker_died")
        until(lambda: metrics(b)["workers"] == 1 and worker not in b.workers())
        with a.connect() as s:
            assert exchange(s, b"x") == b"x"
        b.process.send_signal(signal.SIGHUP)
        b.said(r"proxy\.reloaded", 30)
        until(lambda: metrics(b)["reloads_total"] == 1)
        with a.connect() as s:
            assert exchange(s, b"x") == b"x"
        until(lambda: metrics(b)[accepts] == 3)

def who_is_connected_is_told_and_shown():
    with Echo() as backend, Proxy(listener(WORLD, backend.address, more=PLAIN) + STATUS) as b, Proxy(outbound(WORLD)) as a, \
            Proxy(outbound(WORLD, who="A_AS")) as stranger:
        with a.connect() as s, a.connect() as other:
            for one, octets in ((s, b"hello"), (other, b"x")):
                one.sendall(octets)
                assert proxylab.receive(one, len(octets)) == octets
            assert proxylab.is_turned_away(stranger)
            peers = json.loads(get(b, "/peers")[1])["peers"]
            assert sorted(p["forth"] for p in peers) == [1, 5], peers
            name = WORLD["A_NS_CLIENT_NAME"].rstrip(".")
            assert all(p["peer"] == name and p["usage"] == "3 1 1" and p["how"] == "dane" and p["at"] == "in" for p in peers), peers
            until(lambda: json.loads(get(b, "/status")[1])["entries"][0]["open"] == 2)
            got = subprocess.run([os.environ["SARDANE"], "top", "--at", f"unix:{b.dir}/status", "--once"], capture_output=True, text=True, timeout=30)
            assert got.returncode == 0, got.stderr
            for words in ("healthy", name, "3 1 1", "policy", "in "):
                assert words in got.stdout, (words, got.stdout)
            os.kill(b.process.pid, signal.SIGHUP)
            b.said(r"proxy\.reloaded", 30)
            assert len(json.loads(get(b, "/peers")[1])["peers"]) == 2, "those of the older configuration are there too"
            assert metrics(b)["configurations"] == 2
        until(lambda: json.loads(get(b, "/peers")[1])["peers"] == [])
        until(lambda: metrics(b)["configurations"] == 1)
        got = subprocess.run([os.environ["SARDANE"], "top", "--at", f"unix:{b.dir}/nobody", "--once"], capture_output=True, text=True, timeout=30)
        assert got.returncode == 2 and "nobody" in got.stderr, got.stderr

LABELS = r'(?:\w+="(?:[^"\\\n]|\\[\\"n])*"(?:,(?!\})|(?=\})))*'
SAMPLE = re.compile(rf"([a-z][a-z0-9_]*)(?:\{{({LABELS})\}})? (-?\d+(?:\.\d+)?|\+Inf|NaN)")

def families(text):
    """{name: (kind, {(sample, labels): value})} of Prometheus' text format, version 0.0.4; what it forbids is an error."""
    found, current = {}, None
    assert text.endswith("\n") and "\n\n" not in text
    for line in text.splitlines():
        if help_ := re.fullmatch(r"# HELP (\w+) (\S.*)", line):
            current = help_[1]
            assert current not in found, f"{current} stands at two places"
            found[current] = (None, {})
        elif kind := re.fullmatch(r"# TYPE (\w+) (counter|gauge|histogram)", line):
            assert kind[1] == current and found[current] == (None, {}), line
            found[current] = (kind[2], {})
        else:
            sample = SAMPLE.fullmatch(line)
            assert sample, line
            kind, samples = found[current]
            ends = ("_bucket", "_sum", "_count") if kind == "histogram" else ("",)
            labels = tuple(sorted(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', sample[2] or "")))
            assert kind and sample[1] in [current + end for end in ends], line
            assert len({name for name, _ in labels}) == len(labels) and (sample[1], labels) not in samples, line
            samples[sample[1], labels] = float(sample[3])
    return found

def held_together(name, kind, samples):
    """What promtool says of names, and of the numbers of a histogram."""
    assert name.endswith("_total") == (kind == "counter"), name
    assert kind != "histogram" or samples, name
    for (sample, labels), value in samples.items():
        assert kind != "counter" or value >= 0, (sample, labels, value)
        if sample == name + "_count" and kind == "histogram":
            of_it = [(float(dict(more)["le"]), n) for (one, more), n in samples.items() if one == name + "_bucket" and set(labels) < set(more)]
            assert of_it == sorted(of_it) and of_it[-1] == (float("inf"), value), of_it
            assert [n for _, n in of_it] == sorted(n for _, n in of_it) and (name + "_sum", labels) in samples, of_it

def prometheus_finds_nothing_wrong():
    with Echo() as backend, Proxy(listener(WORLD, backend.address, more=PLAIN) + STATUS) as b, Proxy(outbound(WORLD)) as a:
        with a.connect() as s:
            assert exchange(s, b"x") == b"x"
        text = get(b, "/metrics")[1]
        found = families(text)
        for name, (kind, samples) in found.items():
            held_together(name, kind, samples)
        for name in ("accepts_total", "handshakes_total", "dns_answers_total", "dns_cache_names", "connections_open", "octets_total",
                     "handshake_seconds", "reach_seconds", "certificate_expiry_timestamp_seconds", "own_tlsa_expiry_timestamp_seconds"):
            assert found["sardane_proxy_" + name][1], name
        # Each limit that the manual's table tells of has its number.
        table = pathlib.Path(__file__).resolve().parents[3] / "docs/sidecar.md"
        rows = re.findall(r"^\| `[\w.]+` \| \d+ \| .* \| `(\w+)(?:\{(\w+)=\"(\w+)\"\})?` \|$", table.read_text(), re.M)
        assert len(rows) > 20, rows
        for name, key, value in rows:
            assert any(not key or (key, value) in labels for _, labels in found["sardane_proxy_" + name][1]), (name, key, value)
        if tool := shutil.which("promtool"):
            got = subprocess.run([tool, "check", "metrics"], input=text, capture_output=True, text=True, timeout=30)
            assert got.returncode == 0 and not got.stderr.strip(), got.stdout + got.stderr

def health_fails_when_it_could_not_serve():
    with Echo() as backend, Proxy(listener(WORLD, backend.address, more=PLAIN) + STATUS) as b:
        until(lambda: json.loads(get(b, "/status")[1])["own"][0]["tlsa"] == "good")
        assert get(b, "/healthz") == (200, "ok\n")
        worker = b.workers()[0]
        os.kill(worker, signal.SIGSTOP)
        try:
            status, why = until(lambda: (got := get(b, "/healthz"))[0] == 503 and got, 20)
            assert "workers" in why, why
        finally:
            os.kill(worker, signal.SIGCONT)
        until(lambda: get(b, "/healthz")[0] == 200)
    # A key that DNS does not know of.
    with Echo() as backend, tempfile.TemporaryDirectory() as top:
        name = WORLD["B_JS_HOST"].rstrip(".")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=x",
                        "-addext", f"subjectAltName=DNS:{name}", "-keyout", top + "/x-key.pem", "-out", top + "/x.pem"], check=True, capture_output=True)
        config = listener(WORLD, backend.address, more=PLAIN).replace(WORLD["B_JS_SERVER"], top + "/x") + STATUS
        with Proxy(config) as b:
            status, why = until(lambda: (got := get(b, "/healthz"))[0] == 503 and got)
            assert "none of the" in why and name in why, why
            status, words = b.check()
            assert status == 3 and "none of the" in words and name in words, (status, words)

def the_log_is_json_when_that_is_asked_for_and_holds_no_octet_of_what_passed():
    with Echo() as backend, Proxy(listener(WORLD, backend.address, more=PLAIN), words=["-j"]) as b, Proxy(outbound(WORLD)) as a:
        with a.connect() as s:
            assert exchange(s, b"a secret word") == b"a secret word"
        b.said("proxy.end")
        lines = [json.loads(line) for line in list(b.log)]
        end, = [line for line in lines if line["event"] == "proxy.end"]
        assert end["peer"] == WORLD["A_NS_CLIENT_NAME"].rstrip(".") and (end["verdict"], end["usage"], end["reason"]) == ("passed", "3 1 1", "done"), end
        assert not any("secret" in line for line in b.log + a.log)

def every_process_that_serves_is_behind_walls():
    with Echo() as backend, Proxy(listener(WORLD, backend.address, more=PLAIN) + STATUS, workers=2) as b:
        serving = b.workers() + [child for worker in b.workers() for child in children(worker)]
        assert len(serving) == 6, serving  # two workers and the status, each with a resolver
        for pid in serving:
            words = pathlib.Path(f"/proc/{pid}/status").read_text()
            assert re.search(r"^NoNewPrivs:\s1$", words, re.M) and re.search(r"^Seccomp:\s2$", words, re.M), words
        b.said(r"sandbox\.entered with=no-new-privileges,.*seccomp", times=3)

def a_resolver_that_becomes_slow_is_waited_for():
    with proxylab.Slow(WORLD, 0.02) as dns, Echo() as backend, Proxy(listener(WORLD, backend.address, more=PLAIN)), \
            Proxy(dns.asked_by(outbound(WORLD, more="    grace: 60\n"))) as a:
        until(lambda: passes(a))
        with open_pair(a) as s:
            dns.delay = 0.4  # of a sudden, and the chain has several questions
            time.sleep(2.5)
            until(lambda: passes(a))
            assert still_open(s)

def without_dns_nobody_new_is_believed_and_grace_keeps_who_is_open():
    dns = knotd()
    with Echo() as backend, Proxy(listener(WORLD, backend.address, more=PLAIN + "    grace: 600\n") + STATUS) as b, \
            Proxy(outbound(WORLD, more="    grace: 600\n    connect_timeout: 1\nstatus: unix:DIR/status\n")) as a, until(lambda: opened(a)) as s:
        os.kill(dns, signal.SIGSTOP)
        before = backend.count
        try:
            time.sleep(3)  # what is cached has expired
            for _ in range(6):  # one that is asked for long is given up at last
                assert not passes(a) and backend.count == before, backend.count
                time.sleep(0.3)
            assert still_open(s)
            until(lambda: get(b, "/healthz")[0] == 503)
            a.said(r'proxy\.end .*reason="the back was not reached in time"')
            assert metrics(a)['limit_refusals_total{at="out",side="outbound",limit="connect_timeout"}'] >= 1
        finally:
            os.kill(dns, signal.SIGCONT)
        until(lambda: passes(a), 30)  # and is asked again soon
        until(lambda: get(b, "/healthz")[0] == 200)
        assert still_open(s)

def opened(a):
    """A connection that stays, or None: on a busy machine connect_timeout may end it."""
    with contextlib.suppress(ConnectionError):
        return open_pair(a)

def knotd():
    """The lab's name server."""
    port = f":{int(WORLD['LAB_DNS_PORT']):04X}"
    inodes = {line.split()[9] for line in pathlib.Path("/proc/net/udp").read_text().splitlines()[1:] if line.split()[1].endswith(port)}
    for fd in pathlib.Path("/proc").glob("[0-9]*/fd/*"):
        with contextlib.suppress(OSError):
            if any(os.readlink(fd) == f"socket:[{i}]" for i in inodes):
                return int(fd.parts[2])
    raise AssertionError("the lab's name server is not found")

def a_log_that_is_full_stops_nothing():
    with Echo() as backend, Proxy(listener(WORLD, backend.address, more=PLAIN) + STATUS) as b:
        config = Proxy(outbound(WORLD, bind="unix:DIR/out"), more="drain: 2\n")
        full = open("/dev/full", "w")
        process = subprocess.Popen([os.environ["PROXY"], "-c", config.config, "-l", "debug"], stderr=full)
        try:
            until(lambda: os.path.exists(config.dir + "/out"))
            for i in range(5):
                with socket.socket(socket.AF_UNIX) as s:
                    s.settimeout(20)
                    until(lambda: s.connect_ex(config.dir + "/out") == 0)
                    assert exchange(s, b"hello") == b"hello"
            process.send_signal(signal.SIGHUP)
            with socket.socket(socket.AF_UNIX) as s:
                s.settimeout(20)
                s.connect(config.dir + "/out")
                assert exchange(s, b"hello") == b"hello"
        finally:
            process.terminate()
            assert process.wait(30) == 0
            shutil.rmtree(config.dir)

with proxylab.world() as (WORLD, lab):
    run(the_numbers_of_all_workers_are_told, each_server_name_is_told_of_by_itself, the_certificate_for_programs_of_this_machine_is_looked_after, counters_survive_a_worker_and_a_reload, who_is_connected_is_told_and_shown,
        prometheus_finds_nothing_wrong, health_fails_when_it_could_not_serve,
        the_log_is_json_when_that_is_asked_for_and_holds_no_octet_of_what_passed, every_process_that_serves_is_behind_walls,
        a_resolver_that_becomes_slow_is_waited_for, without_dns_nobody_new_is_believed_and_grace_keeps_who_is_open, a_log_that_is_full_stops_nothing)
