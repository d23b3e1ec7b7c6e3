#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Load for sardane-proxy, and what it costs the proxy: for the flows and for scripts/prove-proxy.

    with proxyload.Flood(world, 9500) as flood: ...     clients that never finish a handshake
    with proxyload.Load(a) as load: ...                 honest ones that come, go and stay
"""
import contextlib, errno, multiprocessing, os, pathlib, re, select, signal, socket, ssl, threading, time

from proxylab import exchange, receive

def cpu(pid):
    """Seconds of processor time."""
    words = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")

def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))

def resident_kb(pid):
    return int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text())[1])

def children(pid):
    return [int(p) for p in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

def until(what, seconds=30):
    """The first true thing that what gives."""
    end = time.monotonic() + seconds
    while not (got := what()):
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.05)
    return got

def honest(a, octets=b"honest"):
    """Seconds that a new connection through both proxies, and an echo, took."""
    began = time.monotonic()
    with a.connect() as s:
        s.sendall(octets)
        assert receive(s, len(octets)) == octets
        return time.monotonic() - began

def passes(a):
    with contextlib.suppress(ConnectionError):
        return honest(a) > 0
    return False

def open_pair(a):
    s = a.connect()
    s.sendall(b"x")
    assert receive(s, 1) == b"x"
    return s

def still_open(s):
    s.sendall(b"still")
    return receive(s, 5) == b"still"

def place(world):
    """Where B listens."""
    return world["B_JS_ADDRESS"], int(world["B_JS_PORT"])

def hello(name="js.example"):
    """A ClientHello, in its record."""
    out = ssl.MemoryBIO()
    with contextlib.suppress(ssl.SSLWantReadError):
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).wrap_bio(ssl.MemoryBIO(), out, server_hostname=name).do_handshake()
    return out.read()

TICKS = 50  # a second has so many: who sends an octet each second does it at its own
HALF = 150  # octets of a ClientHello
PER_SOURCE = 100
RECORD = b"\x17\3\3\x40\0" + bytes(100)  # of 16 KB, its beginning

class Flood:
    """So many clients in a process of their own, from many addresses: every other one stops half way through its
    ClientHello, the rest send one octet of it each second. Or, when answered: all send it whole, and one octet each
    second of the record that never ends behind it, all at the same moment. Who is cut comes again. .cuts says how
    many were."""
    def __init__(self, world, count, answered=False):
        self.to, self.count, self.octets = place(world), count, hello()
        self.whole, self.ticks = len(self.octets) if answered else 0, 1 if answered else TICKS
        self.octets += RECORD * answered
        context = multiprocessing.get_context("fork")
        self.over, self.up, self.cut = context.Event(), context.Event(), context.Value("L", 0)
        self.process = context.Process(target=self.run, daemon=True)

    @property
    def cuts(self):
        return self.cut.value

    def come(self, i):
        s = socket.socket()
        s.setblocking(False)
        s.bind((f"127.77.{i // PER_SOURCE}.1", 0))
        rc = s.connect_ex(self.to)
        assert rc in (0, errno.EINPROGRESS), os.strerror(rc)
        self.held[i], self.sent[i] = s, 0
        self.of[s.fileno()] = i
        self.poll.register(s, select.EPOLLIN)

    def hear(self, i):
        with contextlib.suppress(ConnectionError):
            if self.held[i].recv(65536):
                return
        self.poll.unregister(self.held[i])
        del self.of[self.held[i].fileno()]
        self.held[i].close()
        self.come(i)
        self.cut.value += 1

    def say(self, i):
        first = self.whole or (1 if i % 2 else HALF)
        n = first if not self.sent[i] else 1 if self.whole or i % 2 else 0
        with contextlib.suppress(OSError):  # not connected yet, or cut: the poll says so
            self.sent[i] += self.held[i].send(self.octets[self.sent[i]:self.sent[i] + n], socket.MSG_NOSIGNAL) if n else 0

    def run(self):
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        os.nice(19)  # it stands for other machines: what it costs to make is not the proxy's
        self.poll, self.of = select.epoll(), {}
        self.held, self.sent = [None] * self.count, [0] * self.count
        for i in range(self.count):
            self.come(i)
            if self.whole:
                self.say(i)
            if i % 100 == 99:
                time.sleep(0.1)  # or all would be cut at one moment
        tick, next_ = 0, time.monotonic()
        while not self.over.is_set():
            for i in range(tick % self.ticks, self.count, self.ticks):
                self.say(i)
            tick, next_ = tick + 1, next_ + 1 / self.ticks
            if tick == 2 * self.ticks:
                self.up.set()
            while (left := next_ - time.monotonic()) > 0:
                for fd, _ in self.poll.poll(left):
                    self.hear(self.of[fd])

    def __enter__(self):
        self.process.start()
        assert self.up.wait(120), "the flood did not rise"
        return self

    def __exit__(self, *why):
        self.over.set()
        self.process.join(30)
        assert why[0] or self.process.exitcode == 0, self.process.exitcode

class Load:
    """Threads that connect, exchange and end, again and again; and some connections that stay, spoken on now and then.
    Whatever goes wrong is an error at the end."""
    def __init__(self, proxy, threads=3, staying=3):
        self.proxy, self.done, self.errors, self.rounds = proxy, threading.Event(), [], 0
        self.threads = [threading.Thread(target=self.run, args=(self.come_and_go,)) for _ in range(threads)]
        self.threads += [threading.Thread(target=self.run, args=(self.stay,)) for _ in range(staying)]

    def run(self, what):
        try:
            what()
        except Exception as e:  # whatever it is, it must not have happened
            self.errors.append(repr(e))

    def come_and_go(self):
        while not self.done.is_set():
            with self.proxy.connect() as s:
                assert exchange(s, b"come and go") == b"come and go"
            self.rounds += 1

    def stay(self):
        with self.proxy.connect() as s:
            while not self.done.wait(0.05):
                s.sendall(b"still here")
                assert receive(s, 10) == b"still here"
            assert exchange(s, b"goodbye") == b"goodbye"

    def __enter__(self):
        for t in self.threads:
            t.start()
        return self

    def __exit__(self, *why):
        self.done.set()
        for t in self.threads:
            t.join(60)
        if not why[0]:
            assert not self.errors and self.rounds > 0, (self.errors[:3], len(self.errors), self.rounds)
