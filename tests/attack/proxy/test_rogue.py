#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the server end refuses by itself (attack tls/client), it refuses behind the proxy too, for the same reason:
each rogue client of that list meets a real sardane-proxy, whose backend never hears of it.

PROXY, SARDANE, RESOLVERD and ROGUEC in the environment name the programs.
"""
import contextlib, hashlib, os, pathlib, re, subprocess, sys, tempfile, time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "lib"))
import calab, proxylab
from joinlab import run
from proxylab import Echo, Proxy, Zone, by_certificate, is_cut, listener, receive, stubbed, tlvs

MUTE = [f"mute{i}" for i in range(5)]
RULES = [f"name: .{zone}.example" for zone in ("a", "broken", "failing", "silent", *MUTE)]
HANDSHAKE_FAILURE, PROTOCOL_VERSION, SERVFAIL, TTL = 40, 70, 2, 2
OLD = "_old.ns.a.example"

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
    """test(b), beside a backend that must hear of nobody but the honest client at its end, and of so many before;
    None: as many as were let in."""
    with Echo() as backend, Proxy(stubbed(listener(WORLD, backend.address, rules, more + "    identity: none\n"), **zones)) as b:
        test(b)
        before = sum("tls.accept " in line for line in b.log) if before is None else before
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
    with Zone() as silent, Zone(rcode=SERVFAIL) as failing:
        def test(b):
            for zone, reason in (("expired", "bogus"), ("bad-digest", "bogus"), ("unsigned", "insecure")):
                refused(b, reason, ME, named(f"_client.{zone}.broken.example"))
            refused(b, "dns", ME, named("_client.failing.example"))
            refused(b, "dns", ME, named("_client.silent.example"))
        with_proxy(test, silent=silent, failing=failing)

def published(name, usage, cert, *more):
    """The TLSA record name: usage 0 1 of the certificate."""
    data = subprocess.run(["openssl", "x509", "-in", cert, "-outform", "DER"], capture_output=True, check=True).stdout
    LAB("publish", name, "TLSA", str(usage), "0", "1", hashlib.sha256(data).hexdigest(), *more)
    return name

def below_an_authority_in_dns_only_its_own_certificate_for_the_name_does():
    with calab.Authority() as ca, calab.Authority() as forger:
        name = published("_ta.ns.a.example", 2, ca.pem)
        forged, good = forger.leaf("forged", f"DNS:{name}"), ca.leaf("good", f"DNS:{name}")
        with open(forged + ".pem", "a") as chain:
            chain.write(pathlib.Path(ca.pem).read_text())
        def test(b):
            refused(b, "no-match", forged, named(name))
            for wrong in (ca.leaf("other", "DNS:_other.ns.a.example"), ca.leaf("cn", cn=name), ca.leaf("wild", "DNS:*.ns.a.example")):
                refused(b, "wrong-name", wrong, named(name))
            refused(b, "chain", ca.leaf("old", f"DNS:{name}", days=-1), named(name))
            assert meets(good, named(name)) == "open"
        with_proxy(test, before=1)

def in_pkix_mode_a_chain_is_held_to_date_issuer_and_name():
    with calab.Authority() as ca, calab.Authority() as other, Echo() as backend:
        more = f"    mode: pkix\n    ca_cert: {ca.pem}\n    identity: none\n"
        with Proxy(listener(WORLD, backend.address, [f"name: {OLD}"], more)) as b:
            assert "expired" in refused(b, "chain", ca.leaf("expired", f"DNS:{OLD}", days=-1), None)
            refused(b, "chain", other.leaf("x", f"DNS:{OLD}"), None)
            refused(b, "policy", ca.leaf("cn", cn=OLD), None)
            refused(b, "wrong-name", ca.leaf("other", "DNS:_other.ns.a.example"), named(OLD))
            assert backend.count == 0 and meets(ca.leaf("good", f"DNS:{OLD}"), None) == "open" and backend.count == 1

def where_either_does_an_authority_is_asked_only_if_dns_has_no_tlsa():
    with calab.Authority() as ca, Echo() as backend, Zone(rcode=SERVFAIL) as failing:
        more = f"    mode: dane-or-pkix\n    ca_cert: {ca.pem}\n    identity: none\n"
        rules = [*RULES, f"name: {OLD}, by: pkix", "name: .failing.example, by: pkix", "name: .broken.example, by: pkix", f"name: {MY_NAME}, by: pkix"]
        with Proxy(stubbed(listener(WORLD, backend.address, rules, more), failing=failing)) as b:
            for name, reason in ((MY_NAME, "no-match"), ("_client.expired.broken.example", "bogus"), ("_client.failing.example", "dns")):
                cert = ca.leaf("x", f"DNS:{name}")
                # Whether it is sent or only in the certificate.
                refused(b, reason, cert, None)
                refused(b, reason, cert, named(name))
            # DNS has no TLSA, but no rule leaves the name to an authority.
            assert "no rule allows this key" in refused(b, "policy", ca.leaf("y", "DNS:_absent.ns.a.example"), None)
            assert backend.count == 0
            good = ca.leaf("old", f"DNS:{OLD}")
            assert meets(good, None) == "open" and meets(good, named(OLD)) == "open" and meets(ME, named(MY_NAME)) == "open" and backend.count == 3

def connect(session, name=None, cert=None, wait="1000"):
    """What sardane connect says, as A's Application Server or another, with a session kept in a file."""
    cert = cert or WORLD["A_AS_CLIENT"]
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as settings:
        settings.write(proxylab.resolver(WORLD))
        settings.flush()
        return subprocess.run([os.environ["SARDANE"], "connect", f'{WORLD["B_JS_HOST"]}:{WORLD["B_JS_PORT"]}', "--resolver", settings.name, "--json",
                               "--client-name", name or WORLD["A_AS_CLIENT_NAME"], "--cert", cert + ".pem", "--key", cert + "-key.pem",
                               "--session", session, "--wait", wait], capture_output=True, text=True, timeout=100)

