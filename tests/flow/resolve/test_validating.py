#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""sardane-resolverd against a real signed DNS: every status, and what happens when things break."""
import os, pathlib, re, signal, socket, subprocess, sys, tempfile, time

from probing import HELPER, WAIT, Probe, check, refused, run, validating
import dnsworld

world = dnsworld.World(f"short.example. 1 TLSA {dnsworld.DIGEST}\n")


def it_calls_signed_records_secure():
    with validating(world) as p:
        check(p.ask("_8003._tcp.js.example", "TLSA"), status="secure", records=1, octets=35, ttl=300, aliased=0)
        check(p.ask("JS.example", "A"), status="secure", records=1)
        check(p.ask("x.y.device.example", "TLSA"), status="secure", records=1, final="x.y.device.example")


def it_tells_the_two_secure_denials_apart():
    with validating(world) as p:
        check(p.ask("js.example", "SRV"), status="secure-denial", nxdomain=0, records=0, ttl=60)
        check(p.ask("nothing.example", "TLSA"), status="secure-denial", nxdomain=1, rcode=3)


def it_follows_aliases_to_the_final_owner_with_the_least_ttl():
    with validating(world) as p:
        check(p.ask("_8003._tcp.alias.example", "TLSA"), status="secure", aliased=1, ttl=200,
              final="_8003._tcp.js.example", records=1)
        check(p.ask("far.example", "A"), status="secure", aliased=1, final="far.org", ttl=100)
        check(p.ask("dangling.example", "A"), status="secure-denial", aliased=1, nxdomain=1)


def it_calls_an_unsigned_child_insecure_and_an_alias_into_it():
    with validating(world) as p:
        check(p.ask("host.insecure.example", "TLSA"), status="insecure", records=1)
        check(p.ask("nothing.insecure.example", "TLSA"), status="insecure", records=0, nxdomain=1)
        check(p.ask("loose.example", "A"), status="insecure", aliased=1)


def it_calls_a_wrong_ds_bogus_with_the_reason_and_no_record():
    with validating(world) as p:
        a = p.ask("host.wrongds.example", "TLSA")
        check(a, status="bogus", records=0)
        assert "DS" in a["why"], a


def it_calls_a_tampered_record_bogus_with_the_reason_and_no_record():
    with validating(world) as p:
        a = p.ask("host.tampered.example", "TLSA")
        check(a, status="bogus", records=0)
        assert "signature" in a["why"], a


def it_calls_expired_signatures_bogus():
    year = time.gmtime().tm_year + 10
    with validating(world, "--override-date", f"{year}0101000000") as p:
        a = p.ask("js.example", "A")
        check(a, status="bogus", records=0)
        assert "expired" in a["why"], a


def it_calls_everything_bogus_under_another_anchor():
    with tempfile.NamedTemporaryFile("w", suffix=".anchor") as f:
        f.write(". IN DS 12345 13 2 " + "11" * 32 + "\n")
        f.flush()
        with Probe("--helper", HELPER, "--anchor", f.name, "--forward", world.address) as p:
            check(p.ask("js.example", "A"), status="bogus", records=0)
    with Probe("--helper", HELPER, "--forward", world.address) as p:
        check(p.ask("js.example", "A"), status="bogus", records=0)


def it_brings_an_answer_too_big_for_a_datagram():
    with validating(world) as p:
        check(p.ask("big.example", "TLSA"), status="secure", records=40, octets=67)


def it_answers_failed_before_the_deadline_when_the_forwarder_is_dead():
    silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    silent.bind(("127.0.0.1", 0))
    with Probe("--helper", HELPER, "--anchor", world.anchor, "--forward",
               f"127.0.0.1@{silent.getsockname()[1]}", "--deadline", "300") as p:
        a = p.ask("js.example", "A")
        check(a, status="failed", records=0)
        assert "deadline" in a["why"], a
        assert p.stats()["timed_out"] == 1
    silent.close()


def it_outlives_an_outage_with_what_was_secure_only_when_told_to():
    with validating(world, "--deadline", "700") as usual, validating(world, "--deadline", "700", "--serve-stale", "60") as told:
        for p in (usual, told):
            check(p.ask("short.example", "TLSA", timeout=4000), status="secure", stale=0)
            check(p.ask("js.example", "SRV", timeout=4000), status="secure-denial")
        world.halt()
        time.sleep(1.1)
        check(usual.ask("short.example", "TLSA"), status="failed", stale=0)
        check(told.ask("short.example", "TLSA"), status="secure", records=1, octets=35, stale=1)
        check(told.ask("_ns-client.ns.example", "TLSA"), status="failed", stale=0)
        assert told.stats()["stale"] == 1, told.stats()
        words = told.close()
        assert words.count("resolver.stale name=short.example type=TLSA ") == 1, words
    world.launch()


