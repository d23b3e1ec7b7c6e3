#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A network of A and a Join Server of B that know nothing of TLS, DNS or each other's address: a router of A finds B by
the ReceiverID of each message, B's listener holds its SenderID against the proved name.

PROXY, SARDANE, RESOLVERD, JOIND and NETWORKD name the programs. The lab's DNS is real and signed.
"""
import contextlib, json, os, pathlib, re, ssl, subprocess, sys, tempfile, time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "lib"))
import joinlab
import proxylab
from httplab import Web, post
from joinlab import run
from proxylab import Proxy
from routerlab import answer, inbound, join_req, result, router

def a_join_is_found_by_dns_and_passes_unchanged_both_ways():
    with Web(answer) as web, Proxy(inbound(WORLD, web.address)) as b, Proxy(router(WORLD)) as a, a.connect() as s:
        for body in (join_req(WORLD), join_req(WORLD, VSExtension={}), join_req(WORLD, SenderID="0x" + WORLD["A_NET_ID"], TransactionID=2 ** 60)):
            status, octets = post(s, body, "/any/path")
            assert (status, octets) == (200, answer(("", "", [], body))[1]), (status, octets)
            assert web.requests[-1][3] == body and web.requests[-1][0] == "POST", web.requests[-1]
        line = b.said(r"lorawan\.pass at=in type=JoinReq ")
        name = WORLD["A_NS_CLIENT_NAME"].rstrip(".")
        assert f'sender={WORLD["A_NET_ID"]}' in line and f"peer={name}" in line, line
        # One connection to the peer carries them all.
        a.said(r"lorawan\.pass .*kept open", times=2)
        assert not any("PHYPayload" in line or "cde6acb8" in line for line in a.log + b.log)

def other_messages_go_by_table_and_by_net_id():
    with Web(answer) as web:
        table = (f'    routes:\n      - {{net_id: "{WORLD["B_NET_ID"]}", url: "https://{WORLD["B_JS_HOST"]}:{WORLD["B_JS_PORT"]}/"}}\n'
                 f'      - {{as_id: as.b.example, url: "https://{WORLD["B_JS_HOST"]}:{WORLD["B_JS_PORT"]}/"}}\n')
        with Proxy(inbound(WORLD, web.address)), Proxy(router(WORLD, more=table, found=False)) as a, a.connect() as s:
            for kind, to in (("PRStartReq", WORLD["B_NET_ID"]), ("PRStopReq", "0x" + WORLD["B_NET_ID"]), ("XmitDataReq", "as.b.example"),
                             ("ProfileReq", WORLD["B_NET_ID"])):
                assert result(post(s, join_req(WORLD, MessageType=kind, ReceiverID=to))) == "Success"
            assert len(web.requests) == 4
            # An answer that comes by itself passes too.
            status, _ = post(s, join_req(WORLD, MessageType="PRStartAns", ReceiverID=WORLD["B_NET_ID"]))
            assert status == 200 and len(web.requests) == 5

def who_cannot_be_reached_is_answered_for():
    with Web(lambda request: (500, b"oops")) as web, Proxy(inbound(WORLD, web.address)), Proxy(router(WORLD)) as a, a.connect() as s:
        asked = join_req(WORLD, ReceiverID="ffffffffffffffff", SenderToken="ab")
        status, octets = post(s, asked)
        m = json.loads(octets)
        assert status == 200 and m["Result"]["ResultCode"] == "UnkownReceiver" and m["MessageType"] == "JoinAns", m
        assert m["SenderID"] == "ffffffffffffffff" and m["ReceiverID"] == WORLD["A_NET_ID"] and m["TransactionID"] == 3735928559, m
        assert m["ReceiverToken"] == "ab", m
        assert result(post(s, join_req(WORLD, ReceiverID="ffffffffffffffff", ProtocolVersion="1.1"))) == "UnknownReceiver"
        assert result(post(s, join_req(WORLD, MessageType="XmitDataReq", ReceiverID="nobody.example"))) == "UnkownReceiver"
        # B is there, and what is behind it is not well; A has nobody listening.
        assert result(post(s, join_req(WORLD))) == "Other"
        assert result(post(s, join_req(WORLD, ReceiverID=WORLD["A_JOIN_EUI"]))) == "Other"
        status, _ = post(s, join_req(WORLD, MessageType="JoinAns", ReceiverID="ffffff"))
        assert status == 502, status

def a_message_has_the_size_and_the_time_that_are_configured():
    more = "    body_max: 600\n    request_timeout: 3\n    answer_timeout: 3\n"
    with Web(lambda request: time.sleep(6) or answer(request)) as web, Proxy(inbound(WORLD, web.address)), \
            Proxy(router(WORLD, more=more) + "status: unix:DIR/status\n") as a:
        with a.connect() as s:
            assert post(s, join_req(WORLD, VSExtension={"x": "y" * 600}))[0] == 413
        with a.connect() as s:
            assert result(post(s, join_req(WORLD))) == "Other"
        assert proxylab.is_turned_away(a, b"POST / HTTP/1.1\r\n")
        counts = proxylab.metrics(a)
        assert counts['accepts_total{at="out",side="outbound"}'] == 3, counts
        for limit in ("body_max", "request_timeout", "answer_timeout"):
            assert counts[f'limit_refusals_total{{at="out",side="outbound",limit="{limit}"}}'] == 1, (limit, counts)

def a_result_is_read_whatever_status_brought_it():
    with Web(lambda request: (400, answer(request)[1])) as web, Proxy(inbound(WORLD, web.address)), Proxy(router(WORLD)) as a, a.connect() as s:
        assert result(post(s, join_req(WORLD))) == "Success"

JS = """database: {dir}/js.db
join_server:
  bind: 127.0.0.1:0
  insecure_plain: true
