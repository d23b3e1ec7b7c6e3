#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Who must not come in at a real sardane-proxy, or be spoken to by it, over real TLS in the lab's
signed DNS: each is refused for its own reason, and the program behind the proxy never hears of it.

PROXY, SARDANE and RESOLVERD in the environment name the programs.
"""
import contextlib, os, pathlib, re, resource, socket, ssl, subprocess, sys, tempfile, threading, time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "lib"))
import proxylab, proxyload
from joinlab import run
from proxylab import Echo, Proxy, Zone, exchange, is_cut, listener, outbound, receive, stubbed, tlvs

NONE = "    identity: none\n"
SERVFAIL = 2

def connect_as(name=None, cert=None, *options):
    """(exit, output) of sardane connect to B's listener; cert is a prefix of files."""
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as settings:
        settings.write(proxylab.resolver(WORLD))
        settings.flush()
        me = ["--client-name", name, "--cert", cert + ".pem", "--key", cert + "-key.pem"] if name else []
        got = subprocess.run([os.environ["SARDANE"], "connect", f'{WORLD["B_JS_HOST"]}:{WORLD["B_JS_PORT"]}', "--resolver", settings.name,
                              *me, *options], capture_output=True, text=True, timeout=100)
    return got.returncode, got.stdout + got.stderr

def refused(b, reason, name=None, cert=None, *options):
    """Refused in the handshake, and the log gives the reason; the line."""
    status, out = connect_as(name, cert, "--wait", "60000", *options)
    assert status == 1 and "refused" in out, (status, out)
    return b.said(rf"tls\.refuse .*refusal={reason} ")

def honest():
    with Proxy(outbound(WORLD)) as a, a.connect() as s:
        assert exchange(s, b"honest") == b"honest"

def who_is_not_proved_reaches_no_backend():
    with Echo() as backend, Proxy(listener(WORLD, backend.address, more=NONE)) as b:
        refused(b, "no-certificate")
        refused(b, "no-match", WORLD["A_NS_CLIENT_NAME"], WORLD["A_AS_CLIENT"])
        refused(b, "policy", WORLD["B_NS_CLIENT_NAME"], WORLD["B_NS_CLIENT"])
        with socket.create_connection((WORLD["B_JS_ADDRESS"], int(WORLD["B_JS_PORT"])), 20) as s:
            s.sendall(b"GET / HTTP/1.1\r\n\r\n")
            b.said(r"tls\.refuse .*refusal=protocol ")
        assert backend.count == 0, backend.count
        honest()
        assert backend.count == 1, backend.count

def tls_1_2_is_refused():
    with Echo() as backend, Proxy(listener(WORLD, backend.address, more=NONE)) as b:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        try:
            with socket.create_connection((WORLD["B_JS_ADDRESS"], int(WORLD["B_JS_PORT"])), 20) as s, context.wrap_socket(s):
                raise AssertionError("TLS 1.2 was spoken")
        except ssl.SSLError as e:
            assert "PROTOCOL_VERSION" in str(e), e
        assert "unsupported protocol" in b.said(r"tls\.refuse .*refusal=protocol ")
        assert backend.count == 0

def for_a_name_outside_the_rules_no_dns_question_is_made():
    with Zone(rcode=SERVFAIL) as zone, Echo() as backend:
        rules = [f'name: {WORLD["A_NS_CLIENT_NAME"]}', 'name: "_friend.quiet.example"']
        with Proxy(stubbed(listener(WORLD, backend.address, rules, NONE), quiet=zone)) as b:
            line = refused(b, "policy", "_stranger.quiet.example", WORLD["A_NS_CLIENT"])
            assert "tlsa=- " in line and "dnssec=- " in line, line
            # The control: for a name that a rule admits the zone's server is asked.
            refused(b, "dns", "_friend.quiet.example", WORLD["A_NS_CLIENT"])
            assert any(b"_friend" in q for q in zone.heard), zone.heard
            assert not any(b"_stranger" in q for q in zone.heard), zone.heard

