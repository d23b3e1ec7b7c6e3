#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Plain > outbound of A > mutual DANE > listener of B > plain: two organisations, two proxies.

PROXY, SARDANE and RESOLVERD name the programs. The lab's DNS is real and signed.
"""
import contextlib, hashlib, os, pathlib, shutil, signal, socket, ssl, subprocess, sys, tempfile, threading, time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "lib"))
import proxylab
from dnsworld import free_port
from joinlab import run
from proxylab import Echo, Proxy, exchange, is_cut, listener, outbound, tlvs

LARGE = os.urandom(1 << 22)

def octets_go_through_two_proxies_and_each_way_ends_for_itself():
    with Echo() as backend, Proxy(listener(WORLD, backend.address, more="    identity: none\n")) as b, Proxy(outbound(WORLD)) as a:
        for octets in (b"", b"hello", LARGE):
            with a.connect() as s:
                assert exchange(s, octets) == octets
        b.said(r"proxy\.end .*reason=done", times=3)
        assert backend.ends == ["end"] * 3, backend.ends
        line = b.said(rf"proxy\.end .*forth={len(LARGE)} back={len(LARGE)} .*reason=done")
        name = WORLD["A_NS_CLIENT_NAME"].rstrip(".")
        for word in ("at=in", "verdict=passed", f"peer={name}", f"tlsa={name}", 'usage="3 1 1"', "dnssec=secure", "how=dane"):
            assert word in line, (word, line)
        line = a.said(rf"proxy\.end .*back={len(LARGE)} .*reason=done")
        assert f'peer={WORLD["B_JS_HOST"].rstrip(".")}' in line and "verdict=passed" in line, line

def the_backend_is_told_who_it_is_ahead_of_the_first_octet():
    with Echo(head=True) as backend, Proxy(listener(WORLD, backend.address)) as b, Proxy(outbound(WORLD)) as a:
        with a.connect() as s:
            assert exchange(s, b"hello") == b"hello"
        head, = backend.heads
        assert head[:12] == proxylab.SIGNATURE and head[12:14] == b"\x21\x11", head
        assert socket.inet_ntoa(head[20:24]) == WORLD["B_JS_ADDRESS"] and int.from_bytes(head[26:28], "big") == int(WORLD["B_JS_PORT"])
        top, name = tlvs(head[28:]), WORLD["A_NS_CLIENT_NAME"].rstrip(".").encode()
        ssl, dane = top[0x20], top[0xe5]
        assert ssl[0] == 7 and ssl[1:5] == bytes(4), ssl
        assert tlvs(ssl[5:])[0x21] == b"TLSv1.3" and tlvs(ssl[5:])[0x22] == name, ssl
        assert dane[:5] == b"\1\1\3\1\1" and len(dane[5:37]) == 32 and dane[37:] == name, dane
        assert top[2] == WORLD["B_JS_HOST"].rstrip(".").encode() and 0x28 not in tlvs(ssl[5:]), top
        b.said(r"proxy\.end")

def the_backend_is_told_more_or_less_as_it_can_read():
    pem = pathlib.Path(WORLD["A_NS_CLIENT"] + ".pem").read_text()
    with Echo(head=True) as backend, Proxy(outbound(WORLD)) as a:
        for identity in ("proxy_v2_certificate", "proxy_v2_addresses"):
            with Proxy(listener(WORLD, backend.address, more=f"    identity: {identity}\n")), a.connect() as s:
                assert exchange(s, b"hello") == b"hello"
    certificate, addresses = backend.heads
    der = tlvs(tlvs(certificate[28:])[0x20][5:])[0x28]
    assert der == ssl.PEM_cert_to_DER_cert(pem[:pem.index("-----END CERTIFICATE-----") + 26]), der
    assert len(addresses) == 28 and socket.inet_ntoa(addresses[20:24]) == WORLD["B_JS_ADDRESS"], addresses

def listens(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0

@contextlib.contextmanager
def serving(port, *command):
    """While command listens at port."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            until = time.monotonic() + 30
            while not listens(port):
                assert server.poll() is None and time.monotonic() < until, command
                time.sleep(0.02)
            yield
        finally:
            server.terminate()