def it_uses_the_second_forwarder_of_a_resolv_conf():
    with tempfile.NamedTemporaryFile("w") as f:
        f.write(f"# a comment\nsearch lan\nnameserver 127.0.0.1@{dnsworld.free_port()}\n"
                f"nameserver 127.0.0.1#{world.port}\noptions ndots:1\n")
        f.flush()
        with Probe("--helper", HELPER, "--anchor", world.anchor, "--resolv-conf", f.name, "--deadline", "4000") as p:
            check(p.ask("js.example", "A"), status="secure")


def it_asks_the_servers_of_stub_zones():
    stubs = [x for z in (".", "example.", "org.") for x in ("--stub", f"{z}={world.address}")]
    with Probe("--helper", HELPER, "--anchor", world.anchor, "--deadline", "4000", *stubs) as p:
        check(p.ask("js.example", "A"), status="secure")


def it_sends_a_thousand_equal_questions_once():
    with validating(world) as p:
        answers = p.ask("_ns-client.ns.example", "TLSA", count=1000)
        assert all(a["status"] == "secure" for a in answers)
        s = p.stats()
        assert s["sent"] == 1 and s["coalesced"] == 999 and s["asked"] == 1000 and s["open"] == 0, s
        check(p.ask("_ns-client.ns.example", "TLSA"), status="secure")
        assert p.stats()["cached"] == 1


def it_makes_no_system_call_for_a_cached_answer():
    with validating(world) as p:
        check(p.ask("js.example", "A"), status="secure")
        p.say("strict js.example A")
        check(p.line(), killed=0, exit=0)


def it_holds_one_source_to_its_budget_and_lets_others_pass():
    world.halt()
    try:
        with validating(world, "--per-source", "3", "--deadline", "1500") as p:
            for i in range(4):
                p.say(f"ask 1 n{i}.example A 77 0")
            a = p.line()
            check(a, status="failed", name="n3.example")
            assert "source" in a["why"], a
            p.say("ask 1 n9.example A 78 0")
            for _ in range(4):
                check(p.line(), status="failed")
            s = p.stats()
            assert s["refused"] == 1 and s["open"] == 0, s
    finally:
        world.launch()


def it_survives_the_death_of_the_validator_with_open_questions():
    world.halt()
    with validating(world, "--deadline", "4000") as p:
        p.say("ask 20 js.example A 0 0")
        p.say("ask 5 _8003._tcp.js.example TLSA 0 0")
        assert p.stats()["open"] == 2
        before = p.child()
        os.kill(before[0], signal.SIGKILL)
        world.launch()
        for _ in range(25):
            check(p.line(), status="secure")
        s = p.stats()
        assert s["restarts"] == 1 and s["open"] == 0, s
        assert p.child() != before
        traced = p.close()
        assert "resolver.lost" in traced, traced


def it_replaces_a_validator_that_hangs():
    with validating(world, "--deadline", "4000") as p:
        before = p.child()
        os.kill(before[0], signal.SIGSTOP)
        check(p.ask("js.example", "A"), status="failed", records=0)
        check(p.ask("js.example", "A"), status="secure")
        assert p.child() != before and p.stats()["restarts"] == 1


def it_does_not_take_silent_servers_for_a_hanging_validator():
    silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    silent.bind(("127.0.0.1", 0))
    with Probe("--helper", HELPER, "--anchor", world.anchor, "--deadline", "4000", "--forward",
               f"127.0.0.1@{silent.getsockname()[1]}") as p:
        for name in ("a.example", "b.example"):
            check(p.ask(name, "A"), status="failed")
        assert p.stats()["restarts"] == 0
    silent.close()


def it_answers_failed_while_the_validator_cannot_come_back():
    with tempfile.TemporaryDirectory() as d:
        helper = pathlib.Path(d) / "resolverd"
        helper.symlink_to(HELPER)
        with Probe("--helper", str(helper), "--anchor", world.anchor, "--forward", world.address, "--deadline", "300") as p:
            helper.unlink()
            os.kill(p.child()[0], signal.SIGKILL)
            check(p.ask("js.example", "A"), status="failed", records=0)
            check(p.ask("_8003._tcp.js.example", "TLSA"), status="failed", records=0)
            helper.symlink_to(HELPER)
            check(p.ask("js.example", "A", timeout=4000), status="secure")


STRANGER = """#!%s -I
import socket
s = socket.socket(fileno=3)
s.recv(65536)
s.send(b"\\2\\0\\0" + bytes([%d]) + b"%s\\0")
"""