def pin_of(cert):
    """The SHA-256 of the key, as TLSA 3 1 1 has it."""
    got = subprocess.run([os.environ["SARDANE"], "tlsa", "generate", "--cert", cert + ".pem"], capture_output=True, text=True, check=True)
    return got.stdout.split()[-1]

def a_rule_is_about_one_name_or_all_below_it_or_one_label_more_and_no_other():
    name, own = WORLD["A_NS_CLIENT_NAME"].rstrip("."), WORLD["A_NS_CLIENT"]
    parent = name.split(".", 1)[1]
    above = parent.split(".", 1)[1]
    with Echo() as backend:
        near = [parent, above, f"*.{above}", f".{name}", f"*.{name}", f"x{name}", name[1:], f"{name}.{above}"]
        with Proxy(listener(WORLD, backend.address, [f'name: "{n}"' for n in near], NONE)) as b:
            assert "tlsa=- " in refused(b, "policy", name, own)
        for n in (name.upper(), f".{above}", f"*.{parent}"):
            with Proxy(listener(WORLD, backend.address, [f'name: "{n}"'], NONE)):
                honest()
        assert backend.count == 3, backend.count

def a_key_or_a_proof_that_no_rule_allows_is_refused():
    me, pin = f'name: {WORLD["A_NS_CLIENT_NAME"]}', pin_of(WORLD["A_NS_CLIENT"])
    other = "0" * 64
    for rules in ([f"{me}, usage: 2"], [f'{me}, spki_sha256: "{other}"'], [f'{me}, usage: 3, spki_sha256: "{other}"', f'name: .b.example, spki_sha256: "{pin}"']):
        with Echo() as backend, Proxy(listener(WORLD, backend.address, rules, NONE)) as b:
            line = refused(b, "policy", WORLD["A_NS_CLIENT_NAME"], WORLD["A_NS_CLIENT"])
            assert "no rule allows this key" in line and backend.count == 0, line
    with Echo() as backend, Proxy(listener(WORLD, backend.address, [f'{me}, usage: 3, spki_sha256: "{pin}"'], NONE)):
        honest()

def published(name, key="B_JS_SERVER"):
    """name:port at B's address, with the key of one of B's servers."""
    LAB("publish", f'_{WORLD["B_JS_PORT"]}._tcp.{name}', "TLSA", "3", "1", "1", pin_of(WORLD[key]))
    LAB("publish", name, "A", WORLD["B_JS_ADDRESS"])
    return f'{name}:{WORLD["B_JS_PORT"]}'

def names(**backends):
    """{server name: its backend} as the listener's names, each for A's Application Server alone."""
    return "    names:\n" + "".join(f"""      - name: {name}.b.example
        backend: "{backend.address}"
        allow: [{{name: {WORLD["A_AS_CLIENT_NAME"]}}}]
""" for name, backend in backends.items())

def who_may_come_in_by_one_server_name_does_not_by_another():
    inner = published("inner.b.example")
    with Echo() as outside, Echo() as inside, Proxy(listener(WORLD, outside.address, more=NONE + names(inner=inside))) as b:
        for who, to, reason in (("A_NS", inner, "policy"), ("A_AS", None, "policy")):
            with Proxy(outbound(WORLD, to=to, who=who)) as a:
                assert proxylab.is_turned_away(a, b"secret")
            assert "tlsa=- " in b.said(rf"tls\.refuse .*peer={WORLD[who + '_CLIENT_NAME']} .*refusal={reason} ")
        assert (outside.count, inside.count) == (0, 0)
        for who, to in (("A_AS", inner), ("A_NS", None)):
            with Proxy(outbound(WORLD, to=to, who=who)) as a, a.connect() as s:
                assert exchange(s, b"honest") == b"honest"
        assert (outside.count, inside.count) == (1, 1)

def extension(kind, octets):
    return kind.to_bytes(2, "big") + len(octets).to_bytes(2, "big") + octets