def a_session_ends_with_the_tlsa_that_it_rests_on():
    def resumed(file):
        got = connect(file)
        assert got.returncode == 0, got.stdout + got.stderr
        return '"resumed":true' in got.stdout.replace(" ", "")

    name = WORLD["A_AS_CLIENT_NAME"]
    with tempfile.TemporaryDirectory() as top:
        def unless_asked_for_there_is_none(b):
            def let_in():
                assert not resumed(top + "/none") and not pathlib.Path(top, "none").exists()
                return any("tls.accept " in line for line in b.log)
            until(let_in)

        def test(b):
            # Two within the TTL, which is short for a machine that is busy.
            tries = []
            def twice():
                tries.append(f"{top}/session{len(tries)}")
                assert not resumed(tries[-1])
                return resumed(tries[-1])
            until(twice)
            LAB("withdraw", name, "TLSA")
            time.sleep(TTL + 1.1)  # a resolver counts whole seconds
            got = connect(tries[-1], wait="60000")
            assert got.returncode == 1, got.stdout + got.stderr
            b.said(rf"tls\.refuse peer={name} .*refusal=no-tlsa ")
        with_proxy(unless_asked_for_there_is_none, before=None)
        with_proxy(test, more="    tickets: true\n", before=None)

def until(what, seconds=60):
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.05)

