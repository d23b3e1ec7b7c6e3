#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the server end refuses by itself (attack tls/client), it refuses behind the proxy too, for the same reason:
each rogue client of that list meets a real sardane-proxy, whose backend never hears of it.

PROXY, SARDANE, RESOLVERD and ROGUEC in the environment name the programs.
"""
import os, pathlib, subprocess, sys, tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "lib"))
import proxylab
from joinlab import run
from proxylab import Echo, Proxy, listener

RULES = ["name: .a.example", "name: .broken.example", "name: .org.example"]
HANDSHAKE_FAILURE, PROTOCOL_VERSION = 40, 70

def named(name):
    """The octets of the extension: its length, then the name."""
    octets = name if isinstance(name, bytes) else name.encode()
    return bytes([len(octets)]) + octets

def meets(cert, octets, *more):
    """What the rogue client says after it met B's listener."""
    words = octets.hex() if octets else "no-name" if octets is None else ""
    return subprocess.run([os.environ["ROGUEC"], WORLD["B_JS_ADDRESS"], WORLD["B_JS_PORT"], cert, words, *more],
                          capture_output=True, text=True, timeout=60, check=True).stdout.strip()

def refused(b, reason, cert, octets, *more, alert=HANDSHAKE_FAILURE):
    before = sum(f"refusal={reason} " in line for line in b.log)
    got = meets(cert, octets, *more)
    assert got == f"alert {alert}", (octets, got)
    return b.said(rf"tls\.refuse .*refusal={reason} ", times=before + 1)

def with_proxy(test):
    """test(b), beside a backend that must hear of nobody but the honest client at its end."""
    with Echo() as backend, Proxy(listener(WORLD, backend.address, RULES, "    identity: none\n")) as b:
        test(b)
        assert backend.count == 0, backend.count
        assert meets(ME, named(MY_NAME)) == "open" and backend.count == 1, b.log[-3:]

def a_name_that_is_none_is_refused():
    bad = [b"", b"\x05ab", b"\x03abcd", named("a..b"), named("example."), named("."), named("a b.c"), named("ex\u00e4mple".encode()),
           b"\xff" + b"a." * 127 + b"a", b"\xff" + b"a." * 199]
    def test(b):
        for octets in bad:
            refused(b, "bad-name", ME, octets)
        refused(b, "empty-name", ME, b"\0")
        refused(b, "no-name", ME, None)
    with_proxy(test)

def a_name_beside_the_second_certificate_is_refused():
    def test(b):
        with tempfile.TemporaryDirectory() as top:
            pem = pathlib.Path(ME + ".pem").read_text()
            pathlib.Path(top, "two.pem").write_text(pem + pathlib.Path(WORLD["A_AS_CLIENT"] + ".pem").read_text())
            pathlib.Path(top, "two-key.pem").write_text(pathlib.Path(ME + "-key.pem").read_text())
            refused(b, "bad-name", top + "/two", named(MY_NAME), "second")
    with_proxy(test)

def below_tls_1_3_nobody_is_heard():
    with_proxy(lambda b: refused(b, "protocol", ME, named(MY_NAME), "tls12", alert=PROTOCOL_VERSION))

def a_name_with_another_key_or_no_record_is_refused():
    def test(b):
        refused(b, "no-match", WORLD["A_AS_CLIENT"], named(MY_NAME))
        refused(b, "no-tlsa", ME, named("_absent.ns.a.example"))
        refused(b, "policy", ME, named("_ns-client.ns.a.elsewhere"))
    with_proxy(test)

def records_that_nobody_can_use_and_the_weaker_digest_are_refused():
    pin = subprocess.run([os.environ["SARDANE"], "tlsa", "generate", "--cert", ME + ".pem"], capture_output=True, text=True, check=True).stdout.split()[-1]
    LAB("publish", "_unusable.ns.a.example", "TLSA", "3", "1", "9", "00" * 32)
    LAB("publish", "_weaker.ns.a.example", "TLSA", "3", "1", "1", pin)
    LAB("publish", "_weaker.ns.a.example", "TLSA", "3", "1", "2", "00" * 64)
    def test(b):
        refused(b, "unusable", ME, named("_unusable.ns.a.example"))
        refused(b, "no-match", ME, named("_weaker.ns.a.example"))
    with_proxy(test)

def what_dns_does_not_prove_is_refused():
    def test(b):
        for zone, reason in (("expired", "bogus"), ("unsigned", "insecure")):
            refused(b, reason, ME, named(f"_client.{zone}.broken.example"))
    with_proxy(test)

with proxylab.world("--broken") as (WORLD, LAB):
    ME, MY_NAME = WORLD["A_NS_CLIENT"], WORLD["A_NS_CLIENT_NAME"]
    run(a_name_that_is_none_is_refused, a_name_beside_the_second_certificate_is_refused, below_tls_1_3_nobody_is_heard,
        a_name_with_another_key_or_no_record_is_refused, records_that_nobody_can_use_and_the_weaker_digest_are_refused, what_dns_does_not_prove_is_refused)