def client_hello(name, share):
    """A record: TLS 1.3, X25519 with this key share or none."""
    host = name.encode()
    extensions = extension(43, b"\2\3\4") + extension(10, b"\0\2\0\x1d") + extension(13, b"\0\2\4\3")
    shares = b"\0\x1d" + len(share).to_bytes(2, "big") + share if share else b""
    extensions += extension(51, len(shares).to_bytes(2, "big") + shares)
    if name:
        extensions += extension(0, (len(host) + 3).to_bytes(2, "big") + b"\0" + len(host).to_bytes(2, "big") + host)
    body = b"\3\3" + bytes(32) + b"\0" + b"\0\2\x13\1" + b"\1\0" + len(extensions).to_bytes(2, "big") + extensions
    message = b"\1" + len(body).to_bytes(3, "big") + body
    return b"\x16\3\1" + len(message).to_bytes(2, "big") + message

def record(s):
    """The type and the octets of the next record that says something."""
    kind = CHANGE_CIPHER_SPEC
    while kind == CHANGE_CIPHER_SPEC:
        head = receive(s, 5)
        kind, octets = head[0], receive(s, int.from_bytes(head[3:5], "big"))
    return kind, octets

def hello(s, name, share=bytes(31) + b"\x09"):
    """What the server says to a ClientHello: the name of its message, or its alert's number."""
    s.sendall(client_hello(name, share))
    kind, octets = record(s)
    if kind == 21:
        return octets[1]
    assert kind == 22 and octets[0] == 2, (kind, octets)
    return "retry" if octets[6:38].hex().startswith("cf21ad74") else "hello"

def name_answer(s, first, second):
    """The same to two ClientHellos, the first without a key share."""
    got = hello(s, first, b"")
    return got if got != "retry" else hello(s, second)

def b_listens():
    return socket.create_connection((WORLD["B_JS_ADDRESS"], int(WORLD["B_JS_PORT"])), 20)

UNRECOGNIZED_NAME, ILLEGAL_PARAMETER, CHANGE_CIPHER_SPEC = 112, 47, 20

def the_second_client_hello_asks_for_no_other_server():
    with Echo() as e, Proxy(listener(WORLD, e.address, more=NONE + names(inner=e, other=e))) as b:
        for first, second, answer in (("inner.b.example", "inner.b.example", "hello"), ("inner.b.example", "other.b.example", ILLEGAL_PARAMETER),
                                      ("inner.b.example", "", ILLEGAL_PARAMETER), ("", "inner.b.example", ILLEGAL_PARAMETER)):
            with b_listens() as s:
                got = name_answer(s, first, second)
                assert got == answer, (first, second, got)
        b.said(r"tls\.refuse .*refusal=server-name .*second ClientHello", times=3)

def who_asks_for_no_name_of_ours_is_refused_where_one_is_required():
    with Echo() as e, Proxy(listener(WORLD, e.address, more=NONE + "    sni_required: true\n" + names(inner=e))) as b:
        for name, answer in (("inner.b.example", "hello"), (WORLD["B_JS_HOST"], "hello"), ("", UNRECOGNIZED_NAME), ("b.example", UNRECOGNIZED_NAME),
                             ("x.inner.b.example", UNRECOGNIZED_NAME), ("*.b.example", UNRECOGNIZED_NAME), ("inner.b.example\0", UNRECOGNIZED_NAME)):
            with b_listens() as s:
                got = hello(s, name)
                assert got == answer, (name, got)
        b.said(r"tls\.refuse .*refusal=server-name ", times=5)
        honest()
    # Where none is, they meet the listener itself.
    with Echo() as e, Proxy(listener(WORLD, e.address, more=NONE + names(inner=e))), b_listens() as s:
        assert hello(s, "") == "hello"