def hears(port, identity, request=b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"):
    """What a real reader of the header at port says of it."""
    with Proxy(listener(WORLD, f"127.0.0.1:{port}", more=f"    identity: {identity}\n")), Proxy(outbound(WORLD)) as a, a.connect() as s:
        return exchange(s, request)

def nginx_reads_the_header():
    page, stream = free_port(), free_port()
    with tempfile.TemporaryDirectory() as top:
        words = "".join(f"load_module {m};\n" for m in pathlib.Path("/usr/lib/nginx/modules").glob("ngx_stream_module.so"))
        words += f"daemon off; pid {top}/pid; error_log {top}/log; events {{}}\nhttp {{ access_log off;"
        words += "".join(f" {kind}_temp_path {top}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        words += f' server {{ listen 127.0.0.1:{page} proxy_protocol; location / {{ return 200 "from $proxy_protocol_addr"; }} }} }}\n'
        if "load_module" in words:
            words += f'stream {{ server {{ listen 127.0.0.1:{stream} proxy_protocol; return "from $proxy_protocol_addr"; }} }}\n'
        pathlib.Path(top, "conf").write_text(words)
        with serving(page, "nginx", "-c", top + "/conf"):
            assert hears(page, "proxy_v2").endswith(b"from 127.0.0.1")
            if "load_module" in words:
                assert hears(stream, "proxy_v2_addresses", b"") == b"from 127.0.0.1"

def haproxy_reads_the_header():
    port = free_port()
    with tempfile.NamedTemporaryFile("w", suffix=".cfg") as config:
        config.write("defaults\n  mode http\n  timeout client 20s\n  timeout server 20s\n  timeout connect 20s\nfrontend f\n"
                     f"  bind 127.0.0.1:{port} accept-proxy\n"
                     '  http-request return status 200 content-type text/plain lf-string "from %[src], asked for %[fc_pp_authority]"\n')
        config.flush()
        with serving(port, "haproxy", "-f", config.name):
            for identity in ("proxy_v2", "proxy_v2_certificate"):
                assert hears(port, identity).endswith(f'from 127.0.0.1, asked for {WORLD["B_JS_HOST"].rstrip(".")}'.encode())

def unix_sockets_do_on_both_plain_sides():
    with tempfile.TemporaryDirectory() as top, Echo(unix=top + "/back") as backend:
        with Proxy(listener(WORLD, backend.address, more="    identity: none\n")), Proxy(outbound(WORLD, bind=f"unix:{top}/front"), workers=2):
            for _ in range(4):
                with socket.socket(socket.AF_UNIX) as s:
                    s.settimeout(20)
                    s.connect(top + "/front")
                    assert exchange(s, b"hello") == b"hello"

def may_connect(path, *words):
    """A program of another user, or of another group, at a Unix socket."""
    program = f"import socket; socket.socket(socket.AF_UNIX).connect({path!r})"
    return subprocess.run(["setpriv", *words, "--clear-groups", "/usr/bin/python3", "-c", program], capture_output=True).returncode == 0

def a_unix_socket_has_the_mode_and_the_group_that_are_configured():
    root = os.getuid() == 0
    group = 4711 if root else os.getgid()
    with tempfile.TemporaryDirectory() as top:
        os.chmod(top, 0o755)
        front, status = top + "/front", top + "/status"
        def is_with(path, mode):
            st = os.stat(path)
            return (st.st_mode & 0o7777, st.st_gid) == (mode, group)
        more = f'    socket_mode: "0660"\n    socket_group: "{group}"\nstatus: unix:{status}\nstatus_mode: 0600\nstatus_group: "{group}"\n'
        with Proxy(outbound(WORLD, bind=f"unix:{front}", more=more)) as p:
            assert is_with(front, 0o660) and is_with(status, 0o600), (os.stat(front), os.stat(status))
            if root:
                assert may_connect(front, "--reuid=12345", f"--regid={group}") and not may_connect(front, "--reuid=12345", "--regid=12345")
                assert not may_connect(status, "--reuid=12345", f"--regid={group}")
            # What stays open has the rights of what serves.
            p.config.write_text(p.config.read_text().replace("0660", "0606"))
            p.process.send_signal(signal.SIGHUP)
            p.said(r"proxy\.reloaded ")
            assert is_with(front, 0o606), os.stat(front)
            if root:
                assert not may_connect(front, "--reuid=12345", f"--regid={group}") and may_connect(front, "--reuid=12345", "--regid=12345")
        good = f"outbound:\n  - bind: unix:{front}\n    to: lorawan\n    socket_mode: 0660\nstatus: unix:{status}\nstatus_group: root\n"
        for before, after, why in (("0660", "0880", ":6:5: outbound[0]: mode '0880': need three octal digits"), ("root", "nobody here", ":8:1: group 'nobody here'"),
                                   (f"bind: unix:{front}", "bind: 127.0.0.1:0", ":6:5: outbound[0]: socket_mode is for unix:/path"),
                                   (f"unix:{status}", "127.0.0.1:1", ":8:1: status_group is for unix:/path")):
            p = Proxy(good.replace(before, after))
            code, words = p.check()
            assert code == 2 and f"{p.config}{why}" in words, (why, words)

def a_server_that_speaks_first_is_heard():
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = "127.0.0.1:%d" % server.getsockname()[1]
        with Proxy(listener(WORLD, address, more="    identity: none\n")), Proxy(outbound(WORLD)) as a:
            with a.connect() as s:
                back, _ = server.accept()
                with back:
                    back.sendall(b"220 ready\r\n")
                    assert proxylab.receive(s, 11) == b"220 ready\r\n"

def a_cut_is_passed_on_as_a_cut():
    with Echo() as backend, Proxy(listener(WORLD, backend.address, more="    identity: none\n")) as b, Proxy(outbound(WORLD)) as a:
        with a.connect() as s:
            s.sendall(b"half a mess")
            assert proxylab.receive(s, 11) == b"half a mess"
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        b.said(r"proxy\.end .*reason=.*cut")
        until = time.monotonic() + 20
        while not backend.ends and time.monotonic() < until:
            time.sleep(0.02)
        assert backend.ends == ["reset"], backend.ends

def who_does_not_read_is_not_read_from():
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = "127.0.0.1:%d" % server.getsockname()[1]
        with Proxy(listener(WORLD, address, more="    identity: none\n")) as b, Proxy(outbound(WORLD)) as a:
            with a.connect() as s:
                back, _ = server.accept()
                s.settimeout(1)
                sent, said, heard = 0, hashlib.sha256(), hashlib.sha256()
                try:
                    while sent < 256 << 20:
                        n = s.send(LARGE)
                        said.update(LARGE[:n])
                        sent += n
                except TimeoutError:
                    pass
                assert sent < 64 << 20, sent
                for worker in b.workers() + a.workers():
                    pages = int(pathlib.Path(f"/proc/{worker}/statm").read_text().split()[1])
                    assert pages * 4096 < 64 << 20 or os.environ.get("SARDANE_SANITIZED"), pages
                back.settimeout(20)
                s.shutdown(socket.SHUT_WR)
                with back:
                    for more in iter(lambda: back.recv(1 << 20), b""):
                        heard.update(more)
                    assert heard.digest() == said.digest()

def a_worker_that_dies_is_started_again():
    with Echo() as backend, Proxy(listener(WORLD, backend.address, more="    identity: none\n"), workers=2) as b, Proxy(outbound(WORLD)) as a:
        first = b.workers()
        assert len(first) == 2, first
        os.kill(first[0], signal.SIGKILL)
        b.said(r"proxy\.worker_died")
        until = time.monotonic() + 20
        while (len(b.workers()) < 2 or first[0] in b.workers()) and time.monotonic() < until:
            time.sleep(0.02)
        for _ in range(8):
            with a.connect() as s:
                assert exchange(s, b"again") == b"again"

def what_is_open_may_end_before_the_proxy_does():
    with Echo() as backend:
        b, a = Proxy(listener(WORLD, backend.address, more="    identity: none\n"), more="drain: 60\n").start(), Proxy(outbound(WORLD)).start()
        with a.connect() as s:
            s.sendall(b"before")
            assert proxylab.receive(s, 6) == b"before"
            b.process.send_signal(signal.SIGTERM)
            b.said(r"proxy\.drain open=1")
            s.sendall(b"after!")
            assert proxylab.receive(s, 6) == b"after!"
        assert b.process.wait(30) == 0 and a.stop() == 0

def what_does_not_end_is_cut_when_the_time_is_over():
    with Echo() as backend, Proxy(outbound(WORLD)) as a:
        b = Proxy(listener(WORLD, backend.address, more="    identity: none\n"), more="drain: 1\n").start()
        with a.connect() as s:
            s.sendall(b"before")
            assert proxylab.receive(s, 6) == b"before"
            assert b.stop() == 0
            assert any("proxy.drained left=1" in line for line in b.log), b.log[-5:]
            assert is_cut(s)

def idle_and_old_connections_are_closed():
    for more, why in (("    idle_timeout: 3\n", "idle for too long"), ("    lifetime: 3\n", "its time was over")):
        config = "    identity: none\n" + more + "status: unix:DIR/status\n"
        with Echo() as backend, Proxy(listener(WORLD, backend.address, more=config)) as b, Proxy(outbound(WORLD)) as a:
            with a.connect() as s:
                s.sendall(b"x")
                assert proxylab.receive(s, 1) == b"x" and is_cut(s)
            b.said(rf'proxy\.end .*reason="{why}"')
            assert reached(b, more.split(":")[0].strip()) == 1

def reached(b, limit):
    """How many times that limit was."""
    return proxylab.metrics(b)[f'limit_refusals_total{{at="in",side="listener",limit="{limit}"}}']

def a_half_closed_connection_waits_its_own_time_and_no_longer():
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = "127.0.0.1:%d" % server.getsockname()[1]
        with Proxy(listener(WORLD, address, more="    identity: none\n    half_closed_timeout: 5\nstatus: unix:DIR/status\n")) as b, Proxy(outbound(WORLD)) as a:
            with a.connect() as s:
                back, _ = server.accept()
                with back:
                    back.settimeout(20)
                    s.sendall(b"all I say")
                    s.shutdown(socket.SHUT_WR)
                    assert back.recv(100) == b"all I say" and back.recv(1) == b""
                    # Each octet begins it anew: an answer may take longer than that in all.
                    for _ in range(6):
                        time.sleep(1)
                        back.sendall(b"x")
                    assert proxylab.receive(s, 6) == b"xxxxxx" and is_cut(s)
            b.said(r'proxy\.end .*reason="half-closed for too long"')
            assert reached(b, "half_closed_timeout") == 1

def published(name, *addresses, key="B_JS_SERVER"):
    """name:port, at these addresses, with the key of B's Join Server."""
    pin = subprocess.run([os.environ["SARDANE"], "tlsa", "generate", "--cert", WORLD[key] + ".pem"], capture_output=True, text=True, check=True)
    lab("publish", f'_{WORLD["B_JS_PORT"]}._tcp.{name}', "TLSA", "3", "1", "1", pin.stdout.split()[-1])
    for address in addresses:
        lab("publish", name, "AAAA" if ":" in address else "A", address)
    return f'{name}:{WORLD["B_JS_PORT"]}'

def on_ipv6(config):
    return config.replace(WORLD["B_JS_ADDRESS"] + ":", "[::1]:")

def ipv6_does_as_well_and_the_backend_is_told_so():
    to = published("six.b.example", "::1")
    with Echo(head=True) as backend, Proxy(on_ipv6(listener(WORLD, backend.address))), Proxy(outbound(WORLD, bind="[::1]:0", to=to)) as a:
        with socket.create_connection(("::1", a.port("out")), 20) as s:
            assert exchange(s, b"hello") == b"hello"
        head, = backend.heads
        assert head[13] == 0x21 and head[16:48] == 2 * (bytes(15) + b"\1"), head

def an_address_that_is_dead_or_proves_another_key_gives_way_to_the_next():
    to = published("eyes.b.example", "::1", WORLD["B_JS_ADDRESS"])
    other = dict(WORLD, B_JS_SERVER=WORLD["B_AS_SERVER"])
    with Echo() as backend, Echo() as wrong, Proxy(listener(WORLD, backend.address, more="    identity: none\n")), Proxy(outbound(WORLD, to=to)) as a:
        with a.connect() as s:
            assert exchange(s, b"nobody at ::1") == b"nobody at ::1"
        with Proxy(on_ipv6(listener(other, wrong.address, more="    identity: none\n"))) as impostor:
            with a.connect() as s:
                assert exchange(s, b"another key at ::1") == b"another key at ::1"
            impostor.said(r"link\.close from=")
        a.said(r"proxy\.end .*verdict=passed .*to=" + WORLD["B_JS_ADDRESS"].replace(".", r"\."), times=2)
        assert (backend.count, wrong.count) == (2, 0), (backend.count, wrong.count)

def an_address_that_says_nothing_has_its_share_of_the_time():
    to = published("mute.b.example", "::1", WORLD["B_JS_ADDRESS"])
    with socket.create_server(("::1", int(WORLD["B_JS_PORT"])), family=socket.AF_INET6), Echo() as backend:
        with Proxy(listener(WORLD, backend.address, more="    identity: none\n")), Proxy(outbound(WORLD, to=to, more="    connect_timeout: 4\n")) as a:
            with a.connect() as s:
                assert exchange(s, b"nobody speaks at ::1") == b"nobody speaks at ::1"

def a_server_is_found_by_srv_and_held_to_the_record_of_its_own_name():
    port, dead = int(WORLD["B_JS_PORT"]), free_port()
    host = published("dead.b.example", WORLD["B_JS_ADDRESS"]).split(":")[0]
    lab("publish", "_echo._tcp.b.example", "SRV", "5", "1", str(dead), host)
    lab("publish", "_echo._tcp.b.example", "SRV", "10", "1", str(port), WORLD["B_JS_HOST"])
    with Echo(head=True) as backend, Proxy(listener(WORLD, backend.address)), Proxy(outbound(WORLD, to="srv:_echo._tcp.b.example")) as a:
        with a.connect() as s:
            assert exchange(s, b"hello") == b"hello"
        a.said(rf'proxy\.end .*verdict=passed peer={WORLD["B_JS_HOST"]} tlsa=_{port}\._tcp\.{WORLD["B_JS_HOST"]} ')
        assert tlvs(backend.heads[0][28:])[2] == WORLD["B_JS_HOST"].encode(), backend.heads

def a_program_that_speaks_tls_alone_is_led_by_the_name_it_asks_for():
    one, two = published("one.srv.b.example", WORLD["B_JS_ADDRESS"]), published("two.srv.b.example", WORLD["B_JS_ADDRESS"])
    names = [one.split(":")[0], two.split(":")[0]]
    with tempfile.TemporaryDirectory() as top, Echo(head=True) as backend, Proxy(listener(WORLD, backend.address)):
        ca, keys = proxylab.local_certificate(top, *names)
        with Proxy(outbound(WORLD, to=f'sni:{WORLD["B_JS_PORT"]}', more=keys + "    allow: [{name: .srv.b.example}]\n")) as a:
            for name, version in ((names[0], "TLSv1.3"), (names[1], "TLSv1.3"), (names[0], "TLSv1.2")):
                with proxylab.speaks_tls(a.connect(), name, ca, ssl.TLSVersion[version.replace(".", "_")]) as s:
                    assert s.version() == version
                    s.sendall(LARGE[:100000])
                    assert proxylab.receive(s, 100000) == LARGE[:100000]
                a.said(rf"proxy\.end at=out sni={name} verdict=passed peer={name} .*how=dane ")
                told = tlvs(backend.heads[-1][28:])
                assert told[2] == name.encode() and tlvs(told[0x20][5:])[0x22] == WORLD["A_NS_CLIENT_NAME"].rstrip(".").encode()

def what_is_spoken_inside_is_agreed_on_and_the_backend_is_told():
    alpn = "    alpn: [{}]\n"
    with Echo(head=True) as backend, tempfile.TemporaryDirectory() as top, Proxy(listener(WORLD, backend.address, more=alpn.format("h2, http/1.1"))) as b:
        for offered, agreed in (("http/1.1, h2", b"h2"), ("mqtt, http/1.1", b"http/1.1"), ("", None)):
            with Proxy(outbound(WORLD, more=alpn.format(offered) if offered else "")) as a, a.connect() as s:
                assert exchange(s, b"hello") == b"hello"
            assert tlvs(backend.heads[-1][28:]).get(1) == agreed, (offered, backend.heads[-1])
        with Proxy(outbound(WORLD, more=alpn.format("mqtt, h3"))) as a:
            assert proxylab.is_turned_away(a)
        assert "no application protocol" in b.said(r"tls\.refuse .*refusal=protocol ")
        # A program that speaks TLS agrees on the same with us.
        ca, keys = proxylab.local_certificate(top, WORLD["B_JS_HOST"])
        rules = f'    allow: [{{name: {WORLD["B_JS_HOST"]}}}]\n'
        with Proxy(outbound(WORLD, to=f'sni:{WORLD["B_JS_PORT"]}', more=keys + rules + alpn.format("h2"))) as a:
            with proxylab.speaks_tls(a.connect(), WORLD["B_JS_HOST"], ca, alpn=["http/1.1", "h2"]) as s:
                assert s.selected_alpn_protocol() == "h2"
                s.sendall(b"hello")
                assert proxylab.receive(s, 5) == b"hello"
            assert tlvs(backend.heads[-1][28:])[1] == b"h2" and len(backend.heads) == 4

def the_file_says_where_a_program_may_be_led():
    with tempfile.TemporaryDirectory() as top:
        _, keys = proxylab.local_certificate(top, "x.b.example")
        rule = "    allow: [{name: .b.example}]\n"
        for to, more, why in (("sni:443", keys, "no rule"), ("sni:443", rule, "need local_cert and local_key"), ("sni:", keys + rule, "sni:port"),
                              ("sni:0", keys + rule, "sni:port"), ("js.b.example:1", keys, "local_cert is for to: sni:port"), ("js.b.example:1", rule, "allow is for"),
                              ("sni:443", keys.replace("local-key", "none") + rule, "none.pem"),
                              ("sni:443", keys + rule + "    alpn: [h2, mqtt]\n", "only one"),
                              ("sni:443", keys + rule + "    targets_max: 4097\n", "targets_max above 4096")):
            status, words = Proxy(outbound(WORLD, to=to, more=more)).check()
            assert status == 2 and why in words, (to, why, words)

def a_setting_that_would_do_nothing_where_it_stands_is_refused_at_its_place():
    http, lorawan, router = "identity: http", "identity: lorawan", "lorawan"
    lines = {key: f"{key}: 1" for key in ("header_max", "request_timeout", "answer_timeout", "body_max", "targets_max", "connect_timeout",
                                         "half_closed_timeout", "lifetime", "per_source_max", "handshakes_max", "handshake_timeout", "as_id_port")}
    lines |= {"net_id_suffix": "net_id_suffix: b.example", "tickets": "tickets: false", "dane_client_name": "dane_client_name: a.b.example",
              "alpn": "alpn: [h2]", "names": "names: []", "sni_required": "sni_required: true", "local_cert": "local_cert: x", "allow": "allow: []"}
    messages, octets = ("request_timeout", "answer_timeout", "body_max", "net_id_suffix"), ("connect_timeout", "half_closed_timeout", "lifetime", "alpn")
    idle = {("listeners", "identity: none"): (*messages, "header_max", "dane_client_name"), ("listeners", http): (*messages, "dane_client_name"),
            ("listeners", lorawan): ("header_max", *octets, "names", "sni_required", "dane_client_name"),
            ("outbound", "to: js.b.example:1"): (*messages, "targets_max", "per_source_max", "handshakes_max", "handshake_timeout", "tickets", "as_id_port",
                                                 "local_cert", "allow"),
            ("outbound", "to: sni:1"): (*messages, "per_source_max", "tickets", "as_id_port"),
            ("outbound", "to: lorawan"): (*octets, "targets_max", "per_source_max", "tickets", "local_cert")}
    for (side, what), keys in idle.items():
        for key in keys:
            p = Proxy(f'{side}:\n  - {{bind: "127.0.0.1:0"}}\n  - bind: "127.0.0.1:1"\n    {what}\n    {lines[key]}\n')
            status, words = p.check()
            assert status == 2 and f"{p.config}:7:5: {side}[1]: {key} is for " in words, (side, what, key, words)
    for entry in ('{bind: "127.0.0.1:1", header_max: 1}', '{bind: "127.0.0.1:1", "header_max": 1}'):
        p = Proxy(f"listeners: [{entry}]\n")
        assert f"{p.config}:3:35: listeners[0]: header_max is for identity: http" in p.check()[1], p.check()

def with_names(first, second, third, more=""):
    """B's listener, and beside it two server names: one with its own certificate and rules, one with the listener's."""
    return listener(WORLD, first.address, more=f"""    names:
      - name: api.b.example
        tls_cert: {WORLD["B_AS_SERVER"]}.pem
        tls_key: {WORLD["B_AS_SERVER"]}-key.pem
        allow:
          - name: {WORLD["A_AS_CLIENT_NAME"]}
        backend: "{second.address}"
      - name: "*.many.b.example"
        backend: "{third.address}"
{more}""")

def each_server_name_has_its_backend_its_certificate_and_its_rules():
    api = published("api.b.example", WORLD["B_JS_ADDRESS"], key="B_AS_SERVER")
    one = published("one.many.b.example", WORLD["B_JS_ADDRESS"])
    with Echo(head=True) as first, Echo(head=True) as second, Echo(head=True) as third, Proxy(with_names(first, second, third)) as b:
        for to, who, backend in ((None, "A_NS", first), (api, "A_AS", second), (one, "A_NS", third)):
            before = backend.count
            with Proxy(outbound(WORLD, to=to, who=who)) as a, a.connect() as s:
                assert exchange(s, b"hello") == b"hello"
            assert backend.count == before + 1, to
            assert tlvs(tlvs(backend.heads[-1][28:])[0x20][5:])[0x22] == WORLD[who + "_CLIENT_NAME"].rstrip(".").encode()
        b.said(r"proxy\.end at=in sni=api\.b\.example verdict=passed")
        b.said(r"proxy\.end at=in sni=one\.many\.b\.example verdict=passed")
        assert (first.count, second.count, third.count) == (1, 1, 1)
        # A reload changes them.
        b.config.write_text(b.config.read_text().replace("api.b.example", "other.b.example"))
        b.process.send_signal(signal.SIGHUP)
        b.said(r"proxy\.reloaded", 60)
        with Proxy(outbound(WORLD, to=api, who="A_AS")) as a:
            assert proxylab.is_turned_away(a)
            a.said(r"tls\.refused .*refusal=no-match")

def each_server_name_is_tested_with_its_own_certificate_and_record():
    api, port = published("test.b.example", WORLD["B_JS_ADDRESS"], key="B_AS_SERVER"), WORLD["B_JS_PORT"]
    with Echo() as e:
        config = with_names(e, e, e).replace("api.b.example", "test.b.example")
        status, words = Proxy(config).check()
        assert status == 0 and f"name=_{port}._tcp.test.b.example tlsa=good" in words, words
        assert f'name=_{port}._tcp.{WORLD["B_JS_HOST"]} tlsa=good' in words, words
        status, words = Proxy(config.replace("test.b.example", "nowhere.b.example")).check()
        assert status == 3 and f"name=_{port}._tcp.nowhere.b.example reason=" in words, words
        for before, after, why in (("tls_key: " + WORLD["B_AS_SERVER"], "tls_key: " + WORLD["B_JS_SERVER"], "names[0]: in: tls_key"),
                                   ("name: test.b.example", "name: .", "names[0]: '.' is no name"),
                                   ("    names:", "    identity: lorawan\n    names:", "names is for every identity but lorawan"),
                                   ("        allow:\n          - name: " + WORLD["A_AS_CLIENT_NAME"], "        allow: []", "allow")):
            status, words = Proxy(config.replace(before, after)).check()
            assert status == 2 and why in words, (why, words)

def the_file_is_checked_with_its_credentials():
    with Echo() as backend:
        good = listener(WORLD, backend.address)
        status, words = Proxy(good).check()
        assert status == 0 and "fine" in words, words
        with proxylab.Zone() as silent:
            lab_dns = f'{WORLD["LAB_DNS_ADDRESS"]}@{WORLD["LAB_DNS_PORT"]}'
            status, words = Proxy(good.replace(lab_dns, silent.address)).check()
            assert status == 3 and "failed" in words and silent.heard, words
        with tempfile.TemporaryDirectory() as top:
            # Clients look for many names, or for one that is not known here.
            proxylab.local_certificate(top, "*.b.example")
            status, words = Proxy(good.replace(WORLD["B_JS_SERVER"], top + "/local")).check()
            assert status == 0 and "at=in tlsa=unasked reason=" in words and ": fine\n" in words, words
        for before, after, why in (
                ("-key.pem", "-none.pem", "tls_key"), ("    allow:\n", "    allw:\n", "proxy.yaml:9:5: unknown key 'allw'"),
                ("name: " + WORLD["A_NS_CLIENT_NAME"], "name: .", "is no name"), ("backend: \"", "backend: \"x", "is no IP address"),
                ("    allow:\n", "    identity: http\n    alpn: [http/1.1, h2]\n    allow:\n", "alpn 'h2'")):
            status, words = Proxy(good.replace(before, after)).check()
            assert status == 2 and why in words, (why, words)
        for more, rule, why in (("", "by: pkix", "allow[0]: by pkix needs client_ca"), ("", "by: ca", "rule 1: by 'ca'"),
                                (f'client_ca: {WORLD["B_JS_SERVER"]}.pem, mode: pkix, ca_cert: x', "by: dane", "client_ca is for mode dane"),
                                ("mode: pkix, ca_cert: x", "by: dane", "allow[0]: by dane, in mode pkix"),
                                ("client_ca: /nowhere.pem", "by: pkix", "nowhere.pem"),
                                (f'client_ca: {WORLD["B_JS_SERVER"]}.pem', "by: pkix, usage: 1", "rule 1: by pkix")):
            lines = "".join(f"    {line}\n" for line in more.split(", ") if line)
            status, words = Proxy(listener(WORLD, backend.address, [f"name: .a.example, {rule}"], lines)).check()
            assert status == 2 and why in words, (why, words)
        without = "".join(line for line in good.splitlines(True) if "allow" not in line and "      - " not in line)
        status, words = Proxy(without).check()
        assert status == 2 and "no rule" in words, words
        status, words = Proxy(outbound(WORLD, bind="0.0.0.0:0")).check()
        assert status == 2 and "insecure_bind_anywhere" in words, words

os.environ["PATH"] += ":/usr/sbin"
READERS = [test for test in (nginx_reads_the_header, haproxy_reads_the_header) if shutil.which(test.__name__.split("_")[0])]

with proxylab.world() as (WORLD, lab):
    run(octets_go_through_two_proxies_and_each_way_ends_for_itself, the_backend_is_told_who_it_is_ahead_of_the_first_octet,
        the_backend_is_told_more_or_less_as_it_can_read, *READERS,
        unix_sockets_do_on_both_plain_sides, a_unix_socket_has_the_mode_and_the_group_that_are_configured,
        a_server_that_speaks_first_is_heard, a_cut_is_passed_on_as_a_cut,
        who_does_not_read_is_not_read_from, a_worker_that_dies_is_started_again, what_is_open_may_end_before_the_proxy_does,
        what_does_not_end_is_cut_when_the_time_is_over, idle_and_old_connections_are_closed,
        a_half_closed_connection_waits_its_own_time_and_no_longer, ipv6_does_as_well_and_the_backend_is_told_so,
        an_address_that_is_dead_or_proves_another_key_gives_way_to_the_next, an_address_that_says_nothing_has_its_share_of_the_time,
        each_server_name_has_its_backend_its_certificate_and_its_rules, each_server_name_is_tested_with_its_own_certificate_and_record,
        a_server_is_found_by_srv_and_held_to_the_record_of_its_own_name,
        a_program_that_speaks_tls_alone_is_led_by_the_name_it_asks_for, the_file_says_where_a_program_may_be_led,
        a_setting_that_would_do_nothing_where_it_stands_is_refused_at_its_place,
        what_is_spoken_inside_is_agreed_on_and_the_backend_is_told,
        the_file_is_checked_with_its_credentials)
