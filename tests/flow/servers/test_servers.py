#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Name servers that answer, are mute, lame, truncate, lie and tell of each other.

usage: test_servers.py ASKC     The servers are threads on loopback addresses that share one port.
"""
import contextlib, socket, struct, subprocess, sys, threading

ASKC = sys.argv[1]
A, NS, SOA, TXT = 1, 2, 6, 16
count, failed = 0, 0


def check(got, expected, what):
    global count, failed
    count += 1
    good = got == expected
    failed += not good
    print(f"{'ok' if good else 'not ok'} {count} - {what}" + ("" if good else f"\n# got {got!r}\n# not {expected!r}"))


def wire(name):
    return b"".join(bytes([len(l)]) + l.encode() for l in name.split(".") if l) + b"\0"


def record(owner, rtype, data):
    return wire(owner) + struct.pack(">HHIH", rtype, 1, 5, len(data)) + data


def parse(query):
    at, labels = 12, []
    while query[at]:
        labels.append(query[at + 1:at + 1 + query[at]].decode())
        at += 1 + query[at]
    return ".".join(labels).lower(), struct.unpack(">H", query[at + 1:at + 3])[0], query[12:at + 5]


def answer(query, rcode=0, aa=True, an=(), ns=(), ar=(), tc=False, question=None):
    flags = 0x8000 | (aa << 10) | (tc << 9) | rcode
    return (query[:2] + struct.pack(">5H", flags, 1, len(an), len(ns), len(ar)) + (question or parse(query)[2])
            + b"".join(an) + b"".join(ns) + b"".join(ar))


def bind_all(addresses):
    """(UDP, TCP) sockets of each address, all on one port that is free at every one of them."""
    for attempt in range(50):
        pairs, port = [], 0
        try:
            for address in addresses:
                udp, tcp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM), socket.socket()
                pairs.append((udp, tcp))
                udp.bind((address, port))
                port = udp.getsockname()[1]
                tcp.bind((address, port))
                tcp.listen()
            return port, dict(zip(addresses, pairs))
        except OSError:
            for pair in pairs:
                for s in pair:
                    s.close()
    raise SystemExit("no port is free on all addresses")


class Server:
    """say(query, tcp) gives the answer's octets, or None for none."""

    def __init__(self, address, say):
        self.say, self.seen = say, []
        self.udp, self.tcp = SOCKETS[address]
        for t in (self.serve_udp, self.serve_tcp):
            threading.Thread(target=t, daemon=True).start()

    def serve_udp(self):
        while True:
            query, peer = self.udp.recvfrom(4096)
            self.seen.append(query)
            said = self.say(query, False)
            if said:
                self.udp.sendto(said, peer)

    def serve_tcp(self):
        while True:
            with self.tcp.accept()[0] as c:
                query = c.recv(4096)[2:]
                said = self.say(query, True)
                if said:
                    for piece in (struct.pack(">H", len(said))[:1], struct.pack(">H", len(said))[1:], said[:100], said[100:]):
                        with contextlib.suppress(OSError):
                            c.sendall(piece)


def run(*words):
    done = subprocess.run([ASKC, *map(str, words)], capture_output=True, text=True, timeout=60)
    return [line.rstrip() for line in done.stdout.splitlines()]


def long(query, tcp):
    if not tcp:
        return answer(query, tc=True)
    return answer(query, an=[record("x.example", TXT, b"\xff" + b"a" * 255)] * 60)


lost = []


def forgetful(query, tcp):
    """Loses the first datagram."""
    lost.append(1)
    return None if len(lost) == 1 else answer(query)


