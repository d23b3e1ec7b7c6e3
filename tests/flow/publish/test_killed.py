#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""An enrolment is killed at every point where it reaches the disk or the network; then it goes on, or is undone.

strace kills it at the Nth call of each system call that matters, for every N there is.
usage: test_killed.py SARDANE; skipped without strace (and where it may not trace), named, knotd, kdig
"""
import concurrent.futures, subprocess, sys

from publishlab import Lab, check, done, record, skip_without

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


WHOLE = ["current-chain.pem", "current-combined.pem", "current-key.pem", "current.pem", "lock"]


class Walk:
    """All points of one call, with a state of its own: several go side by side, as each mostly waits."""

    def __init__(self, lab, call):
        self.lab, self.call, self.state = lab, call, lab.dir / f"state-{call}"
        self.via = lab.via_bind(state=self.state.name)
        self.there, self.undone, self.gone, self.wrong = [], [], [], []

    def enroll(self, owner):
        return "enroll", owner, "--client", "--via", self.via, "--ca"

    def remove(self, owner):
        return "names", "remove", owner, "--state", self.state

    def need(self, expected, argv):
        got = self.lab.run(*argv)
        if got.returncode not in expected:
            self.wrong.append((argv, got.returncode, got.stderr))

    def enrolments(self):
        for n in range(1, 1000):
            owner = f"_on-{self.call}-{n}.bind.example"
            more = killed(self.call, n, *self.enroll(owner))
            self.need([0], self.enroll(owner))
            self.there.append(owner)
            if not more:
                break
            owner = f"_undone-{self.call}-{n}.bind.example"
            killed(self.call, n, *self.enroll(owner))
            # killed before it was noted there is nothing to undo
            self.need([0, 1], self.remove(owner))
            self.undone.append(owner)

    def removals(self):
        for n in range(1, 1000):
            if len(self.there) == 1:
                self.there.append(f"_new-{self.call}-{n}.bind.example")
                self.need([0], self.enroll(self.there[-1]))
            self.gone.append(self.there.pop())
            if not killed(self.call, n, *self.remove(self.gone[-1])):
                break
            self.need([0, 1], self.remove(self.gone[-1]))

    def files(self, owner):
        folder = self.state / "names" / owner
        return sorted(p.name for p in folder.iterdir()) if folder.exists() else None

    def look(self, served):
        """What is not as it should be."""
        for owner in self.there:
            if self.files(owner) != WHOLE or served.get(owner) != [record(self.state / "names" / owner / "current.pem")]:
                self.wrong.append((owner, served.get(owner), self.files(owner)))
        for owner in self.undone + self.gone:
            if owner in served or self.files(owner):
                self.wrong.append((owner, served.get(owner), self.files(owner)))
        return self.wrong

    def remembers(self):
        """Nothing half, and an audit log that is whole."""
        listed = self.lab.run("names", "list", "--state", self.state).stdout
        audit = self.lab.run("audit", "verify", "--state", self.state)
        return (all(o in listed for o in self.there) and listed.count("enrolled") == listed.count("\n") == len(self.there)
                and audit.returncode == 0), listed + audit.stdout


with Lab(SARDANE) as lab, concurrent.futures.ThreadPoolExecutor(3) as side_by_side:
    walks = [Walk(lab, call) for call in CALLS]
    for w in walks:
        lab.run("ca", "init", w.state, "--name", "Root")
    list(side_by_side.map(Walk.enrolments, walks))
    served = lab.all_served()
    wrong, points = [x for w in walks for x in w.look(served)], sum(len(w.undone) for w in walks)
    check(points > 20 and not wrong, "killed at any point, an enrolment goes on, or is undone without a trace", f"{points} points, {wrong}")

    list(side_by_side.map(Walk.removals, walks))
    served = lab.all_served()
    wrong, points = [x for w in walks for x in w.look(served)], sum(len(w.gone) - 1 for w in walks)
    check(points > 10 and not wrong, "killed at any point, a removal goes on", f"{points} points, {wrong}")
    said = [w.remembers() for w in walks]
    check(all(good for good, _ in said), "nothing half is remembered, and the audit log is whole after all of it", said)
    w = walks[0]
    got = lab.run("publish", w.there[0], "--via", w.via, "--cert", w.state / "names" / w.there[0] / "current.pem", "--dry-run")
    check("no change" in got.stdout, "and the memory agrees with the zone", got.stdout)
done()