def a_program_beside_us_is_led_nowhere_but_where_a_rule_says():
    with Zone(rcode=SERVFAIL) as zone, tempfile.TemporaryDirectory() as top, Echo() as backend, Proxy(listener(WORLD, backend.address, more=NONE)):
        ca, keys = proxylab.local_certificate(top, "*.quiet.example", "quiet.example", WORLD["B_JS_HOST"])
        rules = f'    allow: [{{name: "*.quiet.example"}}, {{name: {WORLD["B_JS_HOST"]}}}]\n'
        with Proxy(stubbed(outbound(WORLD, to=f'sni:{WORLD["B_JS_PORT"]}', more=keys + rules), quiet=zone)) as a:
            for name in ("quiet.example", "a.b.quiet.example", WORLD["B_AS_HOST"], "*.quiet.example", "quiet.example.b.example", "127.0.0.1", ""):
                with a.connect() as s:
                    assert hello(s, name) == UNRECOGNIZED_NAME, name
            for first, second in (("friend.quiet.example", "quiet.example"), ("", "friend.quiet.example")):
                with a.connect() as s:
                    assert name_answer(s, first, second) == UNRECOGNIZED_NAME, (first, second)
            a.said(r"tls\.refuse .*refusal=server-name .*no server here has the name asked for", times=9)
            with a.connect() as s:
                s.sendall(b"GET / HTTP/1.1\r\n\r\n")
                a.said(r"tls\.refuse .*refusal=protocol ")
            assert zone.heard == [], zone.heard
            with proxylab.speaks_tls(a.connect(), WORLD["B_JS_HOST"], ca) as s:
                s.sendall(b"honest")
                assert receive(s, 6) == b"honest"
            # The control: for a name that a rule admits the zone's server is asked.
            with proxylab.speaks_tls(a.connect(), "friend.quiet.example", ca) as s:
                assert is_cut(s)
            assert any(b"friend" in q for q in zone.heard), zone.heard
        assert backend.count == 1

def a_thousand_that_say_an_octet_at_the_same_time_hold_up_nobody():
    with Echo() as backend, Proxy(listener(WORLD, backend.address, more=NONE)), Proxy(outbound(WORLD)) as a:
        proxyload.honest(a)
        with proxyload.Flood(WORLD, 500 if os.environ.get("SARDANE_SANITIZED") else 1000, answered=True):
            for _ in range(20):
                proxyload.honest(a)

def what_a_client_sends_first_is_no_header_of_ours():
    forged = proxylab.SIGNATURE + b"\x21\x11\0\x0c" + bytes(12)
    with Echo(head=True) as backend, Proxy(listener(WORLD, backend.address)), Proxy(outbound(WORLD)) as a:
        with a.connect() as s:
            assert exchange(s, forged) == forged
        assert socket.inet_ntoa(backend.heads[0][20:24]) == WORLD["B_JS_ADDRESS"], backend.heads

def names_that_a_client_writes_into_its_certificate_are_not_told():
    with tempfile.TemporaryDirectory() as top, Echo(head=True) as backend:
        name = "_evil.ns.a.example"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                        "-subj", "/CN=admin.b.example", "-addext", "subjectAltName=DNS:admin.b.example",
                        "-keyout", top + "/evil-key.pem", "-out", top + "/evil.pem"], check=True, capture_output=True)
        LAB("publish", name, "TLSA", "3", "1", "1", pin_of(top + "/evil"))
        evil = dict(WORLD, EVIL_CLIENT=top + "/evil", EVIL_CLIENT_NAME=name)
        with Proxy(listener(WORLD, backend.address, ["name: .a.example"])), Proxy(outbound(evil, who="EVIL")) as a:
            with a.connect() as s:
                assert exchange(s, b"hello") == b"hello"
        head, = backend.heads
        assert b"admin" not in head and tlvs(tlvs(head[28:])[0x20][5:])[0x22] == name.encode(), head

def who_is_not_the_server_asked_for_hears_nothing():
    impostor = dict(WORLD, B_JS_SERVER=WORLD["B_AS_SERVER"])
    with Echo() as backend, Proxy(listener(impostor, backend.address, more=NONE)), Proxy(outbound(WORLD)) as a:
        assert proxylab.is_turned_away(a, b"secret")
        line = a.said(r"proxy\.end ")
        assert "verdict=refused" in line and "no matching DANE TLSA records" in line, line
        assert backend.count == 0, backend.count