P, SOCKETS = bind_all([f"127.0.0.{i}" for i in range(1, 11)] + ["127.0.1.1", "127.0.1.2"])
whole = Server("127.0.0.1", lambda q, tcp: answer(q, an=[record("x.example", TXT, b"\2hi")]))
mute = Server("127.0.0.2", lambda q, tcp: None)
lame = Server("127.0.0.3", lambda q, tcp: answer(q, rcode=5, aa=False))
big = Server("127.0.0.4", long)
strange = Server("127.0.0.5", lambda q, tcp: bytes([q[0] ^ 1, q[1]]) + answer(q)[2:])
other = Server("127.0.0.6", lambda q, tcp: answer(q, question=wire("y.example") + struct.pack(">2H", TXT, 1)))
noise = Server("127.0.0.7", lambda q, tcp: q[:2] + b"\x84\0" + b"\xff" * 40)
short = Server("127.0.0.8", lambda q, tcp: b"\0\1" if tcp else answer(q, tc=True))
again = Server("127.0.0.9", forgetful)
hollow = Server("127.0.0.10", lambda q, tcp: answer(q, an=[record("x.example", 46, b"")]))

got = run("ask", "x.example", TXT, 1500, *[f"127.0.0.{i}@{P}" for i in range(1, 11)], f"127.0.0.99@{P}")
check(got[0].split()[:2] + got[0].split()[3:], ["answered", "0", "udp"], "a server answers")
check(got[1], "silent -1 0 udp no answer", "a mute one is silent")
check(got[2].split()[:2], ["answered", "5"], "a lame one refuses, and that is its answer")
check(got[3].split()[:4], ["answered", "0", str(len(long(whole.seen[0], True))), "tcp"], "what is truncated comes by TCP")
check(got[4], "silent -1 0 udp no answer", "another identifier is no answer")
check(got[5].split()[0], "broken", "another question is no answer")
check(got[6].split()[0], "broken", "noise is no answer")
check(got[7].split()[0], "broken", "nor a message that ends early")
check(got[8].split()[:2], ["answered", "0"], "a question lost on the way is asked again")
check(got[9].split()[0], "broken", "nor one with a record without its fields")
check(got[10], "unreachable -1 0 udp Connection refused", "nobody there is said at once")
head = struct.unpack(">6H", whole.seen[0][:12])
check((head[1] & 0x0100, head[5], whole.seen[0][-11:]), (0, 1, b"\0\0\x29\x04\xd0\0\0\x80\0\0\0"), "no RD; EDNS with DO")
check(run("ask", "x.example", TXT, 300, *[f"127.0.0.1@{P}"] * 33), ["error question: more than 32 servers"], "33 servers are too many")


def address(owner, a):
    return record(owner, A, socket.inet_aton(a))


def parent(query, tcp):
    """Root, example and org together; refers to child.example, which names one server more."""
    name, rtype, _ = parse(query)
    if name.endswith("child.example"):
        return answer(query, aa=False, ns=[record("child.example", NS, wire("ns.child.example")), record("child.example", NS, wire("away.org"))],
                      ar=[address("ns.child.example", "127.0.1.2"), address("away.org", "127.6.6.6")])
    if name.endswith("circle.example"):
        return answer(query, aa=False, ns=[record("circle.example", NS, wire("ns.circle.org"))])
    if name.endswith("circle.org"):
        return answer(query, aa=False, ns=[record("circle.org", NS, wire("ns.circle.example"))])
    if name in ("example", "org") and rtype == NS:
        return answer(query, an=[record(name, NS, wire("ns.example"))], ar=[address("ns.example", "127.0.1.1")])
    if name == "away.org" and rtype == A:
        return answer(query, an=[address(name, "127.0.1.3")])
    return answer(query, rcode=0 if name.endswith("org") or name.endswith("example") else 3)


def child(query, tcp):
    name, rtype, _ = parse(query)
    if name == "child.example" and rtype == NS:
        return answer(query, an=[record(name, NS, wire("ns.child.example")), record(name, NS, wire("more.child.example"))],
                      ar=[address("more.child.example", "127.0.1.4")])
    return answer(query)


