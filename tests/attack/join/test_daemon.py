#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Who must not come in at a real Join Server, over real TLS, in the lab's signed DNS: each is refused
for its own reason, by what the log says, and honest peers still pass.

JOIND, SARDANE, RESOLVERD, POSTC and CREDENTIALS in the environment name the programs.
"""
import json, os, pathlib, re, resource, socket, ssl, subprocess, sys, threading, time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "lib"))
import danelab, joinlab
from joinlab import code, run

DEV = "70b3d57ed0000001"

def ready(*more, **words):
    js = danelab.Dane(WORLD, *more, **words)
    js.add_device(DEV, WORLD["A_NET_ID"])
    js.start()
    return js

def me(who):
    return WORLD[who + "_CLIENT_NAME"], WORLD[who + "_CLIENT"]

def refused(js, reason, name=None, cert=None):
    """Refused at the handshake, and the log gives the reason; the line."""
    status, out = js.connect_as(name, cert, "--wait", "60000")
    assert status == 1 and "refused" in out, (status, out)
    return js.said(rf"tls\.refuse .*refusal={reason} ")

def honest(js, nonce):
    got = js.ask("A_NS", js.request(DEV, nonce, WORLD["A_NET_ID"]))
    assert code(got) == "Success", got

def a_client_without_a_certificate_is_refused():
    with ready() as js:
        refused(js, "no-certificate")
        honest(js, 1)

def the_certificate_of_another_is_refused():
    with ready() as js:
        line = refused(js, "no-match", WORLD["A_NS_CLIENT_NAME"], WORLD["A_AS_CLIENT"])
        assert "dnssec=secure" in line and "reason=" in line, line
        honest(js, 1)

def tls_1_2_is_refused():
    with ready() as js:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        try:
            with socket.create_connection((WORLD["B_JS_ADDRESS"], int(WORLD["B_JS_PORT"])), 20) as s, context.wrap_socket(s):
                raise AssertionError("TLS 1.2 was spoken")
        except ssl.SSLError as e:
            assert "PROTOCOL_VERSION" in str(e), e
        assert "unsupported protocol" in js.said(r"tls\.refuse .*refusal=protocol ")
        honest(js, 1)

class Quiet:
    """The server of a zone: it hears questions and answers none."""
    def __enter__(self):
        self.heard, self.socket = [], socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.address = f"127.0.0.1@{self.socket.getsockname()[1]}"
        threading.Thread(target=self.listen, daemon=True).start()
        return self

    def listen(self):
        try:
            while True:
                self.heard.append(self.socket.recv(4096).lower())
        except OSError:
            pass

    def __exit__(self, *why):
        self.socket.close()

def for_a_name_outside_policy_no_dns_question_is_made():
    with Quiet() as zone:
        with ready(clients='  - {name: "_friend.quiet.example", net_id: "00000d"}',
                   stub=f', stub: [{{zone: quiet.example, server: "{zone.address}"}}]') as js:
            line = refused(js, "policy", "_stranger.quiet.example", WORLD["A_NS_CLIENT"])
            assert "tlsa=- " in line and "dnssec=- " in line, line
            # The control: for a name that policy admits the zone's server is asked.
            refused(js, "dns", "_friend.quiet.example", WORLD["A_NS_CLIENT"])
            assert any(b"_friend" in q for q in zone.heard), zone.heard
            assert not any(b"_stranger" in q for q in zone.heard), zone.heard

def a_removed_tlsa_ends_handshakes_sessions_and_open_connections():
    name, cert = me("B_NS")
    with ready("  tickets: true") as js:
        session = str(pathlib.Path(js.dir) / "session")
        status, out = js.connect_as(name, cert, "--session", session)
        assert status == 0 and os.stat(session).st_mode & 0o777 == 0o600, out
        status, out = js.connect_as(name, cert, "--session", session, "--json")
        assert status == 0 and '"resumed":true' in out.replace(" ", ""), out
        stay = subprocess.Popen([os.environ["POSTC"], js.client_config("B_NS"), js.url, "1000", "1", "{}", "100"],
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            js.said(r"request\.refuse .*status=400|request\.refuse .*result=")
            LAB("withdraw", name, "TLSA")
            line = js.said(r"tls\.withdrawn ")
            assert f"peer={name}" in line and "the TLSA was removed" in line, line
        finally:
            stay.kill()
            stay.wait()
        js.log.clear()
        status, out = js.connect_as(name, cert, "--session", session)
        assert status == 1, out
        js.said(r"tls\.refuse .*refusal=no-tlsa ")
        assert not any("tls.accept" in line for line in js.log), js.log
        honest(js, 1)

def half_open(n, source):
    """n connections from an address of loopback; every second one sends the start of a record."""
    held = []
    for i in range(n):
        s = socket.socket()
        s.bind((source, 0))
        s.settimeout(20)
        s.connect((WORLD["B_JS_ADDRESS"], int(WORLD["B_JS_PORT"])))
        if i % 2:
            s.sendall(b"\x16\x03\x01\x02\x00\x01")
        held.append(s)
    return held

def a_thousand_half_open_handshakes_keep_nobody_out():
    with ready() as js:
        held = half_open(1000, "127.0.0.2")
        honest(js, 1)
        held += half_open(1100, "127.0.0.3")   # 1024 is one address' share
        dropped = lambda: sum(int(n) for line in list(js.log) for n in re.findall(r"tls\.flood .*dropped=(\d+)", line))
        until = time.monotonic() + 20
        while dropped() < 76 and time.monotonic() < until:
            time.sleep(0.1)
        assert dropped() == 76, dropped()
        honest(js, 2)
        held += half_open(500, "127.0.0.4")    # above 2048 the oldest give way
        honest(js, 3)
        status, out = js.connect_as(*me("B_AS"))
        assert status == 0, out
        for s in held:
            s.close()
        # To bury so many takes a sanitized server seconds.
        until = time.monotonic() + 40
        while js.connect_as(*me("B_AS"))[0] and time.monotonic() < until:
            pass
        honest(js, 4)

def json_that_is_broken_is_refused_over_tls_too():
    with ready() as js:
        good = json.dumps(js.request(DEV, 1, WORLD["A_NET_ID"]))
        before = js.dump()
        deep = good[:-1] + ',"V":' + "[" * 200 + "]" * 200 + "}"
        for body in ("{", "[]", good[:-5], deep, good[:-1] + ',"DevEUI":"0000000000000000"}', good + "x",
                     good.replace('"1.0"', '"1\xff0"').encode("latin-1"), "@40000"):
            got = js.ask("A_NS", body)
            if isinstance(got, dict):
                assert got.get("Result", {"ResultCode": "MalformedRequest"})["ResultCode"] == "MalformedRequest", got
            else:
                # Too large: the answer, or the connection is gone before the body is.
                assert "ok 413" in got or "ok=0" in got, (body[:80], got)
        assert js.dump() == before
        honest(js, 1)

PKIX = """
database: {{dir}}/js.db
join_server:
  bind: 127.0.0.1:0
  mode: pkix
  tls_cert: {0}/server.pem
  tls_key: {0}/server-key.pem
  ca_cert: {0}/root.pem
