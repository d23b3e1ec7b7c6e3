#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""sardane rollover --ca: a server and its clients rest on one authority, by records of usage 2; it changes under
handshakes, killed at each step and run again."""
import json, pathlib, subprocess, time

import rollworld
from publishlab import check, done, skip_without

skip_without("knotd", "knotc", "keymgr", "kdig", "knsupdate", "openssl")

FLEET = "*._device.roll"


def sardane(*words, timeout=120):
    return subprocess.run([str(x) for x in words], capture_output=True, text=True, timeout=timeout)


class World(rollworld.World):
    """js.roll by 2 0 1, clients below _device.roll by one 2 1 1."""

    def begin(self):
        self.write_via()
        self.leaves = self.dir / "leaves"
        self.leaves.mkdir()
        self.need("ca", "init", self.state, "--name", "Root of roll")
        self.need("cert", "issue", "--ca", self.state, "--role", "server", "--dns", rollworld.HOST, "--out", self.leaves / "js")
        for n in (1, 2):
            self.need("cert", "issue", "--ca", self.state, "--role", "client", "--dns", f"d{n}._device.roll", "--out", self.leaves / f"d{n}")
        self.need("publish", rollworld.HOST, "--service", f"{self.service}/tcp", "--tlsa", self.record(self.state / "ca.pem", 0), *self.by())
        self.need("publish", FLEET, "--tlsa", self.record(self.state / "ca.pem", 1), *self.by())
        self.everywhere([self.record(self.state / "ca.pem", 0)])
        self.everywhere([self.record(self.state / "ca.pem", 1)], "_any._device.roll.")
        self.live = self.dir / "live"
        self.live.mkdir()
        (self.live / "cert.pem").write_bytes((self.leaves / "js-combined.pem").read_bytes())
        (self.live / "key.pem").write_bytes((self.leaves / "js-key.pem").read_bytes())
        self.serve(self.live)

    def by(self):
        return ["--via", self.via, "--state", self.state, "--ttl", self.ttl]

    def need(self, *words):
        got = sardane(self.sardane, *words)
        assert got.returncode == 0, f"{words}: {got.stdout}{got.stderr}"
        return got.stdout

    def record(self, cert, selector):
        return self.need("tlsa", "generate", "--cert", cert, "--usage", "2", "--selector", selector).strip()

    def load(self, rate):
        self.load_as(rate, "d1._device.roll", self.leaves / "d1-combined.pem", self.leaves / "d1-key.pem")
        told = self.dir / "told"
        pids = " ".join(str(l.process.pid) for l in self.loads)
        # Each program takes its new chain when it is told.
        script = self.dir / "reload"
        script.write_text(f"""#!/bin/sh