clients:
  - {{name: the.proxy.beside.us, net_id: "NET_ID"}}
"""

@contextlib.contextmanager
def network_server(top, join_server):
    """A's Network Server, which knows one plain URL and no certificate, and asks no DNS; its port for gateways."""
    config = pathlib.Path(top, "ns.yaml")
    config.write_text(f'net_id: "{WORLD["A_NET_ID"]}"\ndatabase: {top}/ns.db\nsemtech_udp:\n  bind: 127.0.0.1:0\nnetwork:\n  device_status_interval: 0s\n'
                      f'join_server:\n  insecure_plain: true\n  default:\n    server: {join_server}\n'
                      'resolver: {helper: /nonexistent/resolverd}\n')
    with open(f"{top}/ns.log", "w") as log, subprocess.Popen([os.environ["NETWORKD"], "-c", config], stderr=log) as server:
        try:
            until = time.monotonic() + 20
            while not (ready := re.search(r"networkd\.ready .*port=(\d+)", pathlib.Path(log.name).read_text())):
                assert server.poll() is None and time.monotonic() < until, pathlib.Path(log.name).read_text()
                time.sleep(0.02)
            yield ready[1]
        finally:
            server.terminate()
        assert server.wait(20) == 0

def an_as_id_is_its_own_host_where_a_rule_says_so():
    port = WORLD["B_JS_PORT"]
    more = f'    as_id_port: {port}\n    allow:\n      - name: {WORLD["B_JS_HOST"]}\n'
    with Web(answer) as web, Proxy(inbound(WORLD, web.address)), Proxy(router(WORLD, more=more, found=False)) as a, a.connect() as s:
        for to in (WORLD["B_JS_HOST"], WORLD["B_JS_HOST"].upper() + "."):
            assert result(post(s, join_req(WORLD, MessageType="XmitDataReq", ReceiverID=to))) == "Success", to
        assert len(web.requests) == 2
        a.said(rf'lorawan\.pass at=out type=XmitDataReq sender={WORLD["A_NET_ID"]} receiver={WORLD["B_JS_HOST"]} ')

def devices_join_between_servers_that_speak_plain_http_to_their_proxies_alone():
    with joinlab.Lab(JS.replace("NET_ID", WORLD["A_NET_ID"])) as js, tempfile.TemporaryDirectory() as top:
        devices = ["--device-file", f"{top}/devices", "--state", f"{top}/state", "--net-id", WORLD["A_NET_ID"]]
        for words in (["simulate", "--write-devices", f"{top}/devices", "--devices", "2", "--join-eui", WORLD["B_JOIN_EUI"], "--lorawan-version", "1.1.0"],
                      ["device", "import", f"{top}/devices", "--config", js.config, "--net-id", WORLD["A_NET_ID"]]):
            got = js.sardane(*words)
            assert got.returncode == 0, got.stderr
        js.start()
        with Proxy(inbound(WORLD, f"127.0.0.1:{js.port}")) as b, Proxy(router(WORLD)) as a, network_server(top, f'http://127.0.0.1:{a.port("out")}/') as port:
            got = js.sardane("simulate", "--server", f"127.0.0.1:{port}", *devices, "--uplinks", "1", "--confirmed")
            assert got.returncode == 0 and "2 joined" in got.stdout, got
            a.said(r"lorawan\.pass at=out type=JoinReq .*result=passed", times=2)
            line = b.said(r"lorawan\.pass at=in type=JoinReq .*result=passed", times=2)
            assert f'sender={WORLD["A_NET_ID"]}' in line and f'peer={WORLD["A_NS_CLIENT_NAME"].rstrip(".")}' in line, line

def openssl(*words):
    subprocess.run(["openssl", *words], check=True, capture_output=True)

