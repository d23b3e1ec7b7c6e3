#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a proved peer must not do to a LoRaWAN server behind sardane-proxy, and where a router must not be led.

PROXY, SARDANE and RESOLVERD in the environment name the programs.
"""
import os, pathlib, subprocess, sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "lib"))
import calab, proxylab
from httplab import Web, post
from joinlab import run
from proxylab import Proxy, Zone, by_certificate, outbound, stubbed
from routerlab import answer, inbound, join_req, result, router

SERVFAIL = 2

def direct(a, body, more=""):
    """What B's listener says to a message of A's, through a tunnel that reads nothing of it."""
    with a.connect() as s:
        return post(s, body, more=more)

def a_sender_id_that_is_not_its_own_reaches_no_backend():
    with Web(answer) as web, Proxy(inbound(WORLD, web.address)) as b, Proxy(outbound(WORLD)) as a:
        for sender in (WORLD["B_NET_ID"], "0x" + WORLD["B_NET_ID"], "ffffff", WORLD["B_JOIN_EUI"], "as.b.example", "example", "a.example.b.example"):
            assert result(direct(a, join_req(WORLD, SenderID=sender))) == "UnknownSender", sender
        assert direct(a, join_req(WORLD, SenderID=WORLD["B_NET_ID"], MessageType="PRStartAns", ReceiverID=WORLD["A_NET_ID"]))[0] == 403
        # An AS-ID that looks like a NetID of its own.
        assert result(direct(a, join_req(WORLD, MessageType="AppSKeyReq"))) == "UnknownSender"
        b.said(r"lorawan\.refuse .*result=UnknownSender", times=9)
        assert web.requests == [], web.requests
        assert result(direct(a, join_req(WORLD))) == "Success" and len(web.requests) == 1

def certified(cert, body):
    """The same to a message of a client that knows no DANE."""
    with by_certificate(WORLD, cert) as s:
        return post(s, body)

def an_id_is_granted_by_a_rule_for_the_proof_that_was_given():
    me, net_id = WORLD["A_NS_CLIENT_NAME"], WORLD["B_NET_ID"]
    with calab.Authority() as ca, Web(answer) as web, Proxy(outbound(WORLD)) as a:
        cert, own = ca.leaf("me", f"DNS:{me}"), join_req(WORLD, SenderID=net_id)
        rules = [f"name: {me}", f'name: {me}, by: pkix, net_id: "{net_id}"']
        with Proxy(inbound(WORLD, web.address, rules, f"    client_ca: {ca.pem}\n")):
            assert result(direct(a, own)) == "UnknownSender" and web.requests == []
            assert result(certified(cert, own)) == "Success" and len(web.requests) == 1
        rules = [f'name: {me}, net_id: "{net_id}"', f"name: {me}, by: pkix"]
        with Proxy(inbound(WORLD, web.address, rules, f"    client_ca: {ca.pem}\n")):
            assert result(certified(cert, own)) == "UnknownSender" and len(web.requests) == 1
            assert result(direct(a, own)) == "Success" and len(web.requests) == 2

def a_message_that_can_be_read_two_ways_reaches_no_backend():
    own = join_req(WORLD)
    other = WORLD["B_NET_ID"].encode()
    bad = [own[:-1] + b',"%s":"%s"}' % (name, other) for name in
           (b"SenderID", b"senderID", b"SENDERID", b"Sender\\u0049D", "\u017fenderID".encode(), b"\\u017fenderID", b"SenderID\\u0000")]
    bad += [own + own, own + b"x", own[:-1] + b',"x":' + b"[" * 5000 + b"]" * 5000 + b"}", b"\xef\xbb\xbf" + own, b"[" + own + b"]",
            own.replace(b'"SenderID":"', b'"SenderID":" '), own.replace(b'"SenderID":"', b'"SenderID":["').replace(b'","Receiver', b'"],"Receiver'),
            own[:-1], own[:-30], own[:1], own.replace(b'"1.0"', b'"1\xff0"'), own[:-1] + b"," + b",".join(b'"m%d":0' % i for i in range(100)) + b"}", own.decode().encode("utf-16"), b"", b"null"]
    with Web(answer) as web, Proxy(inbound(WORLD, web.address)) as b, Proxy(outbound(WORLD)) as a:
        for body in bad:
            status, said = direct(a, body)
            assert status == 400, (status, body[:200], said)
        assert direct(a, own[:-1] + b" " * 70000 + b"}")[0] == 413
        b.said(r"lorawan\.refuse .*status=400", times=len(bad))
        assert web.requests == [], web.requests

def a_receiver_id_leads_nowhere_but_to_its_own():
    odd = ("", " ", "js.b.example", "https://js.b.example/", "../" + WORLD["B_JOIN_EUI"], WORLD["B_JOIN_EUI"] + "0", WORLD["B_JOIN_EUI"][:-1] + ".",
           WORLD["B_JOIN_EUI"] + ".evil.example", "\u0660" * 16, "0x0x" + WORLD["B_JOIN_EUI"][:-2], WORLD["B_NET_ID"], "a" * 5000, "*", "\r\nHost: x")
    with Web(answer) as web, Proxy(inbound(WORLD, web.address)), Proxy(router(WORLD)) as a:
        for to in odd:
            status, said = direct(a, join_req(WORLD, ReceiverID=to))
            assert status == 400, (to, status, said)
            if to and len(to) < 200 and to.isascii() and to.isprintable() and " " not in to and to != WORLD["B_NET_ID"] and "\r" not in to:
                assert result(direct(a, join_req(WORLD, MessageType="XmitDataReq", ReceiverID=to))) == "UnkownReceiver", to
        assert web.requests == [], web.requests

def dns_cannot_lead_out_of_what_is_allowed():
    with Web(answer) as web, Proxy(inbound(WORLD, web.address)) as b:
        with Proxy(router(WORLD, more="    allow:\n      - name: .c.example\n")) as a:
            assert result(direct(a, join_req(WORLD))) == "Other"
            assert "no rule allows the host" in a.said(r"lorawan\.refuse ")
        assert web.requests == [] and not any("tls.accept" in line for line in b.log)
        with Proxy(router(WORLD, more="    allow:\n      - name: .b.example\n")) as a:
            assert result(direct(a, join_req(WORLD))) == "Success"

def an_as_id_leads_to_no_host_that_no_rule_names():
    more = f'    as_id_port: {WORLD["B_JS_PORT"]}\n    allow:\n      - name: .b.example\n      - name: friend.quiet.example\n'
    with Zone(rcode=SERVFAIL) as zone, Web(answer) as web, Proxy(inbound(WORLD, web.address)), Proxy(stubbed(router(WORLD, more=more, found=False), quiet=zone)) as a:
        for to in ("stranger.quiet.example", "quiet.example", "b.example", "js.b.example.quiet.example", "js.b.example:99", "js.b.example/x", "x@js.b.example",
                   "127.0.0.1", "localhost"):
            assert result(direct(a, join_req(WORLD, MessageType="XmitDataReq", ReceiverID=to))) == "UnkownReceiver", to
        assert zone.heard == [] and web.requests == [], (zone.heard, web.requests)
        # The control: for a name that a rule is about the zone's server is asked.
        assert result(direct(a, join_req(WORLD, MessageType="XmitDataReq", ReceiverID="friend.quiet.example"))) == "Other"
        assert any(b"friend" in q for q in zone.heard), zone.heard

def what_a_web_page_may_send_is_not_taken_for_a_message():
    with Web(answer) as web, Proxy(inbound(WORLD, web.address)), Proxy(router(WORLD)) as a, a.connect() as s:
        body = join_req(WORLD)
        for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/jsonx"):
            s.sendall(f"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
            got = b""
            while b"}" not in got:
                got += s.recv(65536)
            assert b" 415 " in got, got
        assert web.requests == []
        assert result(post(s, body)) == "Success"

def pin_of(cert):
    """The SHA-256 of the key, as TLSA 3 1 1 has it."""
    got = subprocess.run([os.environ["SARDANE"], "tlsa", "generate", "--cert", cert + ".pem"], capture_output=True, text=True, check=True)
    return got.stdout.split()[-1]

def a_network_whose_record_is_removed_is_cut_off_between_two_messages():
    name, pin = WORLD["A_NS_CLIENT_NAME"], pin_of(WORLD["A_NS_CLIENT"])
    with Web(answer) as web, Proxy(inbound(WORLD, web.address)) as b, Proxy(router(WORLD)) as a, a.connect() as s:
        assert result(post(s, join_req(WORLD))) == "Success"
        lab("withdraw", name, "TLSA")
        assert "the TLSA was removed" in b.said(rf"tls\.withdrawn peer={name} ", 30)
        assert result(post(s, join_req(WORLD))) == "Other"
        b.said(rf"tls\.refuse peer={name} .*refusal=no-tlsa ")
        assert len(web.requests) == 1
    lab("publish", name, "TLSA", "3", "1", "1", pin)

with proxylab.world() as (WORLD, lab):
    run(a_sender_id_that_is_not_its_own_reaches_no_backend, an_id_is_granted_by_a_rule_for_the_proof_that_was_given,
        a_message_that_can_be_read_two_ways_reaches_no_backend,
        a_receiver_id_leads_nowhere_but_to_its_own, dns_cannot_lead_out_of_what_is_allowed,
        an_as_id_leads_to_no_host_that_no_rule_names, what_a_web_page_may_send_is_not_taken_for_a_message,
        a_network_whose_record_is_removed_is_cut_off_between_two_messages)