top = Server("127.0.1.1", parent)
below = Server("127.0.1.2", child)
got = run("zone", "_1._tcp.x.child.example", f"127.0.1.1@{P}", P)
check(got[:3], ["zone child.example", "zone example", "zone ."], "the zone of a name, and those above it")
check(sorted(got[3:]), sorted([f"server ns.child.example (127.0.1.2@{P}) parent child", f"server more.child.example (127.0.1.4@{P}) child",
                               f"server away.org (127.0.1.3@{P}) parent"]),
      "its servers: by glue, by their own name and not by hearsay, and by its own word")
check(run("zone", "x.circle.example", f"127.0.1.1@{P}", P), ["zone circle.example", "zone example", "zone .", "lost ns.circle.org"],
      "servers that need each other are lost, and it ends")
check(run("zone", "nothing.invalid", f"127.0.1.1@{P}", P)[:1], ["zone ."], "a name that is not there is the root's affair")
check(run("zone", "x.example", f"127.0.0.2@{P}", P)[:1], ["zone ."], "a mute root is the root still")


class Pipe:
    """A server by TCP that takes many questions on a connection; serve(c, questions) says what it does with them."""

    def __init__(self, serve):
        self.connections, self.listener = 0, socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1@{self.listener.getsockname()[1]}"
        threading.Thread(target=self.accept, args=(serve,), daemon=True).start()

    def accept(self, serve):
        while True:
            c, _ = self.listener.accept()
            self.connections += 1
            threading.Thread(target=self.one, args=(serve, c), daemon=True).start()

    def one(self, serve, c):
        with c, contextlib.suppress(OSError):
            serve(c, self.questions(c))

    def questions(self, c):
        while head := c.recv(2, socket.MSG_WAITALL):
            yield c.recv(struct.unpack(">H", head)[0], socket.MSG_WAITALL)


def framed(message):
    return struct.pack(">H", len(message)) + message


def has(query):
    return answer(query, an=[record(parse(query)[0], TXT, b"\1a")])


def backwards(c, questions):
    held = []
    for q in questions:
        held.append(framed(has(q)))
        if len(held) == 10:
            c.sendall(b"".join(reversed(held)))
            held = []


def seven(c, questions):
    for i, q in zip(range(7), questions):
        c.sendall(framed(has(q)))


def other(c, questions):
    for q in questions:
        c.sendall(framed(answer(q, question=wire("other.example") + q[-15:-11])))


def twice(c, questions):
    for q in questions:
        c.sendall(framed(has(q)) * 2)


def dumb(c, questions):
    for q in questions:
        pass


whole, dropping, lying, mute = Pipe(backwards), Pipe(seven), Pipe(other), Pipe(dumb)
got = run("stream", 500, TXT, 5000, "x.example", whole.address)
check((got, whole.connections), (["500 500 0 0"], 2), "500 questions on two connections, answered in another order")
got = run("stream", 200, TXT, 5000, "x.example", dropping.address)
check((got, dropping.connections >= 28), (["200 200 0 0"], True), "a server that ends a connection after seven is asked again for the rest")
got = run("stream", 200, TXT, 1500, "x.example", whole.address, mute.address)
check(got[1:], ["0 0 200 0 no answer"], "one that is mute is given up")
check(got[0].split()[0] == "200", True, "and others are not the worse for it")
got = run("stream", 50, TXT, 2000, "x.example", lying.address)
check(got, ["0 0 50 0 what it answers is no answer to a question of ours"], "an answer to another question is none")
got = run("stream", 50, TXT, 2000, "x.example", Pipe(twice).address)
check(got[0].split()[3:4], ["0"], "an answer that comes twice is taken once")
with socket.create_server(("127.0.0.1", 0)) as closed:
    nobody = f"127.0.0.1@{closed.getsockname()[1]}"
check(run("stream", 20, TXT, 500, "x.example", nobody), ["0 0 20 0 Connection refused"], "where nobody listens")
print(f"1..{count}")
sys.exit(bool(failed))
