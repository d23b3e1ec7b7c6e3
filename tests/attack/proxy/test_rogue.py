#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the server end refuses by itself (attack tls/client), it refuses behind the proxy too, for the same reason:
each rogue client of that list meets a real sardane-proxy, whose backend never hears of it.

PROXY, SARDANE, RESOLVERD and ROGUEC in the environment name the programs.
"""
import os, pathlib, subprocess, sys, tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "lib"))
import calab, proxylab
from joinlab import run
from proxylab import Echo, Proxy, Zone, listener, stubbed, tlvs

RULES = ["name: .a.example", "name: .broken.example", "name: .failing.example"]
HANDSHAKE_FAILURE, PROTOCOL_VERSION, SERVFAIL = 40, 70, 2

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
    before = sum("tls.refuse " in line and f"refusal={reason} " in line for line in b.log)
    got = meets(cert, octets, *more)
    assert got == f"alert {alert}", (octets, got)
    return b.said(rf"tls\.refuse .*refusal={reason} ", times=before + 1)

def with_proxy(test, rules=RULES, more="", before=0, **zones):
    """test(b), beside a backend that must hear of nobody but the honest client at its end, and of so many before."""
    with Echo() as backend, Proxy(stubbed(listener(WORLD, backend.address, rules, more + "    identity: none\n"), **zones)) as b:
        test(b)
        assert backend.count == before, backend.count
        assert meets(ME, named(MY_NAME)) == "open" and backend.count == before + 1, b.log[-3:]

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

OLD = "_old.ns.a.example"

def by_pkix(ca, *rules):
    return [*RULES, *rules], f"    client_ca: {ca.pem}\n"

def an_authority_beside_dane_lets_in_only_whom_a_rule_says_it_may():
    with calab.Authority() as ca, Echo(head=True) as backend:
        rules, more = by_pkix(ca, f"name: {OLD}, by: pkix")
        good, stranger = ca.leaf("good", f"DNS:{OLD}"), ca.leaf("stranger", "DNS:_other.ns.a.example")
        with Proxy(listener(WORLD, backend.address, rules, more)) as b:
            # What DANE may prove, an authority may not.
            line = refused(b, "policy", stranger, None)
            assert "no policy allows a name in the certificate" in line and "dnssec=- " in line, line
            refused(b, "policy", ca.leaf("mine", f"DNS:{MY_NAME}"), None)
            assert backend.count == 0
            assert meets(good, None) == "open" and meets(ME, named(MY_NAME)) == "open"
            line = b.said(rf"proxy\.end .*peer={OLD} ")
            assert "how=pkix" in line and "tlsa=- usage=- dnssec=- " in line, line
        told = [tlvs(head[28:]) for head in backend.heads]
        assert [(t[0xE5][1], tlvs(t[0x20][5:])[0x22].decode()) for t in told] == [(2, OLD), (1, MY_NAME)], told
        # The rule is about a key as well, if it says so.
        rules, more = by_pkix(ca, f'name: {OLD}, by: pkix, spki_sha256: "{"0" * 64}"')
        with Proxy(listener(WORLD, backend.address, rules, more + "    identity: none\n")) as b:
            assert "no rule allows this key" in refused(b, "policy", good, None)

def a_certificate_that_its_authority_did_not_make_for_this_is_refused():
    with calab.Authority() as ca, calab.Authority() as impostor, \
            calab.Authority("elsewhere", ca, "nameConstraints=critical,permitted;DNS:b.example\n") as constrained, \
            calab.Authority("here", ca, "nameConstraints=critical,permitted;DNS:a.example\n") as here:
        rules, more = by_pkix(ca, f"name: {OLD}, by: pkix")
        san = f"DNS:{OLD}"
        def test(b):
            for cert, reason in ((ca.leaf("expired", san, days=-1), "chain"), (ca.leaf("server", san, more="extendedKeyUsage=serverAuth\n"), "chain"),
                                 (constrained.leaf("x", san), "chain"), (impostor.leaf("x", san), "chain"), (ca.leaf("cn", cn=OLD), "policy"),
                                 (ca.leaf("wild", "DNS:*.ns.a.example"), "policy"), (ca.leaf("mail", f"email:x@{OLD},URI:https://{OLD}/"), "policy")):
                refused(b, reason, cert, None)
            assert "expired" in b.said(r"tls\.refuse ") and "unsuitable certificate purpose" in b.said(r"tls\.refuse ", times=2)
            assert "permitted subtree violation" in b.said(r"tls\.refuse ", times=3)
            assert meets(here.leaf("x", san), None) == "open"
        with_proxy(test, rules, more, before=1)

def a_name_that_is_sent_is_not_left_to_an_authority():
    with calab.Authority() as ca, Zone(rcode=SERVFAIL) as failing:
        rules, more = by_pkix(ca, *(f"{rule}, by: pkix" for rule in RULES), "name: .old.example, by: pkix")
        def test(b):
            for name, reason in (("_absent.ns.a.example", "no-tlsa"), (MY_NAME, "no-match"), ("_client.unsigned.broken.example", "insecure"),
                                 ("_client.expired.broken.example", "bogus"), ("_client.failing.example", "dns"), ("_x.old.example", "policy")):
                cert = ca.leaf("x", f"DNS:{name}")
                line = refused(b, reason, cert, named(name))
                assert reason != "policy" or "dnssec=- " in line, line
            refused(b, "empty-name", cert, b"\0")
            # With no name the same certificate does: that is what the rule says.
            assert meets(cert, None) == "open"
        with_proxy(test, rules, more, before=1, failing=failing)

with proxylab.world("--broken") as (WORLD, LAB):
    ME, MY_NAME = WORLD["A_NS_CLIENT"], WORLD["A_NS_CLIENT_NAME"]
    run(a_name_that_is_none_is_refused, a_name_beside_the_second_certificate_is_refused, below_tls_1_3_nobody_is_heard,
        a_name_with_another_key_or_no_record_is_refused, records_that_nobody_can_use_and_the_weaker_digest_are_refused, what_dns_does_not_prove_is_refused,
        an_authority_beside_dane_lets_in_only_whom_a_rule_says_it_may, a_certificate_that_its_authority_did_not_make_for_this_is_refused,
        a_name_that_is_sent_is_not_left_to_an_authority)