def open_pair(a):
    s = a.connect()
    s.sendall(b"x")
    assert receive(s, 1) == b"x"
    return s

@contextlib.contextmanager
def again(owner, pin):
    """Within, a TLSA may be withdrawn; it is there again afterwards, also when a sentence fails."""
    try:
        yield
    finally:
        LAB("publish", owner, "TLSA", "3", "1", "1", pin)

def a_removed_tlsa_closes_what_is_open_from_either_side():
    name, cert = WORLD["B_NS_CLIENT_NAME"], WORLD["B_NS_CLIENT"]
    owner, record = f'_{WORLD["B_JS_PORT"]}._tcp.{WORLD["B_JS_HOST"]}', pin_of(WORLD["B_JS_SERVER"])
    rules = [f"name: {name}", f'name: {WORLD["A_NS_CLIENT_NAME"]}']
    with again(name, pin_of(cert)), again(owner, record), Echo() as backend:
        with Proxy(listener(WORLD, backend.address, rules, NONE)) as b, Proxy(outbound(WORLD, who="B_NS")) as a, open_pair(a) as s:
            LAB("withdraw", name, "TLSA")
            assert is_cut(s, 60)
            line = b.said(r"tls\.withdrawn ")
            assert f"peer={name}" in line and "the TLSA was removed" in line, line
            assert "the TLSA was removed" in b.said(r"proxy\.end ")
            # Told, not only cut: the other proxy read close_notify.
            s.close()
            assert "cut" not in a.said(r"proxy\.end "), a.log
            proxyload.until(lambda: backend.ends == ["reset"])
        with Proxy(listener(WORLD, backend.address, rules, NONE)) as b, Proxy(outbound(WORLD, more="    grace: 0\n")) as a, open_pair(a) as s:
            LAB("withdraw", owner, "TLSA")
            assert is_cut(s, 60)
            line = a.said(r"tls\.withdrawn ")
            assert f'peer={WORLD["B_JS_HOST"]}' in line and "the TLSA was removed" in line, line
            assert "the TLSA was removed" in a.said(r"proxy\.end ")
            assert "cut" not in b.said(r"proxy\.end "), b.log

def asks_for(question):
    """The type that a question of DNS asks for."""
    at = 12
    while question[at]:
        at += 1 + question[at]
    return int.from_bytes(question[at + 1:at + 3], "big")

class Outage:
    """The lab's DNS by another address. While .silent it has no word about TLSA and SERVFAIL about addresses; keys it
    tells on, without which what it said last would be bogus, and that is no outage."""
    ADDRESSES, TLSA = (1, 28), 52

    def __enter__(self):
        self.silent, self.to = False, (WORLD["LAB_DNS_ADDRESS"], int(WORLD["LAB_DNS_PORT"]))
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        threading.Thread(target=self.serve, daemon=True).start()
        return self

    def serve(self):
        with contextlib.suppress(OSError):
            while True:
                question, asker = self.socket.recvfrom(4096)
                kind = asks_for(question)
                if self.silent and kind in self.ADDRESSES:
                    self.socket.sendto(question[:2] + bytes([0x84 | question[2] & 1, SERVFAIL]) + question[4:], asker)
                elif not self.silent or kind != self.TLSA:
                    threading.Thread(target=self.ask, args=(question, asker), daemon=True).start()

    def ask(self, question, asker):
        with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.settimeout(5)
            s.sendto(question, self.to)
            self.socket.sendto(s.recv(65535), asker)

    def through(self, config, more=""):
        port = self.socket.getsockname()[1]
        return config.replace(f'forward: ["{self.to[0]}@{self.to[1]}"]', f'forward: ["127.0.0.1@{port}"]{more}')

    def __exit__(self, *why):
        self.socket.close()

