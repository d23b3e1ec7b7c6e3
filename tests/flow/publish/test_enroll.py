#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""sardane enroll and names: a name comes and goes whole, whatever interrupts it.

usage: test_enroll.py SARDANE; skipped without named, knotd, kdig, nsupdate and openssl
"""
import json, os, pathlib, signal, subprocess, sys

import dnsworld
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

    name = ("js.bind.example", "--service", "8003/tcp", "--via", bind)
    for command in (("publish", *name, "--tlsa", digest("55")), ("unpublish", *name)):
        got = lab.run(*command)
        check(got.returncode == 2 and "is enrolled" in got.stderr and "--force" in got.stderr, f"{command[0]} does not take its record away", got.stderr)
    check(lab.served("_8003._tcp.js.bind.example", "127.0.0.3") == [tlsa(lab, prefix)], "and it is everywhere still")
    rc, said = lab.json("publish", *name, "--tlsa", digest("55"), "--add")
    check(rc == 0 and len(said["now"]) == 2, "one more may be published beside it", said)
    rc, said = lab.json("publish", *name, "--cert", prefix + ".pem", "--force")
    check(rc == 0 and said["now"] == [tlsa(lab, prefix)], "and taken away, when that is forced", said)

    # a server that takes its key and certificate when it is told to
    lab.put("add live.bind.example 60 A 127.0.0.1")
    port = dnsworld.free_port()
    reload = lab.dir / "reload"
    reload.write_text(f"""#!/bin/sh
