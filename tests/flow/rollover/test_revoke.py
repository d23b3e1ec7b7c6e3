#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""sardane revoke: the moment it computes is honoured by our own clients."""
import calendar, json, subprocess, time

import rollworld
from publishlab import check, done, skip_without

skip_without("knotd", "knotc", "keymgr", "kdig", "knsupdate", "openssl")


def moment(text):
    return calendar.timegm(time.strptime(text, "%Y-%m-%dT%H:%M:%SZ"))


def revoke(w, *words):
    return subprocess.run([w.sardane, "revoke", rollworld.HOST, "--service", f"{w.service}/tcp", "--via", str(w.via), "--state", str(w.state),
                           *[str(x) for x in words]], capture_output=True, text=True, timeout=120)


with rollworld.World() as w:
    w.begin()
    w.load(40)
    time.sleep(2)
    before = w.count()[0]
    check(before > 0, "clients come in before")
    began = time.time()
    got = revoke(w, "--cert", w.dir / "first/cert.pem", "--margin", "0", "--json")
    check(got.returncode == 0, "a record of ours goes, whoever published it", got.stdout + got.stderr)
    said = json.loads(got.stdout)
    check(said["removed"] == 1 and said["gone"] and moment(said["ours"]) >= began, "and the moment is told", said)
    check(moment(said["follows"]) <= time.time() + 5 < moment(said["replayed"]), "within its TTL; replayed until its signatures end", said)
    time.sleep(max(0, moment(said["ours"]) - time.time()))
    at_the_moment = w.count()
    # Counters are told once a second: what was told later than that must be refusals.
    time.sleep(1.5)
    told = w.count()
    time.sleep(3)
    after = w.count()
    check(after[0] == told[0], f"from that moment on no client accepts it ({at_the_moment[0]} before, {after[0] - told[0]} after)", after[2])
    check(after[1] > told[1], "they are refused")
    check(all("no TLSA" in r or "TLSA" in r for r in after[2][-3:]), "for want of a record", after[2][-3:])
    got = revoke(w)
    check(got.returncode == 0 and "0 records removed" in got.stdout, "again: there is nothing left to remove", got.stdout + got.stderr)
    check("TTL of" in got.stdout and "From " in got.stdout, "and the words give each reason", got.stdout)
    got = revoke(w, "--tlsa", "3 1 1 zz")
    check(got.returncode == 2, "what is no record is refused", got.stderr)
done()