def in_an_outage_a_peer_is_believed_within_bounds_until_dns_speaks_again():
    stale, me = ", serve_stale_s: 600", WORLD["B_NS_CLIENT_NAME"]
    rules = [f"name: {me}", "name: .a.example"]
    with again(me, pin_of(WORLD["B_NS_CLIENT"])), Outage() as dns, Echo() as backend, \
            Proxy(dns.through(listener(WORLD, backend.address, rules, NONE), stale)) as b, Proxy(dns.through(outbound(WORLD, who="B_NS"), stale)) as a, \
            Proxy(dns.through(outbound(WORLD, who="A_NS", more="status: unix:DIR/status\n"))) as usual:
        with open_pair(a) as before, open_pair(usual) as lost:
            dns.silent = True
            b.said(rf"resolver\.stale name={me} ")
            a.said(r"resolver\.stale name=_\S+ type=TLSA ")
            with open_pair(a) as s:
                assert "dnssec=secure-stale" in b.said(rf"tls\.accept .*peer={me} .*secure-stale ")
                assert len([line for line in b.log if f"resolver.stale name={me} " in line]) == 1, b.log
                # By default an outage lets nobody in, and lets nobody stay.
                assert is_cut(lost, 60) and "could not be had again" in usual.said(r"tls\.withdrawn "), usual.log
                m = proxylab.metrics(usual)
                assert [m[f'{name}_total{{at="out",side="outbound"}}'] for name in ("unanswered", "withdrawn", "expired")] == [1, 0, 0], m
                assert proxylab.is_turned_away(usual)
                # Nor one who was not there before.
                assert "refusal=dns" in refused(b, "dns", WORLD["A_AS_CLIENT_NAME"], WORLD["A_AS_CLIENT"])
                LAB("withdraw", me, "TLSA")
                before.sendall(b"y")
                assert receive(before, 1) == b"y"
                dns.silent = False
                assert is_cut(s, 60) and is_cut(before, 60)
                assert "the TLSA was removed" in b.said(r"tls\.withdrawn ")
                b.said(rf"resolver\.stale_end name={me} .*status=\"secure-denial")

def grace_is_as_long_as_it_says():
    name = WORLD["B_NS_CLIENT_NAME"]
    with again(name, pin_of(WORLD["B_NS_CLIENT"])), Echo() as backend, \
            Proxy(listener(WORLD, backend.address, [f"name: {name}"], NONE + "    grace: 600\n")) as b:
        with Proxy(outbound(WORLD, who="B_NS")) as a, open_pair(a) as s:
            LAB("withdraw", name, "TLSA")
            time.sleep(5)
            s.sendall(b"y")
            assert receive(s, 1) == b"y" and not any("tls.withdrawn" in line for line in b.log)
        # To come in anew it does not help.
        assert "refusal=no-tlsa" in refused(b, "no-tlsa", name, WORLD["B_NS_CLIENT"])

resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
with proxylab.world() as (WORLD, LAB):
    run(who_is_not_proved_reaches_no_backend, tls_1_2_is_refused, for_a_name_outside_the_rules_no_dns_question_is_made,
        a_rule_is_about_one_name_or_all_below_it_or_one_label_more_and_no_other, a_key_or_a_proof_that_no_rule_allows_is_refused, who_may_come_in_by_one_server_name_does_not_by_another,
        the_second_client_hello_asks_for_no_other_server, who_asks_for_no_name_of_ours_is_refused_where_one_is_required,
        a_program_beside_us_is_led_nowhere_but_where_a_rule_says, a_thousand_that_say_an_octet_at_the_same_time_hold_up_nobody, what_a_client_sends_first_is_no_header_of_ours,
        names_that_a_client_writes_into_its_certificate_are_not_told, who_is_not_the_server_asked_for_hears_nothing,
        a_removed_tlsa_closes_what_is_open_from_either_side, in_an_outage_a_peer_is_believed_within_bounds_until_dns_speaks_again, grace_is_as_long_as_it_says)
