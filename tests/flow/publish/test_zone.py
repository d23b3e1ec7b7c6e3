#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""sardane zone: what init writes makes real Knot and real BIND sign; ds goes to the parent; check finds what is wrong.

usage: test_zone.py SARDANE; skipped without named, knotd, kdig and nsupdate
"""
import json, os, pathlib, subprocess, sys, time

import dnsworld
from publishlab import Lab, check, digest, done, skip_without

skip_without("named", "knotd", "keymgr", "kdig", "nsupdate", "dnssec-dsfromkey", "ldns-signzone", "knotc", "named-checkconf")
SARDANE = sys.argv[1]


def wait_for(what, seconds=30):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        got = what()
        if got:
            return got
        time.sleep(0.1)
    return what()


class Org:
    """The files of zone init, served by one of the two servers on 127.0.0.1."""

    def __init__(self, lab, program):
        self.lab, self.program, self.process = lab, program, None
        self.zone = f"{program}.org.example"
        self.dir = lab.dir / f"org-{program}"

    def start(self):
        argv = {"knotd": ["-c", str(self.dir / "knot.conf")], "named": ["-g", "-n", "1", "-c", str(self.dir / "named.conf")]}
        with open(self.dir / "log", "a") as log:
            self.process = subprocess.Popen([dnsworld.tool(self.program), *argv[self.program]], stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log)
        return wait_for(lambda: self.lab.json("zone", "ds", self.zone, "--server", f"127.0.0.1@{self.lab.port}")[0] == 0)

    def stop(self):
        if self.process:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.process = None


with Lab(SARDANE) as lab:
    lab.bind.halt()  # its address and port are the organisation's now
    parent = dict(server="127.0.0.2", zone="example")
    for program in ("knotd", "named"):
        org = Org(lab, program)
        got = lab.run("zone", "init", org.zone, "--dir", org.dir, "--address", "127.0.0.1", "--port", lab.port, "--ttl", 30)
        check(got.returncode == 0 and f"zone ds {org.zone}" in got.stdout, f"{program}: a zone is written", got.stderr)
        again = lab.run("zone", "init", org.zone, "--dir", org.dir, "--address", "127.0.0.1")
        check(again.returncode == 2 and "exists already" in again.stderr, "and never replaced", again.stderr)
        modes = {n: oct((org.dir / n).stat().st_mode)[-3:] for n in ("tsig.key", "knot.conf", "named.conf")}
        check(set(modes.values()) == {"600"}, "what holds the key is private", modes)
        checks = {"knotd": ["knotc", "-c", str(org.dir / "knot.conf"), "conf-check"], "named": ["named-checkconf", str(org.dir / "named.conf")]}
        got = subprocess.run([dnsworld.tool(checks[program][0]), *checks[program][1:]], capture_output=True, text=True)
        check(got.returncode == 0 and "warning" not in (got.stdout + got.stderr).lower(), "the server finds no fault in its configuration", got.stdout + got.stderr)
        try:
            check(org.start(), "it starts and signs", (org.dir / "log").read_text()[-2000:])
            text = lab.run("zone", "ds", org.zone, "--server", f"127.0.0.1@{lab.port}").stdout
            rc, keys = lab.json("zone", "ds", org.zone, "--server", f"127.0.0.1@{lab.port}")
            key = keys["keys"][0]
            check(rc == 0 and len(keys["keys"]) == 1 and key["flags"] == 257 and key["algorithm_name"] == "ECDSAP256SHA256", "one key for the parent", keys)
            check(all(w in text for w in ("IN DS ", "key tag ", "digest type  2 (SHA-256)", "digest type  4 (SHA-384)", "IN DNSKEY 257 3 13 ", "IN CDS ")),
                  "in every form registrars want", text)

            resolver = lab.dir / f"resolver-{program}.yaml"
            resolver.write_text(lab.resolver.read_text().replace("  root_servers", f"    - {{zone: {org.zone}, server: 127.0.0.1@{lab.port}}}\n  root_servers"))
            rc, said = lab.json("zone", "check", org.zone, "--resolver", resolver)
            check(rc == 2, "before it is delegated there is no zone to check", said)
            lab.put(f"add {org.zone} 60 NS ns1.{org.zone}", f"add ns1.{org.zone} 60 A 127.0.0.1", **parent)
            rc, said = lab.json("zone", "check", org.zone, "--resolver", resolver)
            check(rc == 1 and {"ds", "chain"} == {f["what"] for f in said["findings"]}, "without a DS it is told", said)
            lab.put(f"add {org.zone} 60 DS {key['key_tag']} {key['algorithm']} 2 {'ab' * 32}", **parent)
            rc, said = lab.json("zone", "check", org.zone, "--resolver", resolver)
            check(rc == 1 and any("is bogus" in f["words"] for f in said["findings"]), "so is a wrong one", said)
            record = key["ds"][0]["record"].split(" DS ")[1]
            lab.put(f"delete {org.zone} DS", f"add {org.zone} 60 DS {record}", **parent)
            rc, said = lab.json("zone", "check", org.zone, "--resolver", resolver)
            check(rc == 0 and said["servers"] == 1 and said["signatures_until"], "with the one of zone ds nothing is wrong", said)

            via = org.dir / "publish.yaml"
            via.write_text(via.read_text() + f"resolver:\n  file: {resolver}\n")
            rc, said = lab.json("enroll", f"js.{org.zone}", "--service", "8003/tcp", "--via", via)
            check(rc == 0 and said["proof"]["dnssec"] == "secure", "a name is enrolled in it by the file for --via", said)
            got = subprocess.run([dnsworld.tool("nsupdate"), "-y", (org.dir / "tsig.key").read_text().strip()],
                                 input=f"server 127.0.0.1 {lab.port}\nzone {org.zone}\nadd x.{org.zone} 60 A 192.0.2.1\nsend\n", text=True, capture_output=True)
            check(got.returncode != 0 and lab.json("zone", "check", org.zone, "--resolver", resolver)[0] == 0, "the key may change TLSA records only", got.stderr)
            owner = f"_8003._tcp.js.{org.zone}"
            org.stop()
            check(org.start() and lab.served(owner) != [], "the record outlives a restart of the server", lab.served(owner))

            state = org.dir / "state"
            rc, said = lab.json("zone", "check", org.zone, "--resolver", resolver, "--state", state, "--revoke-within", 60)
            check(rc == 0 and said["names"] == 1, "its enrolled names are looked at", said)
            rc, said = lab.json("zone", "check", org.zone, "--resolver", resolver, "--state", state, "--revoke-within", 10)
            check([f["what"] for f in said["findings"]] == ["ttl"], "a TTL too long for a revocation is told", said)
            rc, said = lab.json("zone", "check", org.zone, "--resolver", resolver, "--expires-within", 30)
            check({f["what"] for f in said["findings"]} == {"signature"} and said["findings"][0]["when"] == "soon", "signatures about to expire are told", said)
            lab.run("publish", f"js.{org.zone}", "--service", "8003/tcp", "--via", via, "--tlsa", digest("77"), "--no-wait", "--force")
            rc, said = lab.json("zone", "check", org.zone, "--resolver", resolver, "--state", state)
            check({f["what"] for f in said["findings"]} == {"tlsa"} and any("no TLSA record matches" in f["words"] for f in said["findings"]),
                  "a TLSA that matches no key of ours is told", said)
            org.stop()
            rc, said = lab.json("zone", "check", org.zone, "--resolver", resolver)
            check(rc == 1 and any(f["what"] == "server" for f in said["findings"]), "a server that is away is told", said)
        finally:
            org.stop()

with Lab(SARDANE, secondary=True, notify=False) as lab:
    rc, said = lab.json("zone", "check", "bind.example", "--resolver", lab.resolver)
    check(rc == 0 and said["servers"] == 2, "two servers that agree are no finding", said)
    rc, said = lab.json("publish", "_c.bind.example", "--via", lab.via_bind(), "--tlsa", digest("11"), "--wait", 1)
    check(rc == 1 and [s["why"] for s in said["servers"] if not s["serves"]] == ["1 of 1 records not there yet"],
          "a secondary that lags is told when publishing", said)
    rc, said = lab.json("zone", "check", "bind.example", "--resolver", lab.resolver, "--name", "_c.bind.example")
    check(rc == 1 and [f["what"] for f in said["findings"]].count("disagree") == 2, "and by its serial and records when checking", said)
    lab.bind.halt()
    rc, said = lab.json("zone", "check", "bind.example", "--resolver", lab.resolver)
    check(rc == 1 and "server" in {f["what"] for f in said["findings"]}, "a primary that is away is told", said)
done()
