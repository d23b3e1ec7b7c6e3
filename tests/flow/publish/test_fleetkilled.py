#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The enrolment of a fleet is killed at every point where it reaches the disk or the network, and at random; then it goes on.

usage: test_fleetkilled.py SARDANE; skipped without strace (and where it may not trace), named, knotd, kdig
"""
import base64, json, random, subprocess, sys, time

from publishlab import Lab, check, done, octets, record, skip_without, spki

skip_without("strace", "named", "knotd", "keymgr", "kdig", "nsupdate", "dnssec-dsfromkey", "ldns-signzone", "openssl")
SARDANE = sys.argv[1]
CALLS = ("fsync", "fdatasync", "syncfs", "rename", "connect")
if subprocess.run(["strace", "-qq", "-e", "trace=none", "true"], stderr=subprocess.DEVNULL).returncode:
    print("1..0 # SKIP strace may not trace here")
    sys.exit(0)


def openssl(*words, **more):
    return subprocess.run(["openssl", *map(str, words)], capture_output=True, check=True, **more).stdout


def killed(call, n, *argv):
    """True when it was killed at the nth such call; False when it has fewer and ended."""
    got = subprocess.run(["strace", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e", f"inject={call}:signal=KILL:when={n}",
                          SARDANE, *map(str, argv)], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
    assert got.returncode in (0, -9, 137), (got.returncode, got.stderr)
    return got.returncode != 0


def whole(lab, state, names):
    """What is wrong after a finished run: every device has one certificate that is not lost, and its record is of its key."""
    wrong, served = [], lab.all_served()
    listed = [str(c) for c in json.loads(lab.run("cert", "list", "--ca", state, "--json").stdout)]
    for name in names:
        cert, key = state / "devices" / f"{name}.pem", state / "devices" / f"{name}-key.pem"
        if sum(name in c for c in listed) != 1:
            wrong.append((name, "certificates", sum(name in c for c in listed)))
        if served.get(name) != [record(cert)]:
            wrong.append((name, served.get(name), record(cert)))
        # RFC 5915: the key's file says its point, too
        if key.exists() and spki(cert)[-64:] not in octets(key):
            wrong.append((name, "key and certificate differ"))
    return wrong


with Lab(SARDANE) as lab:
    state, via, key = lab.dir / "state", lab.via_bind(), lab.dir / "k.pem"
    lab.run("ca", "init", state, "--name", "Makers")
    openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", key)
    given = base64.b64encode(openssl("pkey", "-in", key, "-pubout", "-outform", "DER")).decode()
    points, every, wrong = 0, [], []
    for call in CALLS:
        for n in range(1, 1000):
            names = [f"{word}-{call}-{n}.bind.example" for word in ("made", "given")]
            csv = lab.dir / "list.csv"
            csv.write_text(f"name,key\n{names[0]},\n{names[1]},{given}\n")
            argv = ("enroll", "--csv", csv, "--via", via, "--ca")
            more = killed(call, n, *argv)
            rc, said = lab.json(*argv)
            if rc or said["verified"] != 2:
                wrong.append((call, n, rc, said))
            every += names
            if not more:
                break
            points += 1
    wrong += whole(lab, state, every)
    check(points > 20 and not wrong, "killed at any point, a fleet's enrolment goes on", wrong[:5] or points)

    names = [f"r{i}._rand.bind.example" for i in range(600)]
    csv.write_text("name\n" + "\n".join(names) + "\n")
    kills = 0
    for _ in range(8):
        p = subprocess.Popen([SARDANE, *map(str, argv)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(random.uniform(0.02, 0.9))
        kills += p.poll() is None
        p.kill()
        p.wait()
    rc, said = lab.json(*argv)
    check(rc == 0 and said["verified"] == 600, f"killed {kills} times at random it goes on", said)
    some = random.sample(names, 40)
    check(whole(lab, state, some) == [], "and each device has one certificate and its record", whole(lab, state, some)[:3])
    rc, said = lab.json(*argv)
    check(rc == 0 and (said["new"], said["keys"], said["certificates"], said["published"], said["mended"]) == (0, 0, 0, 0, 0), "then there is nothing to do", said)
    got = lab.run("audit", "verify", "--state", state)
    check(got.returncode == 0, "the audit log is whole after all of it", got.stdout)
done()