clients:
  - {{{{name: ns.a.example, net_id: "010203"}}}}
"""

class Pkix(joinlab.Lab):
    def __init__(self):
        super().__init__()
        subprocess.run([os.environ["CREDENTIALS"], self.dir], check=True)
        pathlib.Path(self.config).write_text(PKIX.format(self.dir).format(dir=self.dir))

    def try_as(self, who, body):
        """The answer, or None when the server refused."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.load_verify_locations(f"{self.dir}/root.pem")
        if who:
            context.load_cert_chain(f"{self.dir}/{who}.pem", f"{self.dir}/{who}-key.pem")
        request = f"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n{body}"
        try:
            with socket.create_connection(("127.0.0.1", self.port), 20) as s, context.wrap_socket(s) as t:
                t.sendall(request.encode())
                got = b""
                while more := t.recv(65536):
                    got += more
        except (ssl.SSLError, ConnectionError):
            return None
        return json.loads(got.split(b"\r\n\r\n", 1)[1])

    def refused(self, who, reason, words=""):
        self.log.clear()
        assert self.try_as(who, "{}") is None
        line = danelab.Dane.said(self, rf"tls\.refuse .*refusal={reason} ")
        assert words in line, line

def in_pkix_mode_chains_are_held_to_date_issuer_and_name():
    with Pkix() as js:
        js.add(DEV)
        js.start()
        assert code(js.try_as("good", json.dumps(js.join_body(DEV, 1)))) == "Success"
        js.refused("old", "chain", "expired")
        js.refused("forged", "chain")
        js.refused("strange", "policy")
        js.refused(None, "no-certificate")
        assert code(js.try_as("good", json.dumps(js.join_body(DEV, 2)))) == "Success"

limits = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (limits[1], limits[1]))
with danelab.world() as (WORLD, LAB):
    run(a_client_without_a_certificate_is_refused, the_certificate_of_another_is_refused, tls_1_2_is_refused,
        for_a_name_outside_policy_no_dns_question_is_made, a_thousand_half_open_handshakes_keep_nobody_out,
        json_that_is_broken_is_refused_over_tls_too, in_pkix_mode_chains_are_held_to_date_issuer_and_name,
        a_removed_tlsa_ends_handshakes_sessions_and_open_connections)
