#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a proved client must not do to an HTTP backend behind sardane-proxy: speak as somebody else, or have its
octets read as requests that the proxy has not seen.

PROXY, SARDANE and RESOLVERD in the environment name the programs.
"""
import pathlib, sys, time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "lib"))
import proxylab
from httplab import Web, fields, until
from joinlab import run
from proxylab import Proxy, listener, outbound

HTTP = "    identity: http\n"
GET = b"GET /smuggled HTTP/1.1\r\nHost: x\r\nX-Sardane-Name: evil.example\r\n\r\n"

def say(a, octets):
    """What comes back for octets until the end of it."""
    got = b""
    with a.connect() as s:
        s.sendall(octets)
        try:
            while more := s.recv(65536):
                got += more
        except ConnectionError:
            pass
    return got

def a_client_cannot_say_who_it_is():
    name = WORLD["A_NS_CLIENT_NAME"].rstrip(".")
    spelt = (b"X-Sardane-Name: evil.example", b"x-sardane-name:evil.example", b"X_Sardane_Name: evil.example", b"X-SARDANE_NAME: evil.example",
             b"X.Sardane.Name: evil.example", b"X-Sardane-Verified: evil.example", b"X-Sardane-Usage:\tevil.example",
             b"X-Sardane-Name: a\r\nX-Sardane-Name: evil.example", b"Connection: close, X-Sardane-Name", b"Connection: x_sardane_name")
    with Web() as web, Proxy(listener(WORLD, web.address, more=HTTP)) as b, Proxy(outbound(WORLD)) as a, a.connect() as s:
        for field in spelt:
            end = b"" if field.startswith(b"Connection") else b"Connection: keep-alive\r\n"
            if b"close" in field:
                continue
            s.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n" + field + b"\r\n" + end + b"\r\n")
            until(s, b"seen")
        say(a, b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close, X-Sardane-Name\r\n\r\n")
        assert len(web.requests) == len(spelt), web.requests
        for request in web.requests:
            assert len(fields(request)) == 5 and dict(fields(request))["X-Sardane-Name"] == name, request
            assert not any("evil" in v or "ardane" in v.lower() and k == "Connection" for k, v in request[2]), request

def no_host_leads_to_the_backend_of_another_server_name():
    names = """    names:
      - name: inner.b.example
        allow: [{name: .b.example}]
        backend: "%s"
"""
    with Web() as outside, Web() as inside, Proxy(listener(WORLD, outside.address, more=HTTP + names % inside.address)), Proxy(outbound(WORLD)) as a:
        for target in (b"/", b"http://inner.b.example/"):
            say(a, b"GET " + target + b" HTTP/1.1\r\nHost: inner.b.example\r\nConnection: close\r\n\r\n")
        assert len(inside.requests) == 0 and len(outside.requests) >= 1, (inside.requests, outside.requests)

def a_request_that_can_be_read_two_ways_goes_nowhere():
    head = b"POST / HTTP/1.1\r\nHost: x\r\n"
    bad = {
        "both lengths": head + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + GET,
        "two lengths": head + b"Content-Length: 0\r\nContent-Length: 70\r\n\r\n" + GET,
        "two in one": head + b"Content-Length: 0, 70\r\n\r\n" + GET,
        "a sign": head + b"Content-Length: +0\r\n\r\n" + GET,
        "another coding": head + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" + GET,
        "two codings": head + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + GET,
        "a blank before the colon": head + b"Content-Length : 70\r\n\r\n" + GET,
        "a line that goes on": head + b"X: a\r\n X-Sardane-Name: evil.example\r\n\r\n",
        "LF alone": head.replace(b"\r\n", b"\n") + b"\n" + GET,
        "CR alone": head + b"X: a\rX-Sardane-Name: evil.example\r\n\r\n",
        "a zero": head + b"X: a\0\r\n\r\n",
        "no host": b"GET / HTTP/1.1\r\n\r\n",
        "two hosts": head + b"Host: y\r\n\r\n",
        "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "a tunnel": b"CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n",
    }
    with Web() as web, Proxy(listener(WORLD, web.address, more=HTTP)) as b, Proxy(outbound(WORLD)) as a:
        for what, octets in bad.items():
            got = say(a, octets)
            assert got.startswith(b"HTTP/1.1 400 ") and got.count(b" Refused\r\n") == 1, (what, got)
        b.said("http.refuse .*status=400", times=len(bad))
        assert web.requests == [], web.requests
        say(a, b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert len(web.requests) == 1

def behind_a_bad_chunk_or_a_last_request_is_no_request():
    chunked = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    with Web() as web, Proxy(listener(WORLD, web.address, more=HTTP)) as b, Proxy(outbound(WORLD)) as a:
        for body in (b"2\r\nabc\r\n0\r\n\r\n" + GET, b"0x0\r\n\r\n" + GET, b"0\n\n" + GET, b"0;a=\x01\r\n\r\n" + GET, b"-0\r\n\r\n" + GET,
                     b"0\r\nX-Sardane-Name : evil.example\r\n\r\n" + GET, b"100000000000000000\r\n\r\n" + GET):
            say(a, chunked + body)
        b.said("http.refuse ", times=7)
        assert not any("smuggled" in r[1] for r in web.requests), web.requests
        del web.requests[:]
        assert say(a, b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" + GET).count(b"seen") == 1
        assert [r[1] for r in web.requests] == ["/"], web.requests
        # A trailer is not told.
        say(a, chunked + b"1\r\na\r\n0\r\nX-Sardane-Name: evil.example\r\n\r\nGET /end HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert [(r[1], r[3]) for r in web.requests[1:]] == [("/", b"a"), ("/end", b"")], web.requests

def an_upgrade_that_is_not_granted_hides_nothing():
    ask = b"GET /no HTTP/1.1\r\nHost: x\r\nUpgrade: %s\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABk\r\n\r\n"
    last = b"GET /last HTTP/1.1\r\nHost: x\r\nX-Sardane-Name: evil.example\r\nConnection: close\r\n\r\n"
    with Web() as web, Proxy(listener(WORLD, web.address, more=HTTP)), Proxy(outbound(WORLD)) as a:
        # h2c is not asked for at all; nor is websocket by a second request.
        say(a, ask % b"h2c" + last)
        say(a, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" + ask % b"websocket" + last)
        assert len(web.requests) == 5, web.requests
        for request in web.requests:
            assert not fields(request, "upgrade") and not fields(request, "http2"), request
            assert len(fields(request)) == 5 and "evil.example" not in dict(request[2]).values(), request

with proxylab.world() as (WORLD, lab):
    run(a_client_cannot_say_who_it_is, no_host_leads_to_the_backend_of_another_server_name, a_request_that_can_be_read_two_ways_goes_nowhere,
        behind_a_bad_chunk_or_a_last_request_is_no_request, an_upgrade_that_is_not_granted_hides_nothing)
