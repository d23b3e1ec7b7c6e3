#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A name server that should not be believed: takes DNS over TCP and answers as it is told.

usage: liar.py unsigned|other-id|question|garbage|silent|cut    prints its port
"""
import socket, struct, sys

what = sys.argv[1]
listener = socket.socket()
listener.bind(("127.0.0.1", 0))
listener.listen()
print(listener.getsockname()[1], flush=True)
while True:
    s, _ = listener.accept()
    with s:
        (n,) = struct.unpack("!H", s.recv(2, socket.MSG_WAITALL))
        query = s.recv(n, socket.MSG_WAITALL)
        (ident,) = struct.unpack("!H", query[:2])
        header = lambda i, flags: struct.pack("!6H", i, flags, 0, 0, 0, 0)
        answer = {
            "unsigned": header(ident, 0xA800),  # QR, UPDATE, NOERROR, no TSIG
            "other-id": header(ident ^ 1, 0xA800),
            "question": header(ident, 0x2800),
            "garbage": b"\xff" * 40,
        }.get(what)
        if what == "silent":
            s.recv(1)
        elif what == "cut":
            s.sendall(b"\x00")
        else:
            s.sendall(struct.pack("!H", len(answer)) + answer)
