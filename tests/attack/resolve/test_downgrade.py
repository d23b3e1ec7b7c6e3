#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A local resolver that stops to validate, so that a signed zone looks unsigned and a CA decides (dane-or-pkix)."""
import contextlib, os, pathlib, re, socket, subprocess, sys, tempfile, threading, time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "lib"))
import dnsworld
from joinlab import run

CLI = os.environ["SARDANE"]
ROOT_SOA = b"\0\0\6\0\1"
AD, A = 0x20, b"\0\1\0\1"


class Resolver:
    """Knows one address and no TLSA, and says so without AD; trials(n) tells whether the n-th trial has AD."""
    def __init__(self, trials):
        self.trials, self.asked = trials, 0
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.address = f"127.0.0.1@{self.socket.getsockname()[1]}"
        threading.Thread(target=self.turn, daemon=True).start()

    def turn(self):
        with contextlib.suppress(OSError):
            while True:
                ask, peer = self.socket.recvfrom(65535)
                self.socket.sendto(self.answer(ask), peer)

    def answer(self, ask):
        question = ask[12:ask.index(b"\0", 12) + 5]
        flags, record = 0x80, b""
        if question == ROOT_SOA:
            self.asked += 1
            flags |= AD if self.trials(self.asked) else 0
        elif question.endswith(A):
            record = b"\xc0\x0c" + A + b"\0\0\0\x3c\0\4\x7f\0\0\1"
        counts = bytes([0, 1, 0, 1 if record else 0, 0, 0, 0, 0])
        return ask[:2] + bytes([0x81, flags]) + counts + question + record

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.socket.close()


@contextlib.contextmanager
def server(folder):
    """A TLS server whose certificate the store attests."""
    pem, key, port = folder / "js.pem", folder / "js-key.pem", dnsworld.free_port()
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-subj", "/CN=js", "-addext", "subjectAltName=DNS:js.example", "-keyout", key, "-out", pem],
                   check=True, capture_output=True)
    s = subprocess.Popen(["openssl", "s_server", "-quiet", "-accept", f"127.0.0.1:{port}", "-cert", pem, "-key", key],
                         stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(400):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                break
            time.sleep(0.05)
        yield port, pem
    finally:
        s.kill()
        s.wait()


def connect(trials):
    """(exit, output) of a client that would take a CA's word where DNS proves that there is no TLSA."""
    with tempfile.TemporaryDirectory() as d, server(pathlib.Path(d)) as (port, store), Resolver(trials) as resolver:
        settings = pathlib.Path(d) / "resolver.yaml"
        settings.write_text(f'resolver: {{backend: ad, server: "{resolver.address}"}}\n')
        done = subprocess.run([CLI, "connect", f"js.example:{port}", "--mode", "dane-or-pkix", "--store", store, "--resolver", settings],
                              capture_output=True, text=True, timeout=60)
        return done.returncode, done.stdout + done.stderr


def a_resolver_that_stops_to_validate_does_not_let_a_ca_decide():
    status, said = connect(lambda n: n == 1)
    assert status == 1 and re.search("does not validate any more", said), said


def a_zone_that_is_unsigned_lets_a_ca_decide():
    status, said = connect(lambda n: True)
    assert status == 0, said


run(a_resolver_that_stops_to_validate_does_not_let_a_ca_decide, a_zone_that_is_unsigned_lets_a_ca_decide)
