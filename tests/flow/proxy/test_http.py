#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A listener with identity http: what an HTTP backend is told of each request, over the proxies of two organisations.

PROXY, SARDANE and RESOLVERD name the programs. The lab's DNS is real and signed.
"""
import os, pathlib, sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "lib"))
import proxylab
from httplab import Web, fields, post, until
from joinlab import run
from proxylab import Proxy, listener, outbound

HTTP = "    identity: http\n"

def pair(web, more=""):
    # One end looks for what comes next, the other sleeps.
    return Proxy("spin_us: 1000\n" + listener(WORLD, web.address, more=HTTP + more)), Proxy(outbound(WORLD))

def each_request_of_a_connection_is_told_who_sent_it():
    name = WORLD["A_NS_CLIENT_NAME"].rstrip(".")
    with Web() as web:
        b, a = pair(web)
        with b, a, a.connect() as s:
            for i in range(3):
                assert post(s, {"n": i}, f"/{i}") == (200, b"seen")
            s.sendall(b"GET /p HTTP/1.1\r\nHost: x\r\n\r\n" * 5)
            got = 0
            while got < 5:
                got += until(s, b"seen").count(b"seen")
            assert len(web.requests) == 8 and len(set(web.peers)) == 1, web.requests
            for request in web.requests:
                told = dict(fields(request))
                assert len(fields(request)) == 5, request
                assert told["X-Sardane-Name"] == name and told["X-Sardane-Usage"] == "3 1 1", told
                assert told["X-Sardane-Verified"] == "dane" and len(told["X-Sardane-Spki-Sha256"]) == 64, told
                assert told["X-Sardane-From"].startswith("127."), told

def bodies_come_through_by_length_and_by_chunks():
    large = os.urandom(1 << 20)
    with Web() as web:
        b, a = pair(web)
        with b, a, a.connect() as s:
            assert post(s, large) == (200, b"seen")
            s.sendall(b"POST /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
            for at in range(0, len(large), 100000):
                some = large[at:at + 100000]
                s.sendall(b"%x;ext=1\r\n%s\r\n" % (len(some), some))
            s.sendall(b"0\r\nX-Sardane-Name: me\r\n\r\n")
            until(s, b"seen")
            assert post(s, b"after", "/after") == (200, b"seen")
            assert [r[3] for r in web.requests] == [large, large, b"after"]

def a_client_that_asks_first_is_told_to_continue():
    with Web() as web:
        b, a = pair(web)
        with b, a, a.connect() as s:
            s.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n")
            assert b" 100 " in until(s, b"\r\n\r\n")
            s.sendall(b"abc")
            until(s, b"seen")
            assert web.requests[0][3] == b"abc"

def a_websocket_is_octets_after_101():
    with Web() as web:
        b, a = pair(web)
        with b, a, a.connect() as s:
            s.sendall(b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nsent at once;")
            assert b" 101 " in until(s, b"SENT AT ONCE;")
            s.sendall(b"x-sardane-name: \n")
            until(s, b"X-SARDANE-NAME: \n")
            assert len(web.requests) == 1 and len(fields(web.requests[0])) == 5

def a_head_has_the_size_that_is_configured():
    with Web() as web:
        b, a = pair(web, "    header_max: 1024\nstatus: unix:DIR/status\n")
        with b, a:
            with a.connect() as s:
                assert post(s, b"x", more=f"X: {'x' * 700}\r\n") == (200, b"seen")
            with a.connect() as s:
                assert post(s, b"x", more=f"X: {'x' * 1024}\r\n")[0] == 431
            b.said("http.refuse .*status=431")
            with a.connect() as s:
                s.sendall(b"GET / HTTP/1.1\r\nHost: b\nX: y\r\n\r\n")
                assert proxylab.receive(s, 12) == b"HTTP/1.1 400"
            m = proxylab.metrics(b)
            assert m['limit_refusals_total{at="in",side="listener",limit="header_max"}'] == 1, m
            assert m['requests_refused_total{at="in",side="listener"}'] == 2, m
    status, words = Proxy(listener(WORLD, "127.0.0.1:1", more=HTTP + "    header_max: 100000\n")).check()
    assert status == 2 and "header_max" in words, words

with proxylab.world() as (WORLD, lab):
    run(each_request_of_a_connection_is_told_who_sent_it, bodies_come_through_by_length_and_by_chunks,
        a_client_that_asks_first_is_told_to_continue, a_websocket_is_octets_after_101, a_head_has_the_size_that_is_configured)
