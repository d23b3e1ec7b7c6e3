#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""An enrolment is killed at every point where it reaches the disk or the network; then it goes on, or is undone.

strace kills it at the Nth call of each system call that matters, for every N there is.
usage: test_killed.py SARDANE; skipped without strace (and where it may not trace), named, knotd, kdig
"""
import pathlib, subprocess, sys

from publishlab import Lab, check, done, skip_without

skip_without("strace", "named", "knotd", "keymgr", "kdig", "nsupdate", "dnssec-dsfromkey", "ldns-signzone")
SARDANE = sys.argv[1]
CALLS = ("fsync", "fdatasync", "rename", "renameat2", "unlink", "unlinkat", "connect")
if subprocess.run(["strace", "-qq", "-e", "trace=none", "true"], stderr=subprocess.DEVNULL).returncode:
    print("1..0 # SKIP strace may not trace here")
    sys.exit(0)


def killed(call, n, *argv):
    """True when it was killed at the nth such call; False when it has fewer and ended."""
    got = subprocess.run(["strace", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e", f"inject={call}:signal=KILL:when={n}",
                          SARDANE, *map(str, argv)], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
    assert got.returncode in (0, -9, 137), (got.returncode, got.stderr)
    return got.returncode != 0


def state_of(lab, state, owner):
    """What a finished transaction must have left: the record served, and the files."""
    folder = state / "names" / owner
    return lab.served(owner), sorted(p.name for p in folder.iterdir()) if folder.exists() else None


with Lab(SARDANE) as lab:
    state, via = lab.dir / "state", lab.via_bind()
    lab.run("ca", "init", state, "--name", "Root")
    enroll = lambda owner: ("enroll", owner, "--client", "--via", via, "--ca")
    remove = lambda owner: ("names", "remove", owner, "--state", state)
    whole = ["current-chain.pem", "current-combined.pem", "current-key.pem", "current.pem"]
    points, wrong = 0, []
    for call in CALLS:
        for n in range(1, 1000):
            owner = f"_on-{call}-{n}.bind.example"
            more = killed(call, n, *enroll(owner))
            got = lab.run(*enroll(owner))
            served, files = state_of(lab, state, owner)
            record = lab.run("tlsa", "generate", "--cert", state / "names" / owner / "current.pem").stdout.strip()
            if got.returncode or served != [record] or files != whole:
                wrong.append((call, n, got.returncode, got.stderr, served, files))
            if not more:
                break
            points += 1
            owner = f"_undone-{call}-{n}.bind.example"
            killed(call, n, *enroll(owner))
            got = lab.run(*remove(owner))
            # killed before it was noted there is nothing to undo
            if got.returncode not in (0, 1) or state_of(lab, state, owner) != ([], None):
                wrong.append((call, n, "undone", got.returncode, got.stderr, state_of(lab, state, owner)))
    check(points > 20 and not wrong, "killed at any point, an enrolment goes on, or is undone without a trace", wrong or points)

    points, wrong = 0, []
    for call in CALLS:
        for n in range(1, 1000):
            owner = f"_gone-{call}-{n}.bind.example"
            assert lab.run(*enroll(owner)).returncode == 0
            if not killed(call, n, *remove(owner)):
                break
            points += 1
            got = lab.run(*remove(owner))
            if got.returncode not in (0, 1) or state_of(lab, state, owner) != ([], None):
                wrong.append((call, n, got.returncode, got.stderr, state_of(lab, state, owner)))
    check(points > 10 and not wrong, "killed at any point, a removal goes on", wrong or points)
    listed = lab.run("names", "list", "--state", state).stdout
    check("_undone" not in listed and "_gone" not in listed and listed.count("enrolled") == listed.count("\n"), "nothing half is remembered", listed)
    got = lab.run("audit", "verify", "--state", state)
    check(got.returncode == 0, "the audit log is whole after all of it", got.stdout)
    got = lab.run("publish", f"_on-fsync-1.bind.example", "--via", via, "--cert", state / "names/_on-fsync-1.bind.example/current.pem", "--dry-run")
    check("no change" in got.stdout, "and the memory agrees with the zone", got.stdout)
done()
