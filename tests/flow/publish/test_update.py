#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""sardane publish by DNS UPDATE, to real BIND and real Knot, beside writers who know nothing of us.

usage: test_update.py SARDANE; skipped without named, knotd, kdig and nsupdate
"""
import json, subprocess, sys

from publishlab import Between, Lab, check, digest, done, skip_without

skip_without("named", "knotd", "keymgr", "kdig", "nsupdate", "dnssec-dsfromkey", "ldns-signzone")
SARDANE = sys.argv[1]
ONE, TWO, THREE, OTHER = digest("11"), digest("22"), digest("33"), digest("99")

with Lab(SARDANE) as lab:
    for where, zone, via, server in (("BIND", "bind.example", lab.via_bind, "127.0.0.1"),
                                     ("Knot", "example", lab.via_knot, "127.0.0.2")):
        for bits in (256, 384, 512):
            owner = f"_8003._tcp.h{bits}.{zone}"
            rc, said = lab.json("publish", f"h{bits}.{zone}", "--service", "8003/tcp", "--tlsa", ONE, "--via", via(bits))
            check(rc == 0 and said["served"] and said["added"] == [ONE] and said["owner"] == owner,
                  f"{where} takes a record by hmac-sha{bits}, and all its servers have it", said)
            check(lab.served(owner, server) == [ONE], "and it is there", lab.served(owner, server))

        at = dict(bits=256, server=server, zone=zone)
        publish = lambda *more: lab.json("publish", f"_own.{zone}", "--via", via(), *more)
        unpublish = lambda *more: lab.json("unpublish", f"_own.{zone}", "--via", via(), *more)
        owner = f"_own.{zone}"
        lab.put(f"add {owner} 120 TLSA {OTHER}", **at)
        rc, said = publish("--tlsa", ONE, "--dry-run")
        check(rc == 0 and said["changed"] and said["added"] == [ONE], f"{where}: a dry run tells the difference", said)
        check(lab.served(owner, server) == [OTHER], "and changes nothing", lab.served(owner, server))
        rc, said = publish("--tlsa", ONE)
        check(rc == 0 and sorted(said["now"]) == [ONE, OTHER], "a record of another stays", said)
        check(said["ttl"] == 120, "and its TTL with it", said)
        rc, said = publish("--tlsa", TWO, "--add")
        check(rc == 0 and sorted(said["now"]) == [ONE, TWO, OTHER], "--add keeps ours", said)
        rc, said = publish("--tlsa", THREE)
        check(rc == 0 and sorted(said["removed"]) == [ONE, TWO] and sorted(said["now"]) == [THREE, OTHER],
              "a new set takes the place of all of ours", said)
        rc, said = publish("--tlsa", THREE)
        check(rc == 0 and not said["changed"], "the same again is no change", said)
        rc, said = publish("--tlsa", OTHER)
        check(rc == 0 and said["now"] == [OTHER], "to want what another has is possible", said)
        rc, said = unpublish()
        check(rc == 0 and said["now"] == [OTHER] and not said["changed"], "but makes it none of ours", said)
        publish("--tlsa", ONE, "--tlsa", TWO)
        rc, said = unpublish("--tlsa", ONE)
        check(rc == 0 and sorted(said["now"]) == [TWO, OTHER], "one of ours is withdrawn", said)
        lab.put(f"delete {owner} TLSA {OTHER}", f"add {owner} 60 TLSA {THREE}", **at)
        rc, said = unpublish()
        check(rc == 0 and said["removed"] == [TWO] and said["now"] == [THREE],
              "and the last, when another has changed the set meanwhile", said)
        check(lab.served(owner, server) == [THREE], "the server says the same", lab.served(owner, server))

        lab.put(f"add alias.{zone} 60 CNAME {owner}", **at)
        got = lab.run("publish", f"alias.{zone}", "--via", via(), "--tlsa", ONE)
        check(got.returncode == 2 and "alias (CNAME)" in got.stderr, "an alias is refused", got.stderr)
        lab.put(f"add *.wild.{zone} 60 TLSA {OTHER}", **at)
        rc, said = lab.json("publish", f"dev.wild.{zone}", "--via", via(), "--tlsa", ONE)
        check(rc == 0 and said["now"] == [ONE], "what a wildcard makes up is not there", said)
        check(lab.served(f"dev.wild.{zone}", server) == [ONE] and lab.served(f"e.wild.{zone}", server) == [OTHER],
              "and the wildcard is left alone")

        wild = f"*.wild2.{zone}"
        rc, said = lab.json("publish", wild, "--via", via(), "--tlsa", ONE)
        check(rc == 0 and said["now"] == [ONE] and lab.served(f"x.wild2.{zone}", server) == [ONE], "a wildcard is published", said)
        rc, said = lab.json("publish", wild, "--via", via(), "--tlsa", ONE)
        check(rc == 0 and not said["changed"], "and found there, the next time", said)
        rc, said = lab.json("unpublish", wild, "--via", via())
        check(rc == 0 and said["removed"] == [ONE] and said["now"] == [], "and withdrawn", said)

        procs = [subprocess.Popen([SARDANE, "publish", f"_many.{zone}", "--via", via(state=f"s{where}{i}"), "--tlsa", digest(f"a{i}"),
                                   "--no-wait"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) for i in range(4)]
        said = [p.communicate(timeout=60)[0] for p in procs]
        check(all(p.returncode == 0 for p in procs) and lab.served(f"_many.{zone}", server) == [digest(f"a{i}") for i in range(4)],
              f"{where}: four writers at once lose nothing of each other", "\n".join(said))
        got = lab.run("publish", f"x.{zone}", "--via", via(), "--tlsa", ONE, "--no-wait")
        check(got.returncode == 0, "--no-wait asks nobody", got.stderr)

    # a zone that nobody signs: no signature tells what a wildcard makes up
    plain = "plain.bind.example"
    via = lab.via("plain", f"  backend: update\n  zone: {plain}\n  server: 127.0.0.1@{lab.port}\n  key_file: {lab.bind.key(256)}", state="plain")
    for what, name in (("a set", f"_a.{plain}"), ("a wildcard", f"*.fleet.{plain}")):
        for record, changed in ((ONE, True), (ONE, False), (TWO, True)):
            got = lab.run("publish", name, "--via", via, "--tlsa", record, "--no-wait", "--json")
            check(got.returncode == 0 and json.loads(got.stdout)["changed"] == changed, f"{what} in an unsigned zone is told from none", got.stdout + got.stderr)
    got = lab.run("publish", f"d1.fleet.{plain}", "--via", via, "--tlsa", ONE, "--no-wait")
    check(got.returncode == 2 and "not signed, and a wildcard that is there may have made it up" in got.stderr, "where a wildcard answers it is refused",
          got.stdout + got.stderr)
    check(lab.served(f"d1.fleet.{plain}") == [TWO], "and nothing is changed")

    # what happens between our question and our update, and when its answer is lost
    def through(name, between):
        return lab.via(name, f"""  backend: update
  zone: bind.example
  server: {between.server}
  key_file: {lab.bind.key(256)}""", state="between")
    with Between("127.0.0.1", lab.port, lambda: lab.put(f"add _same.bind.example 60 TLSA {ONE}")) as between:
        via = through("same", between)
        rc, said = lab.json("publish", "_same.bind.example", "--via", via, "--tlsa", ONE)
        check(rc == 0 and between.done and said["now"] == [ONE] and not said["changed"], "another who is faster is noticed", said)
        rc, said = lab.json("unpublish", "_same.bind.example", "--via", via)
        check(rc == 0 and said["now"] == [ONE], "and keeps the record that both of us want", said)
    with Between("127.0.0.1", lab.port, lambda: lab.put(f"add _other.bind.example 90 TLSA {OTHER}")) as between:
        rc, said = lab.json("publish", "_other.bind.example", "--via", through("other", between), "--tlsa", ONE)
        check(rc == 0 and sorted(said["now"]) == [ONE, OTHER] and said["ttl"] == 90, "we plan anew with what is there now", said)
    with Between("127.0.0.1", lab.port, lose=True) as between:
        via = through("lost", between)
        got = lab.run("publish", "_lost.bind.example", "--via", via, "--tlsa", ONE)
        check(got.returncode == 2 and lab.served("_lost.bind.example") == [ONE], "an answer that is lost is an error, though it was done", got.stderr)
        rc, said = lab.json("publish", "_lost.bind.example", "--via", via, "--tlsa", ONE)
        check(rc == 0 and not said["changed"] and said["served"], "the same again finds it done", said)
        shown = lab.run("audit", "show", "--state", lab.dir / "between").stdout
        check(shown.count("_lost.bind.example") == 1, "and logs it", shown)
        rc, said = lab.json("unpublish", "_lost.bind.example", "--via", via)
        check(rc == 0 and said["removed"] == [ONE] and said["now"] == [], "as ours", said)

    got = lab.run("audit", "verify", "--state", lab.dir / "state")
    shown = lab.run("audit", "show", "--state", lab.dir / "state").stdout
    check(got.returncode == 0 and "tlsa.withdraw" in shown and f"_8003._tcp.h512.example" in shown, "the audit log has it all",
          got.stdout + got.stderr + shown[-500:])

    secret = lab.bind.key(256).read_text()
    via = lab.via_bind()
    lab.bind.key(256).write_text(secret.replace("ICAg", "ISAg"))
    got = lab.run("publish", "z.bind.example", "--via", via, "--tlsa", ONE)
    check(got.returncode == 2 and "BADSIG" in got.stderr, "another secret is refused: BADSIG", got.stderr)
    (lab.dir / "primary/tsig256.key").write_text(secret.replace(":k256:", ":nobody:"))
    got = lab.run("publish", "z.bind.example", "--via", via, "--tlsa", ONE)
    check(got.returncode == 2 and "BADKEY" in got.stderr, "another key is refused: BADKEY", got.stderr)
    (lab.dir / "primary/tsig256.key").write_text(secret)
    for words, argv in (("not in zone", ("z.org", "--tlsa", ONE)), ("not a domain name", ("a..b", "--tlsa", ONE)),
                        ("nobody could use it", ("z.bind.example", "--tlsa", "3 1 1 aabb")),
                        ("not PORT/tcp", ("z.bind.example", "--service", "70000/tcp", "--tlsa", ONE)),
                        ("missing", ("z.bind.example",))):
        got = lab.run("publish", *argv, "--via", via)
        check(got.returncode == 2 and words in got.stderr, f"bad input: {words}", got.stderr)
    lab.bind.halt()
    got = lab.run("publish", "z.bind.example", "--via", via, "--tlsa", ONE)
    check(got.returncode == 2 and "refused" in got.stderr, "a primary that is down is told", got.stderr)

with Lab(SARDANE, secondary=True) as lab:
    rc, said = lab.json("publish", "a.bind.example", "--via", lab.via_bind(), "--tlsa", ONE)
    check(rc == 0 and len(said["servers"]) == 2 and all(s["serves"] for s in said["servers"]), "both servers have it", said)
    check(lab.served("a.bind.example", "127.0.0.3") == [ONE], "the secondary too")
    lab.second.halt()
    rc, said = lab.json("publish", "a.bind.example", "--via", lab.via_bind(), "--tlsa", TWO, "--wait", 1)
    check(rc == 1 and not said["served"] and [s["serves"] for s in said["servers"]].count(True) == 1,
          "a server that is down is named", said)
    lab.second.start()
    rc, said = lab.json("publish", "a.bind.example", "--via", lab.via_bind(), "--tlsa", TWO)
    check(rc == 0 and not said["changed"] and said["served"], "and asked again when it is back", said)
done()
