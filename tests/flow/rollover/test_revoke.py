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
    before = w.counted()[0]
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
    told = w.counted()
    time.sleep(2)
    after = w.counted()
    check(after[0] == told[0], f"from that moment on no client accepts it ({at_the_moment[0]} before, {after[0] - told[0]} after)", after[2])
    check(after[1] > told[1], "they are refused")
    check(all("no TLSA" in r or "TLSA" in r for r in after[2][-3:]), "for want of a record", after[2][-3:])
    got = revoke(w, "--peers-stale", 100)
    check(got.returncode == 0 and "0 records removed" in got.stdout, "again: there is nothing left to remove", got.stdout + got.stderr)
    check("TTL of" in got.stdout and "From " in got.stdout and "hold it 100 s more" in got.stdout, "and the words give each reason", got.stdout)
    # What an authority issued: who falls back on PKIX goes by its CRL.
    ca, leaf = w.dir / "ca", w.dir / "pkix"
    for words in (["ca", "init", ca, "--name", "R"], ["cert", "issue", "--ca", ca, "--dns", rollworld.HOST, "--days", "9", "--out", leaf],
                  ["ca", "crl", ca, "--life", "12h"]):
        w.run(w.sardane, *words)
    crl = ["--cert", f"{leaf}.pem", "--crl", ca / "ca-crl.pem", "--json"]
    said = json.loads(revoke(w, *crl).stdout)
    end = time.time() + 9 * 86400
    check(abs(moment(said["terms"]["pkix"]) - end) < 600 and said["latest"] is None, "one that no CRL lists is good until it ends", said)
    w.run(w.sardane, "cert", "revoke", f"{leaf}.pem", "--ca", ca)
    w.run(w.sardane, "ca", "crl", ca, "--life", "12h")
    said = json.loads(revoke(w, *crl).stdout)
    check(abs(moment(said["terms"]["pkix"]) - time.time() - 12 * 3600) < 600, "one that is listed until every copy of the CRL is a new one", said)
    w.run(w.sardane, "ca", "init", w.dir / "other", "--name", "Other")
    w.run(w.sardane, "ca", "crl", w.dir / "other")
    got = revoke(w, "--cert", f"{leaf}.pem", "--crl", w.dir / "other/ca-crl.pem")
    check(got.returncode == 2 and "is not of the authority of" in got.stderr, "the CRL of another authority is refused", got.stderr)
    got = revoke(w, "--crl", ca / "ca-crl.pem")
    check(got.returncode == 2 and "goes with --cert" in got.stderr, "nor is one taken without a certificate", got.stderr)

    got = revoke(w, "--tlsa", "3 1 1 zz")
    check(got.returncode == 2, "what is no record is refused", got.stderr)
done()
