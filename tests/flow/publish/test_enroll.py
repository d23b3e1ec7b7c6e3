#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""sardane enroll and names: a name comes and goes whole, whatever interrupts it.

usage: test_enroll.py SARDANE; skipped without named, knotd, kdig, nsupdate and openssl
"""
import json, pathlib, subprocess, sys, time

from publishlab import Lab, check, digest, done, skip_without

skip_without("named", "knotd", "keymgr", "kdig", "nsupdate", "dnssec-dsfromkey", "ldns-signzone", "openssl")
SARDANE = sys.argv[1]


def tlsa(lab, prefix):
    return lab.run("tlsa", "generate", "--cert", f"{prefix}.pem").stdout.strip()


with Lab(SARDANE, secondary=True) as lab:
    bind, knot, state = lab.via_bind(), lab.via_knot(), lab.dir / "state"
    rc, said = lab.json("enroll", "js.bind.example", "--service", "8003/tcp", "--via", bind)
    check(rc == 0 and said["step"] == "enrolled" and said["proof"]["dnssec"] == "secure" and len(said["servers"]) == 2,
          "a server is enrolled", said)
    prefix = said["prefix"]
    check(lab.served("_8003._tcp.js.bind.example", "127.0.0.3") == [tlsa(lab, prefix)], "its record is everywhere")
    check(oct(pathlib.Path(prefix + "-key.pem").stat().st_mode)[-3:] == "600", "its key is private")
    before = pathlib.Path(prefix + ".pem").read_text()
    rc, again = lab.json("enroll", "JS.bind.example.", "--service", "8003/tcp", "--via", bind)
    check(rc == 0 and again["step"] == "enrolled" and pathlib.Path(prefix + ".pem").read_text() == before, "the same again is no change", again)
    got = lab.run("enroll", "js.bind.example", "--service", "8003/tcp", "--via", bind, "--key", "ed25519")
    check(got.returncode == 2 and "on other terms" in got.stderr, "on other terms it is refused", got.stderr)

    lab.put("add js.bind.example 60 A 127.0.0.1")
    port = lab.port + 1 if lab.port < 65000 else lab.port - 1
    server = subprocess.Popen(["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-cert", prefix + ".pem", "-key", prefix + "-key.pem",
                               "-quiet"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        rc, said = lab.json("enroll", "js.bind.example", "--service", f"{port}/tcp", "--via", bind)
        check(rc == 0 and said["prefix"] != prefix, "another port is another identity", said)
        record = tlsa(lab, prefix)
        lab.json("publish", "js.bind.example", "--service", f"{port}/tcp", "--via", bind, "--tlsa", record, "--add")
        for _ in range(100):
            got = lab.run("connect", f"js.bind.example:{port}", "--resolver", lab.resolver, "--wait", 100)
            if got.returncode != 2 and "Connection refused" not in got.stdout:
                break
            time.sleep(0.1)
        check(got.returncode == 0 and "authenticated" in got.stdout, "a peer believes the enrolled key in a handshake", got.stdout + got.stderr)
    finally:
        server.kill()
        server.wait()

    lab.run("ca", "init", state, "--name", "Root")
    rc, said = lab.json("enroll", "_ns-client.ns.example", "--client", "--via", knot, "--ca", "--key", "ed25519", "--days", "9")
    check(rc == 0 and said["step"] == "enrolled", "a client is enrolled by the authority of the state, at Knot", said)
    got = subprocess.run(["openssl", "verify", "-purpose", "sslclient", "-CAfile", state / "ca.pem", said["prefix"] + ".pem"], capture_output=True, text=True)
    check(got.returncode == 0, "openssl verifies its certificate", got.stderr)
    listed = json.loads(lab.run("names", "list", "--state", state, "--json").stdout)
    check([n["owner"] for n in listed] == sorted(n["owner"] for n in listed) and len(listed) == 3 and
          {n["step"] for n in listed} == {"enrolled"}, "names list has them all", listed)
    shown = json.loads(lab.run("names", "show", "_ns-client.ns.example", "--state", state, "--json").stdout)
    check(shown["issuer"] == str(state) and shown["days"] == 9 and shown["records"][0]["state"] == "published", "names show has the particulars", shown)

    lab.second.halt()
    rc, said = lab.json("enroll", "late.bind.example", "--client", "--via", bind, "--wait", 1)
    check(rc == 1 and said["step"] == "published" and not said["served"], "while a server is away it waits", said)
    lab.second.launch()
    rc, said = lab.json("enroll", "late.bind.example", "--client", "--via", bind)
    check(rc == 0 and said["step"] == "enrolled", "and goes on when it is back", said)
    lab.second.halt()
    rc, said = lab.json("names", "remove", "late.bind.example", "--state", state, "--wait", 1)
    check(rc == 1 and said["step"] == "leaving", "leaving waits for it too", said)
    got = lab.run("enroll", "late.bind.example", "--client", "--via", bind)
    check(got.returncode == 2 and "is being removed" in got.stderr, "and does not turn round", got.stderr)
    lab.second.launch()
    lab.put("add late.bind.example 60 TLSA " + digest("99"))
    rc, said = lab.json("names", "remove", "late.bind.example", "--state", state)
    check(rc == 0 and lab.served("late.bind.example", "127.0.0.3") == [digest("99")], "it leaves what is another's", said)
    check(not pathlib.Path(state / "names/late.bind.example").exists(), "and no file")
    got = lab.run("names", "remove", "late.bind.example", "--state", state)
    check(got.returncode == 1, "what is not there is not removed", got.stderr)
    for words, argv in (("give one of them", ("x.bind.example",)), ("only letters", ("x*y.bind.example", "--client")),
                        ("not in zone", ("x.org", "--client")), ("key kind", ("x.bind.example", "--client", "--key", "dsa"))):
        got = lab.run("enroll", *argv, "--via", bind)
        check(got.returncode == 2 and words in got.stderr, f"bad input: {words}", got.stderr)
    got = lab.run("audit", "verify", "--state", state)
    check(got.returncode == 0, "the audit log is whole", got.stdout)
done()