def data_kb(pid):
    return int(re.search(r"VmData:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text())[1])

@contextlib.contextmanager
def held(zone, count):
    """So many clients, each with a name of its own in a zone that never answers; cut at the end."""
    name = named(f"000000.{zone}.example").hex()
    with subprocess.Popen([os.environ["ROGUEC"], WORLD["B_JS_ADDRESS"], WORLD["B_JS_PORT"], ME, name, f"hold={count}"],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as p:
        assert p.stdout.readline() == f"held {count}\n"
        yield
        p.stdin.close()
        assert p.wait(30) == 0

@contextlib.contextmanager
def slow(backend, more, **zones):
    """A proxy that asks servers of zones that never answer; its worker, and how many connections that has."""
    with Proxy(stubbed(listener(WORLD, backend.address, RULES, more), "open_max: 2048, ", **zones)) as b:
        worker, = b.workers()
        few = len(os.listdir(f"/proc/{worker}/fd"))
        yield b, worker, lambda: len(os.listdir(f"/proc/{worker}/fd")) - few

def handshakes_that_wait_for_a_slow_zone_keep_nobody_out():
    fresh = published("_fresh.ns.a.example", 3, ME + ".pem")
    many = 100 if os.environ.get("SARDANE_SANITIZED") else 500
    with Zone() as silent, Echo() as backend, slow(backend, "    identity: none\n", silent=silent) as (_, _, waiting):
        assert meets(ME, named(MY_NAME)) == "open"
        with held("silent", many):
            # One whose TLSA is known by now, and one whose is not.
            assert meets(ME, named(MY_NAME)) == "open" and meets(ME, named(fresh)) == "open"
            beside = waiting()
            assert beside > 0, "they did not wait"
        print(f"# of {many} handshakes {beside} waited beside the honest")
        assert backend.count == 3, backend.count

def a_handshake_that_is_cut_while_it_waits_leaves_nothing():
    each = 20 if os.environ.get("SARDANE_SANITIZED") else 100
    with contextlib.ExitStack() as stack:
        # A server for each time: of one that was silent no more is expected. Who reads requests does not wait for who has gone.
        zones, backend = {zone: stack.enter_context(Zone()) for zone in MUTE}, stack.enter_context(Echo())
        b, worker, waiting = stack.enter_context(slow(backend, "    identity: lorawan\n", **zones))
        sizes = []
        for zone in zones:
            with held(zone, each):
                assert waiting() > 0
            until(lambda: waiting() <= 0)
            sizes.append(data_kb(worker))
        b.said(r"link\.close .*the peer left while DNS was asked", times=3 * each)
        print(f"# when {4 * each} were cut, {sizes[-1] - sizes[0]} KB were left")
        # A job that is not resumed stays, with its 38 KB.
        assert sizes[-1] - sizes[0] < 4 * each * 19 or os.environ.get("SARDANE_SANITIZED"), sizes

def by_pkix(ca, *rules):
    return [*RULES, *rules], f"    client_ca: {ca.pem}\n"

def an_authority_beside_dane_lets_in_only_whom_a_rule_says_it_may():
    with calab.Authority() as ca, Echo(head=True) as backend:
        rules, more = by_pkix(ca, f"name: {OLD}, by: pkix")
        good, stranger = ca.leaf("good", f"DNS:{OLD}"), ca.leaf("stranger", "DNS:_other.ns.a.example")
        with Proxy(listener(WORLD, backend.address, rules, more + "    tickets: true\n")) as b:
            # What DANE may prove, an authority may not.
            line = refused(b, "policy", stranger, None)
            assert "no policy allows a name in the certificate" in line and "dnssec=- " in line, line
            refused(b, "policy", ca.leaf("mine", f"DNS:{MY_NAME}"), None)
            assert backend.count == 0
            assert meets(good, None) == "open" and meets(ME, named(MY_NAME)) == "open"
            # A ticket rests on a TLSA: this one is judged anew each time.
            with by_certificate(WORLD, good) as first:
                first.sendall(b"x")
                assert receive(first, 1) == b"x" and first.session.has_ticket
                with by_certificate(WORLD, good, after=first) as second:
                    second.sendall(b"x")
                    assert receive(second, 1) == b"x" and not second.session_reused
            line = b.said(rf"proxy\.end .*peer={OLD} ")
            assert "how=pkix" in line and "tlsa=- usage=- dnssec=- " in line, line
        told = [tlvs(head[28:]) for head in backend.heads]
        assert [(t[0xE5][1], tlvs(t[0x20][5:])[0x22].decode()) for t in told] == [(2, OLD), (1, MY_NAME), (2, OLD), (2, OLD)], told
        # The rule is about a key as well, if it says so.
        rules, more = by_pkix(ca, f'name: {OLD}, by: pkix, spki_sha256: "{"0" * 64}"')
        with Proxy(listener(WORLD, backend.address, rules, more + "    identity: none\n")) as b:
            assert "no rule allows this key" in refused(b, "policy", good, None)

def what_a_certificate_proved_ends_with_its_time():
    with calab.Authority() as ca, Echo() as backend, tempfile.TemporaryDirectory() as top:
        name = published("_short.ns.a.example", 2, ca.pem, "--ttl", "60")
        rules, more = by_pkix(ca, f"name: {OLD}, by: pkix")
        with Proxy(listener(WORLD, backend.address, rules, more + "    identity: none\n    tickets: true\nstatus: unix:DIR/status\n")) as b:
            # The one that is watched ends last. The second time they end later: the machine was busy.
            for tries, seconds in enumerate((8, 40), 1):
                over = time.monotonic() + seconds - 1
                below, cert = (ca.leaf(f"{who}{seconds}", f"DNS:{san}", seconds=seconds) for who, san in (("below", name), ("old", OLD)))
                with by_certificate(WORLD, cert) as s:
                    s.sendall(b"x")
                    assert receive(s, 1) == b"x"
                    got = [connect(f"{top}/session{seconds}", name, below) for _ in range(2)]
                    in_time = time.monotonic() < over
                    assert is_cut(s, 60)
                if in_time:
                    break
            for one, resumed in zip(got, ("false", "true")):
                assert one.returncode == 0 and f'"resumed":{resumed}' in one.stdout.replace(" ", ""), one.stdout + one.stderr
            assert f"peer={OLD} " in b.said(r"tls\.expired .*the time of the certificate is over", times=tries)
            assert proxylab.metrics(b)['expired_total{at="in",side="listener"}'] == tries
            # Nor is a session any more what it was of a certificate that a TLSA record stands above.
            got = connect(f"{top}/session{seconds}", name, below, "60000")
            assert got.returncode == 1 and "expired" in b.said(r"tls\.refuse .*refusal=chain "), got.stdout + got.stderr

def a_rule_by_pkix_of_one_server_name_lets_nobody_in_by_another():
    with calab.Authority() as ca, Echo() as backend, Echo() as inner:
        names = f"""    names:
      - name: inner.b.example
        backend: "{inner.address}"
        allow: [{{name: {OLD}, by: pkix}}]
"""
        cert = ca.leaf("old", f"DNS:{OLD}")
        with Proxy(listener(WORLD, backend.address, RULES, f"    client_ca: {ca.pem}\n    identity: none\n" + names)) as b:
            for name in (None, WORLD["B_JS_HOST"], "other.b.example"):
                with by_certificate(WORLD, cert, server_name=name) as s:
                    assert is_cut(s)
            b.said(r"tls\.refuse .*refusal=policy ", times=3)
            with by_certificate(WORLD, cert, server_name="inner.b.example") as s:
                s.sendall(b"x")
                assert receive(s, 1) == b"x"
            assert (backend.count, inner.count) == (0, 1)

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

# Each attack on a server end, in tests/attack, and where it is tried through a proxy: the test, its sentence.
TRIED = {
    "tls/attack_client.c": {
        "an_honest_client_comes_in": ("rogue", "a_name_that_is_none_is_refused"),
        "without_a_certificate": ("proxy", "who_is_not_proved_reaches_no_backend"),
        "with_the_certificate_of_another_key": ("rogue", "a_name_with_another_key_or_no_record_is_refused"),
        "without_the_extension": ("rogue", "a_name_that_is_none_is_refused"),
        "with_an_empty_name": ("rogue", "a_name_that_is_none_is_refused"),
        "with_a_name_of_bad_syntax": ("rogue", "a_name_that_is_none_is_refused"),
        "with_a_name_of_255_octets_and_more": ("rogue", "a_name_that_is_none_is_refused"),
        "with_the_name_beside_the_second_certificate": ("rogue", "a_name_beside_the_second_certificate_is_refused"),
        "outside_policy_no_question_is_asked": ("proxy", "for_a_name_outside_the_rules_no_dns_question_is_made"),
        "where_dns_does_not_help": ("rogue", "what_dns_does_not_prove_is_refused"),
        "with_records_that_nobody_can_use": ("rogue", "records_that_nobody_can_use_and_the_weaker_digest_are_refused"),
        "with_a_forged_chain_and_the_real_ca_behind_it": ("rogue", "below_an_authority_in_dns_only_its_own_certificate_for_the_name_does"),
        "below_the_right_ca_with_the_wrong_name": ("rogue", "below_an_authority_in_dns_only_its_own_certificate_for_the_name_does"),
        "by_the_weaker_of_two_digests": ("rogue", "records_that_nobody_can_use_and_the_weaker_digest_are_refused"),
        "below_tls_1_3": ("rogue", "below_tls_1_3_nobody_is_heard"),
        "with_a_session_of_a_server_that_gives_none": ("rogue", "a_session_ends_with_the_tlsa_that_it_rests_on"),
        "by_resumption_after_the_tlsa_was_removed": ("rogue", "a_session_ends_with_the_tlsa_that_it_rests_on"),
        "in_pkix_mode": ("rogue", "in_pkix_mode_a_chain_is_held_to_date_issuer_and_name"),
        "by_pkix_where_dns_has_a_tlsa_or_fails": ("rogue", "where_either_does_an_authority_is_asked_only_if_dns_has_no_tlsa"),
        "beside_dane_by_a_client_ca_and_no_name": ("rogue", "a_certificate_that_its_authority_did_not_make_for_this_is_refused"),
        "by_resumption_of_what_a_client_ca_proved": ("rogue", "an_authority_beside_dane_lets_in_only_whom_a_rule_says_it_may"),
        "by_a_client_ca_with_a_name_that_dane_refuses": ("rogue", "a_name_that_is_sent_is_not_left_to_an_authority"),
        "closed_while_waiting_leaks_nothing": ("rogue", "a_handshake_that_is_cut_while_it_waits_leaves_nothing"),
        "a_thousand_half_open_handshakes_stop_nobody": ("rogue", "handshakes_that_wait_for_a_slow_zone_keep_nobody_out"),
    },
    "join/test_daemon.py": {
        "a_removed_tlsa_ends_handshakes_sessions_and_open_connections": ("proxy", "a_removed_tlsa_closes_what_is_open_from_either_side"),
        "json_that_is_broken_is_refused_over_tls_too": ("lorawan", "a_message_that_can_be_read_two_ways_reaches_no_backend"),
    },
    "join/test_requests.py": {
        "a_sender_id_nobody_granted_is_refused": ("lorawan", "a_sender_id_that_is_not_its_own_reaches_no_backend"),
        "json_that_is_broken_is_refused_and_the_server_lives": ("lorawan", "a_message_that_can_be_read_two_ways_reaches_no_backend"),
        "a_body_too_large_is_refused_before_it_is_read": ("lorawan", "a_message_that_can_be_read_two_ways_reaches_no_backend"),
    },
}
# What the owner of an SSL_CTX of his own may do wrong: the proxy has none.
NONE_OF_A_PROXY = {"by_a_ticket_that_is_bound_to_nothing", "past_a_verify_callback_that_believes_all", "where_nothing_can_wait_only_the_cache_counts"}

def runs(file, sentence):
    """It is one of the sentences of that test, and run: named where it is defined, and once more at the end."""
    text = file.read_text()
    return f"def {sentence}():" in text and re.search(rf"\b{sentence}\b[,)]", text[text.rindex("    run("):])

def each_attack_on_a_server_end_is_tried_through_a_proxy():
    here = pathlib.Path(__file__).resolve().parent
    all_of_them = set(re.findall(r"\bTEST\((\w+)\)", (here.parent / "tls/attack_client.c").read_text()))
    listed = set(TRIED["tls/attack_client.c"])
    assert all_of_them - listed == NONE_OF_A_PROXY, ("not tried through a proxy", all_of_them - listed - NONE_OF_A_PROXY)
    assert listed <= all_of_them, listed - all_of_them
    for source, attacks in TRIED.items():
        for attack, (test, sentence) in attacks.items():
            assert attack in (here.parent / source).read_text(), attack
            assert runs(here / f"test_{test}.py", sentence), sentence
            print(f"# {attack} ({source}): {sentence} (test_{test}.py)")

with proxylab.world("--broken") as (WORLD, LAB):
    ME, MY_NAME = WORLD["A_NS_CLIENT"], WORLD["A_NS_CLIENT_NAME"]
    run(a_name_that_is_none_is_refused, a_name_beside_the_second_certificate_is_refused, below_tls_1_3_nobody_is_heard,
        a_name_with_another_key_or_no_record_is_refused, records_that_nobody_can_use_and_the_weaker_digest_are_refused, what_dns_does_not_prove_is_refused,
        below_an_authority_in_dns_only_its_own_certificate_for_the_name_does, in_pkix_mode_a_chain_is_held_to_date_issuer_and_name,
        a_session_ends_with_the_tlsa_that_it_rests_on, handshakes_that_wait_for_a_slow_zone_keep_nobody_out,
        a_handshake_that_is_cut_while_it_waits_leaves_nothing,
        where_either_does_an_authority_is_asked_only_if_dns_has_no_tlsa,
        an_authority_beside_dane_lets_in_only_whom_a_rule_says_it_may, a_rule_by_pkix_of_one_server_name_lets_nobody_in_by_another,
        a_certificate_that_its_authority_did_not_make_for_this_is_refused,
        what_a_certificate_proved_ends_with_its_time,
        a_name_that_is_sent_is_not_left_to_an_authority, each_attack_on_a_server_end_is_tried_through_a_proxy)