openssl s_server -accept 127.0.0.1:{port} -cert "$SARDANE_CERT" -key "$SARDANE_KEY" -quiet -www >{lab.dir}/server.log 2>&1 &
echo $! >{lab.dir}/server.pid
""")
    reload.chmod(0o755)
    live = ("enroll", "live.bind.example", "--service", f"{port}/tcp", "--via", bind, "--connect")
    lab.json(*live[:-1])  # first the records, on every server
    rc, said = lab.json(*live, "--wait", 1)
    check(rc == 1 and said["step"] == "enrolled" and not said["live"]["authenticated"] and "refused" in said["live"]["why"],
          "a server that is not there is told", said)
    try:
        rc, said = lab.json(*live, "--reload", reload)
        check(rc == 0 and said["live"]["authenticated"] and "TLSA 3 1 1" in said["live"]["why"],
              "once it took its key it proves itself in a handshake", said)
    finally:
        if (lab.dir / "server.pid").exists():
            os.kill(int((lab.dir / "server.pid").read_text()), signal.SIGKILL)
    got = lab.run(*live, "--reload", "echo no such server; exit 4")
    check(got.returncode == 2 and "status 4: no such server" in got.stderr, "a reload that fails is told with its words", got.stderr)

    lab.run("ca", "init", state, "--name", "Root")
    rc, said = lab.json("enroll", "_ns-client.ns.example", "--client", "--via", knot, "--ca", "--key", "ed25519", "--days", "9")
    check(rc == 0 and said["step"] == "enrolled", "a client is enrolled by the authority of the state, at Knot", said)
    got = subprocess.run(["openssl", "verify", "-purpose", "sslclient", "-CAfile", state / "ca.pem", said["prefix"] + ".pem"], capture_output=True, text=True)
    check(got.returncode == 0, "openssl verifies its certificate", got.stderr)
    listed = json.loads(lab.run("names", "list", "--state", state, "--json").stdout)
    check([n["owner"] for n in listed] == sorted(n["owner"] for n in listed) and len(listed) == 3 and
          {n["step"] for n in listed} == {"enrolled"}, "names list has them all", listed)
    (pathlib.Path(state) / "names" / "odd.example").mkdir(parents=True)
    (pathlib.Path(state) / "names" / "odd.example" / "rollover.json").write_text("{")
    got = lab.run("names", "list", "--state", state, "--json")
    check(got.returncode == 2 and "odd.example" in got.stderr and json.loads(got.stdout) == listed, "a file that cannot be read hides none of them", got.stderr)
    subprocess.run(["rm", "-r", pathlib.Path(state) / "names" / "odd.example"], check=True)
    shown = json.loads(lab.run("names", "show", "_ns-client.ns.example", "--state", state, "--json").stdout)
    check(shown["issuer"] == str(state) and shown["days"] == 9 and shown["records"][0]["state"] == "published", "names show has the particulars", shown)

    lab.second.halt()
    rc, said = lab.json("enroll", "late.bind.example", "--client", "--via", bind, "--wait", 1)
    check(rc == 1 and said["step"] == "published" and not said["served"], "while a server is away it waits", said)
    lab.second.start()
    rc, said = lab.json("enroll", "late.bind.example", "--client", "--via", bind)
    check(rc == 0 and said["step"] == "enrolled", "and goes on when it is back", said)
    lab.second.halt()
    rc, said = lab.json("names", "remove", "late.bind.example", "--state", state, "--wait", 1)
    check(rc == 1 and said["step"] == "leaving", "leaving waits for it too", said)
    got = lab.run("enroll", "late.bind.example", "--client", "--via", bind)
    check(got.returncode == 2 and "is being removed" in got.stderr, "and does not turn round", got.stderr)
    lab.second.start()
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
    status = lambda: [(c["names"], c["status"]) for c in json.loads(lab.run("cert", "list", "--ca", state, "--name", "*.ns.example", "--json").stdout)]
    check(status() == [(["_ns-client.ns.example"], "valid")], "its certificate is good in the ledger", status())
    rc, said = lab.json("names", "remove", "_ns-client.ns.example", "--state", state)
    check(rc == 0 and status() == [(["_ns-client.ns.example"], "revoked")], "a name that is removed has its certificate revoked", status())
    shown = lab.run("audit", "show", "--state", state, "--act", "cert.revoke", "--json").stdout
    check("cessationOfOperation" in shown, "for that reason", shown)
    rc, said = lab.json("enroll", "_kept.ns.example", "--client", "--via", knot, "--ca")
    lab.run("names", "remove", "_kept.ns.example", "--state", state, "--keep-certificate")
    check((["_kept.ns.example"], "valid") in status(), "but not when it is to stay", status())
    # A rollover under way from a certificate of another authority to one of ours.
    lab.run("ca", "init", lab.dir / "other", "--name", "Other")
    first = lab.dir / "first"
    lab.run("cert", "issue", "--ca", lab.dir / "other", "--role", "client", "--dns", "_taken.ns.example", "--out", first)
    lab.json("publish", "_taken.ns.example", "--via", knot, "--cert", f"{first}.pem")
    got = lab.run("rollover", "_taken.ns.example", "--state", state, "--via", knot, "--cert", f"{first}.pem", "--key", f"{first}-key.pem",
                  "--margin", "99", "--once")
    serial = subprocess.run(["openssl", "x509", "-in", f"{first}.pem", "-noout", "-serial"], capture_output=True, text=True).stdout.strip()[7:].lower()
    rc, said = lab.json("names", "remove", "_taken.ns.example", "--state", state)
    check(rc == 0 and said["not_revoked"] == [serial] and (["_taken.ns.example"], "revoked") in status(),
          "what another authority issued is told, ours is revoked", (got.stderr, said, status()))
    rc, said = lab.json("enroll", "_lost.ns.example", "--client", "--via", knot, "--ca")
    for file in ("ca.pem", "ca.db"):
        (state / file).rename(state / f"{file}.away")
    got = lab.run("names", "remove", "_lost.ns.example", "--state", state)
    check(got.returncode == 2 and "not revoked" in got.stderr and "--keep-certificate" in got.stderr, "one that cannot be revoked is told", got.stderr)
    for file in ("ca.pem", "ca.db"):
        (state / f"{file}.away").rename(state / file)
    got = lab.run("names", "remove", "_lost.ns.example", "--state", state)
    check(got.returncode == 0, "and revoked when it can be", got.stderr)

    three = "3 1 1 " + "33" * 32
    lab.json("publish", "_ttl.ns.example", "--via", knot, "--tlsa", three, "--ttl", 90)
    rc, said = lab.json("publish", "_ttl.ns.example", "--via", knot, "--tlsa", three, "--ttl", 30)
    shown = lab.run("audit", "show", "--state", state, "--act", "tlsa.ttl", "--json").stdout
    check(rc == 0 and said["ttl"] == 30 and shown.count("_ttl.ns.example") == 1 and "90 to 30" in shown, "a TTL alone that changes has its line", shown)
    lab.json("publish", "_ttl.ns.example", "--via", knot, "--tlsa", three, "--ttl", 30)
    check(lab.run("audit", "show", "--state", state, "--act", "tlsa.ttl", "--json").stdout == shown, "once")

    got = lab.run("audit", "verify", "--state", state)
    check(got.returncode == 0, "the audit log is whole", got.stdout)
done()