def certificates(top):
    """A CA beside The Things Stack, its server's certificate, and one for each NetID."""
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{top}/ca-key.pem", "-out", f"{top}/ca.pem",
            "-subj", "/CN=ca", "-days", "2")
    for name, san, use in (("tts", "tts.b.example", "serverAuth"), ("a", "ns.a.example", "clientAuth"), ("c", "ns.c.example", "clientAuth")):
        pathlib.Path(top, "ext").write_text(f"subjectAltName=DNS:{san}\nextendedKeyUsage={use}\nbasicConstraints=CA:FALSE\n")
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{top}/{name}-key.pem", "-out", f"{top}/{name}.csr",
                "-subj", f"/CN={san}")
        openssl("x509", "-req", "-in", f"{top}/{name}.csr", "-CA", f"{top}/ca.pem", "-CAkey", f"{top}/ca-key.pem", "-days", "2", "-extfile",
                f"{top}/ext", "-out", f"{top}/{name}.pem")

def a_backend_that_knows_certificates_gets_the_one_of_the_net_id():
    with tempfile.TemporaryDirectory() as top:
        certificates(top)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(f"{top}/tts.pem", f"{top}/tts-key.pem")
        context.load_verify_locations(f"{top}/ca.pem")
        context.verify_mode = ssl.CERT_REQUIRED
        rule = [f'name: {WORLD["A_NS_CLIENT_NAME"]}, net_id: "00000C"', f'name: {WORLD["A_NS_CLIENT_NAME"]}, net_id: "00000D"']
        with Web(answer, context) as web:
            more = (f'    backend_tls:\n      name: tts.b.example\n      ca_cert: {top}/ca.pem\n      certificates:\n'
                    f'        - {{net_id: "{WORLD["A_NET_ID"]}", tls_cert: {top}/a.pem, tls_key: {top}/a-key.pem}}\n'
                    f'        - {{net_id: "00000C", tls_cert: {top}/c.pem, tls_key: {top}/c-key.pem}}\n')
            with Proxy(inbound(WORLD, web.address, rule, more)) as b, Proxy(router(WORLD)) as a, a.connect() as s:
                for sender, san in ((WORLD["A_NET_ID"], "ns.a.example"), ("00000C", "ns.c.example"), (WORLD["A_NET_ID"], "ns.a.example")):
                    assert result(post(s, join_req(WORLD, SenderID=sender))) == "Success"
                    assert web.peers[-1]["subjectAltName"] == (("DNS", san),), web.peers[-1]
                assert result(post(s, join_req(WORLD, SenderID="00000D"))) == "UnknownSender" and len(web.requests) == 3
            # Another server than the one named is told nothing.
            with Proxy(inbound(WORLD, web.address, rule, more.replace("tts.b.example", "other.b.example"))), Proxy(router(WORLD)) as a, a.connect() as s:
                assert result(post(s, join_req(WORLD))) == "Other" and len(web.requests) == 3

def the_keys_of_the_router_are_checked():
    wrong = {
        router(WORLD, found=False): "need routes",
        router(WORLD, more="    body_max: 65537\n"): "body_max above",
        "spin_us: 1001\n" + router(WORLD): "spin_us above 1000",
        router(WORLD, more="    as_id_port: 8005\n"): "no rule",
        router(WORLD, more='    routes:\n      - {net_id: "13", url: "https://a.example/"}\n'): "routes[0]: net_id '13'",
        router(WORLD, more='    routes:\n      - {net_id: "000013", url: "http://127.0.0.1/"}\n'): "need https",
        router(WORLD, more='    allow:\n      - {name: a.example, net_id: "000013"}\n'): "unknown key 'net_id'",
        inbound(WORLD, "192.0.2.1:80"): "only loopback",
        inbound(WORLD, "127.0.0.1:80", ['name: a.example, net_id: "000013", usage: 3']): "no usage",
        inbound(WORLD, "127.0.0.1:80", more="    backend_tls: {name: a.example}\n"): "backend_tls: need",
        inbound(WORLD, "127.0.0.1:80", ['name: a.example, net_id: "13"']): "13",
    }
    for config, why in wrong.items():
        status, words = Proxy(config).check()
        assert status == 2 and why in words, (why, words)

with proxylab.world() as (WORLD, lab):
    run(a_join_is_found_by_dns_and_passes_unchanged_both_ways, an_as_id_is_its_own_host_where_a_rule_says_so, other_messages_go_by_table_and_by_net_id,
        devices_join_between_servers_that_speak_plain_http_to_their_proxies_alone, who_cannot_be_reached_is_answered_for, a_message_has_the_size_and_the_time_that_are_configured, a_result_is_read_whatever_status_brought_it,
        a_backend_that_knows_certificates_gets_the_one_of_the_net_id, the_keys_of_the_router_are_checked)
