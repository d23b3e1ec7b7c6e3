#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Datagrams no gateway sends, then one every gateway does: the server must still acknowledge it.

usage: datagrams.py PORT [COUNT]   prints how many were sent and how many acknowledgements came
"""
import base64, json, os, random, socket, struct, sys

port, count = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 2000
EUI = bytes.fromhex("aa555a0000000001")
rng = random.Random(7)
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.connect(("127.0.0.1", port))
s.settimeout(3)
head = lambda kind, version=2: bytes([version]) + b"\x12\x34" + bytes([kind]) + EUI
rx = {"tmst": 1, "freq": 868.1, "datr": "SF7BW125", "modu": "LORA", "stat": 1, "data": "QAEAACaAAQAB"}

def push(text):
    return head(0) + (text if isinstance(text, bytes) else text.encode())

def frame(**change):
    return push(json.dumps({"rxpk": [{**rx, **change}]}))

bad = [
    b"", b"\x02", b"\x02\x12\x34", b"\x02\x12\x34\x00", head(0)[:11],
    head(0, 0) + b"{}", head(0, 3) + b"{}", head(0, 255) + b"{}",
    b"\x02\x12\x34\x06", b"\x02\x12\x34\xff" + EUI,
    head(2) + b"trailing", b"\x02\x12\x34\x01", b"\x02\x12\x34\x04", b"\x02\x12\x34\x03{}",
    push(""), push("{"), push("[]"), push("null"), push("{}{}"), push('{"rxpk":1}'), push('{"rxpk":[[]]}'),
    push('{"rxpk":[' + "[" * 4000 + "]" * 4000 + "]}"),
    push('{"x":' * 3000 + "1" + "}" * 3000),
    push('{"rxpk":[],"rxpk":[]}'),
    push('{"rxpk":[{"tmst":1,"tmst":2}]}'),
    push('{"rxpk":[' + ",".join(["{}"] * 300) + "]}"),
    push('{"stat":{"lati":1e999}}'), push('{"stat":{"rxnb":-1}}'), push('{"stat":{"time":"' + "x" * 9000 + '"}}'),
    push(b'{"stat":{"time":"\xff\xfe\x00"}}'),
    push('{"rxpk":[{"data":"' + "A" * 60000 + '"}]}'),
    frame(data="***"), frame(data="A"), frame(data="===="), frame(data=base64.b64encode(bytes(256)).decode()),
    frame(data=7), frame(size=1), frame(datr="SF99BW1"), frame(datr=-5), frame(freq="868.1"), frame(tmst=2 ** 40),
    frame(data=base64.b64encode(b"\x00" + bytes(5)).decode()),   # a join-request cut short
    frame(data=base64.b64encode(b"\x00" + bytes(60)).decode()),  # and one too long
    frame(data=base64.b64encode(b"\x20" + bytes(16)).decode()),  # a join-accept, which gateways do not hear
    frame(data=base64.b64encode(b"\xe0" + bytes(16)).decode()),  # proprietary
    frame(data=base64.b64encode(b"\x43" + bytes(16)).decode()),  # another major version
    frame(data=base64.b64encode(b"\x40" + bytes(6)).decode()),   # no whole header
    head(5) + b'{"txpk_ack":', head(5) + b'{"txpk_ack":{"error":"' + b"E" * 500 + b'"}}', head(5) + b"\x00",
]
good = push(json.dumps({"rxpk": [rx], "stat": {"time": "2026-11-22 04:30:00 GMT", "rxnb": 1}}))
sent = 0
for i in range(count):
    d = bytearray(bad[i % len(bad)]) if i < 2 * len(bad) else bytearray(good)
    if i >= 2 * len(bad):
        for _ in range(rng.randrange(1, 6)):
            d[rng.randrange(len(d))] = rng.randrange(256)
        d = d[: rng.randrange(len(d) + 1)]
    s.send(d)
    sent += 1
    if i % 50 == 49:  # the socket's own buffer must not be what protects the server
        s.settimeout(0.005)
        try:
            while s.recv(64):
                pass
        except TimeoutError:
            pass
s.settimeout(0.3)
try:
    while s.recv(64):
        pass
except TimeoutError:
    pass
s.settimeout(3)
got = 0
for token in range(3):
    s.send(b"\x02" + struct.pack(">H", 0x7700 + token) + b"\x00" + good[4:])
    if s.recv(64) == b"\x02" + struct.pack(">H", 0x7700 + token) + b"\x01":
        got += 1
print(f"sent={sent} acknowledged={got}")
sys.exit(0 if got == 3 else 1)