def it_says_once_that_a_sardane_resolverd_of_another_version_took_the_place_of_its_own():
    words = "speaks version 3 of its protocol"
    with tempfile.TemporaryDirectory() as d:
        helper, other = pathlib.Path(d) / "resolverd", pathlib.Path(d) / "other"
        helper.symlink_to(HELPER)
        other.write_text(STRANGER % (sys.executable, len(words) + 1, words))
        other.chmod(0o755)
        with Probe("--helper", str(helper), "--anchor", world.anchor, "--forward", world.address, "--deadline", "1500") as p:
            helper.unlink()
            helper.symlink_to(other)
            os.kill(p.child()[0], signal.SIGKILL)
            asked = []
            while p.stats()["restarts"] <= 2:  # each time it says the same
                asked.append(p.ask("js.example", "A"))
                check(asked[-1], status="failed")
                assert len(asked) < 20, asked
            assert any(a["why"] == f"sardane-resolverd: {words}" for a in asked), asked
            helper.unlink()
            helper.symlink_to(HELPER)
            check(p.ask("js.example", "A", timeout=4000), status="secure")
            traced = [l for l in p.close().splitlines() if words in l]
            assert sum(l.startswith("1 resolver.lost ") for l in traced) == 1, traced


def it_tells_a_program_of_another_version_both_and_what_to_do():
    for first, version, advice in ((0, 1, "start that program again"), (1, 1, "start that program again"),
                                   (3, 3, "install the sardane-resolverd of that program")):
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        p = subprocess.Popen(["/bin/sh", "-c", f"exec {HELPER} 3<&{theirs.fileno()}"], pass_fds=[theirs.fileno()])
        theirs.close()
        ours.send(bytes([1, first]) + bytes(12))
        said = ours.recv(65536)
        assert p.wait(WAIT) == 1 and said[:2] == b"\2\0", said
        assert said[4:-1].decode() == (f"speaks version 2 of its protocol, the program that started it {version}: "
                                       f"{advice}"), said


def it_leaves_no_process_behind():
    p = validating(world)
    child = p.child()[0]
    p.close()
    assert not pathlib.Path(f"/proc/{child}").exists()


def it_lives_in_a_sandbox():
    with validating(world) as p:
        check(p.ask("js.example", "A"), status="secure")
        status = pathlib.Path(f"/proc/{p.child()[0]}/status").read_text()
        fields = dict(l.split(":\t", 1) for l in status.splitlines() if ":\t" in l)
        assert fields["NoNewPrivs"] == "1" and fields["Seccomp"] == "2", fields
        if os.geteuid() == 0:
            assert not fields["Uid"].startswith("0\t") and int(fields["CapEff"], 16) == 0, fields
        fds = os.listdir(f"/proc/{p.child()[0]}/fd") if os.geteuid() == 0 else []
        assert len(fds) < 16, fds


def it_verifies_with_openssl_what_libunbound_would_give_to_nettle():
    said = subprocess.run([HELPER, "--version"], env={"LD_DEBUG": "bindings"}, capture_output=True, text=True, check=True).stderr
    bound = re.findall(r"file \S*/libunbound\.so\S* .* to (\S+) .*`(nettle_ecdsa_verify|EVP_DigestVerify\w*)'", said)
    assert bound, "libunbound verifies with neither"
    for where, function in bound:
        assert where == HELPER or function.startswith("EVP_"), (where, function)


def it_keeps_a_managed_anchor_file():
    with tempfile.TemporaryDirectory() as d:
        os.chmod(d, 0o777)
        managed = pathlib.Path(d) / "root.key"
        managed.write_text(pathlib.Path(world.anchor).read_text())
        with Probe("--helper", HELPER, "--managed", str(managed), "--forward", world.address) as p:
            check(p.ask("js.example", "A"), status="secure")
            for _ in range(100):
                if "last_success" in managed.read_text():
                    break
                time.sleep(0.05)
        assert "DNSKEY" in managed.read_text(), managed.read_text()


def it_says_why_it_cannot_start():
    base = ("--forward", world.address)
    assert "No such file" in refused("--helper", "/nonexistent/resolverd", *base)
    assert "anchor" in refused("--helper", HELPER, "--anchor", "/nonexistent/anchor", *base)
    assert "encrypted" in refused("--helper", HELPER, "--forward", "127.0.0.1@853")
    assert "encrypted" in refused("--helper", HELPER, "--forward", "tls://192.0.2.1")
    assert "encrypted" in refused("--helper", HELPER, "--forward", "192.0.2.1@853#dns.example")
    assert "not an address" in refused("--helper", HELPER, "--forward", "dns.example")
    assert "stub zone" in refused("--helper", HELPER, "--stub", "a..b=127.0.0.1")
    assert "resolv_conf" in refused("--helper", HELPER, "--resolv-conf", "/nonexistent/resolv.conf")
    assert refused("--helper", "/bin/true", *base).startswith("/bin/true: ")
    if os.geteuid() == 0:
        assert "no such user" in refused("--helper", HELPER, "--user", "no-such-user", *base)


with world:
    run(sys.modules[__name__])