echo "$SARDANE_NAME" >>{told}
case $SARDANE_NAME in
js.roll) cp "$SARDANE_PREFIX-combined.pem" {self.live}/new && mv {self.live}/new {self.live}/cert.pem && kill -HUP {self.server.pid} ;;
d1.*) kill -HUP {pids} ;;
esac
""")
        script.chmod(0o755)

    def rollover(self, *words):
        return [self.sardane, "rollover", "--ca", "--state", self.state, *words]

    def settings(self):
        return ["--via", self.via, "--reload", self.dir / "reload", "--margin", "1", "--drain", "1", "--pause", "100"]

    def serial(self, name):
        out = self.run("openssl", "x509", "-in", self.leaves / name, "-noout", "-issuer", "-serial")
        return out

    def kill_at(self, step, words):
        """Runs it until it says that step, and kills it there."""
        tool = subprocess.Popen([str(x) for x in self.rollover(*words)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        for line in tool.stderr:
            if f" {step}: " in line:
                break
        tool.kill()
        tool.wait()
        tool.stderr.close()
        self.kills += 1


with World() as w:
    w.begin()
    w.load(40)
    first = w.run("openssl", "x509", "-in", w.state / "ca.pem", "-noout", "-fingerprint")
    got = sardane(*w.rollover("--status"))
    check(got.returncode == 2 and "nothing is kept" in got.stderr, "before the first time there is nothing to say", got.stderr)
    got = sardane(*w.rollover("--service", "1/tcp"))
    check(got.returncode == 2 and "not with --ca" in got.stderr, "what only a name has is refused", got.stderr)

    words = w.settings()
    for step in ("survey", "announce", "spread", "settle", "switch", "prove", "drain", "withdraw", "fade", "forget"):
        w.kill_at(step, words)
        if not w.status()["done"]:
            words = ["--continue"]
        if step == "settle":
            said = sardane(*w.rollover("--status"))
            check(said.returncode == 0 and "owners    2 have records" in said.stdout and "leaves    3 rest on the one that goes" in said.stdout,
                  "the status says how many rest on it", said.stdout + said.stderr)
    got = sardane(*w.rollover("--continue"))
    now = w.status()
    check(got.returncode == 0 and now["done"] == 1 and now["current"] == "g2", f"killed at each step ({w.kills} times) and run again, it ends", now)
    check(w.run("openssl", "x509", "-in", w.state / "ca.pem", "-noout", "-fingerprint") != first, "ca.pem is the next one")
    w.everywhere([w.record(w.state / "ca.pem", 0)])
    w.everywhere([w.record(w.state / "ca.pem", 1)], "_any._device.roll.")
    check(True, "every server serves its records alone, in the forms there were")
    for name in ("js", "d1", "d2"):
        verify = sardane("openssl", "verify", "-CAfile", w.state / "ca.pem", w.leaves / f"{name}.pem")
        key = w.run("openssl", "pkey", "-in", w.leaves / f"{name}-key.pem", "-pubout") == w.run("openssl", "x509", "-in", w.leaves / f"{name}.pem", "-noout", "-pubkey")
        check(verify.returncode == 0 and key, f"{name} is issued by it, with the key it had", verify.stdout + verify.stderr)
    told = (w.dir / "told").read_text().split()
    check(set(told) == {"js.roll", "d1._device.roll", "d2._device.roll"}, "the reload command was told of each", told)
    check(now["retired"] and now["retired"][0]["generation"] == "g1" and (w.state / "ca-g1-key.pem").exists(),
          "the old one keeps its key, for its CRL", now)
    got = sardane(w.sardane, "ca", "crl", w.state / "ca-g1", "--out", w.dir / "old.crl")
    check(got.returncode == 0, "and signs it", got.stderr)
    time.sleep(2)
    handshakes, failed, reasons = w.count()
    check(failed == 0 and handshakes > 100, f"of {handshakes} handshakes none failed", "\n".join(set(reasons)))

    def issuer_of(name, authority):
        return sardane("openssl", "verify", "-CAfile", w.state / f"ca-{authority}.pem", w.leaves / f"{name}.pem").returncode == 0

    # Another, killed at random; a standby is made.
    now = w.roll(more=["--standby"])
    check(now["current"] not in ("g1", "g2") and now["standby"], "killed at random it ends too, and there is a standby", now)
    time.sleep(4)
    failed = w.counted()[1]
    check(failed == 0, "and none failed meanwhile", "\n".join(set(w.count()[2])))
    standby = now["standby"]
    got = sardane(*w.rollover("--emergency", "--json"))
    now = json.loads(got.stdout)
    check(got.returncode == 0 and now["current"] == standby and "in an emergency" in now["result"], "an emergency takes it", got.stdout + got.stderr)
    check(" settle: " not in got.stderr and " announce: " not in got.stderr and issuer_of("js", standby), "without a wait before the switch", got.stderr)
    time.sleep(4)
    # It does not drain: a client that is slow to take its new chain may be refused.
    hasty = w.counted()[1]

    # Turned round before the switch has drained: the leaves go back.
    before = w.status()["current"]
    got = sardane(*w.rollover("--once"))
    check(got.returncode == 1 and not issuer_of("js", before), "with a standby the switch is at once", got.stderr)
    got = sardane(*w.rollover("--back"))
    now = w.status()
    check(got.returncode == 0 and now["current"] == before and "stays" in now["result"] and issuer_of("js", before) and issuer_of("d2", before),
          "turned round, each leaf is of the one that stays", now)

    # What is not here cannot be put in place; what came meanwhile gets both.
    w.need("cert", "issue", "--ca", w.state, "--role", "client", "--dns", "d3._device.roll", "--out", w.leaves / "d3")
    for left in w.leaves.glob("d3*"):
        left.rename(w.dir / left.name)
    sardane(*w.rollover("--once"))
    w.need("publish", "_new.roll", "--tlsa", w.record(w.state / "ca.pem", 0), *w.by())
    got = sardane(*w.rollover("--once"))
    w.until(lambda: sardane(*w.rollover("--once")) and "d3._device.roll" in w.status()["trouble"], "it waits for d3", 60)
    said = w.status()
    check(said["step"] == "switch" and [l["names"] for l in said["leaves_remaining"]] == ["d3._device.roll"] and said["leaves_remaining"][0]["elsewhere"],
          "a leaf whose files are elsewhere holds it, by name", said)
    check(len(w.ask(rollworld.PRIMARY, "_new.roll.", "TLSA")) >= 2, "an owner that came meanwhile has both")
    w.need("cert", "revoke", w.dir / "d3.pem", "--ca", w.state / f"ca-{said['current']}")
    agent = [w.sardane, "agent", "--state", w.state, "--roll-every", "0"]
    w.until(lambda: sardane(*agent, "--once") and not w.status()["under_way"], "the agent ends it", 90)
    now = w.status()
    check(now["current"] == said["next"] and issuer_of("d1", said["next"]), "once it is revoked the agent ends what was begun", now)
    got = sardane(*agent, "--once")
    check(got.returncode == 0 and "(authority)" in got.stdout and "0 failing" in got.stdout, "and looks after the authority", got.stdout + got.stderr)
    handshakes, failed, reasons = w.counted()
    check(failed == hasty and handshakes > 20, f"in all else, of {handshakes} handshakes none failed", "\n".join(set(reasons)))

    # A service that presents its leaf without the authority (RFC 7671 section 5.2) is not one that has been switched.
    current = w.status()["current"]
    (w.dir / "reload").write_text(f"""#!/bin/sh
[ "$SARDANE_NAME" = js.roll ] || exit 0
chain=$SARDANE_PREFIX.pem
openssl verify -CAfile {w.state}/ca-{current}.pem "$chain" && chain=$SARDANE_PREFIX-combined.pem
cp "$chain" {w.live}/cert.pem; kill -HUP {w.server.pid}
""")
    got = sardane(*w.rollover("--broken", "1", "--reload", w.dir / "reload"))
    now = w.status()
    check(got.returncode == 1 and current == now["current"] and "stays" in now["result"],
          "a chain without the authority is seen, and the current one stays", now)

    audit = sardane(w.sardane, "audit", "verify", "--state", w.state)
    log = (w.state / "audit.log").read_text()
    check(audit.returncode == 0 and all(f'"{x}"' in log for x in ("rollover.begin", "rollover.switch", "rollover.turn", "rollover.emergency",
          "rollover.end", "ca.retire")), "the audit log is whole, and tells it", audit.stderr)
done()
