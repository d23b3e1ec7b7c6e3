#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""sardane rollover, on two name servers of which one lags, under handshakes, killed at random points."""
import subprocess, threading, time

import rollworld
from publishlab import check, done, skip_without

skip_without("knotd", "knotc", "keymgr", "kdig", "knsupdate", "openssl")


def run(w, *words):
    return subprocess.run([str(x) for x in w.rollover(*words)], capture_output=True, text=True, timeout=120)


with rollworld.World() as w:
    w.begin()
    w.load(40)
    for words, why in ((["--via", w.via], "missing, the first time, for what is not enrolled"), (["--cert", "x"], "give both"), (["--status"], "nothing is kept")):
        got = run(w, *words)
        check(got.returncode == 2 and why in got.stderr, f"the first time: {why}", got.stderr)

    w.make_key(w.dir / "stranger")
    settings = w.settings()
    wrong = [w.dir / "stranger/cert.pem" if x == w.dir / "first/cert.pem" else w.dir / "stranger/key.pem" if x == w.dir / "first/key.pem" else x
             for x in settings]
    got = subprocess.run([str(x) for x in [w.sardane, "rollover", rollworld.HOST, "--state", w.dir / "other", *wrong]], capture_output=True,
                         text=True, timeout=60)
    check(got.returncode == 2 and "no record of the set is of this certificate" in got.stderr, "a key that is not published is not rolled",
          got.stderr)

    now = w.roll()
    check(now["current"] == "g2" and now["result"] == "g2 in place of g1", "a rollover, killed and run again, ends", now)
    w.everywhere([w.tlsa(w.folder / "current")])
    check(True, "every server serves the new record alone")
    check(not (w.folder / "g1").exists(), "the old key is erased")
    check(w.kills > 0, f"{w.kills} kills")

    # Another server of the same name, with a key of its own.
    beside = "3 1 1 " + "cd" * 32
    subprocess.run([w.sardane, "publish", rollworld.HOST, "--service", f"{w.service}/tcp", "--tlsa", beside, "--add", "--via", w.via, "--state",
                    w.state, "--ttl", "1"], check=True, stdout=subprocess.DEVNULL, timeout=60)

    got = run(w, "--emergency", "--once")
    check("no other key is known to everybody yet" in got.stderr and got.returncode == 1, "without a standby an emergency says so", got.stderr)
    got = run(w, "--margin", "2")
    check(got.returncode == 2 and "settings change when no rollover is under way" in got.stderr, "settings stay while it goes on", got.stderr)
    first = subprocess.Popen([str(x) for x in w.rollover("--continue")], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    first.stderr.readline()  # it says where it stands once it has the lock
    threading.Thread(target=first.stderr.read, daemon=True).start()
    got = run(w, "--continue")
    check(got.returncode == 2 and "another process is at it" in got.stderr, "one process at a time", got.stderr)
    check(first.wait(120) == 0, "and the first ends it")
    w.everywhere([beside, w.tlsa(w.folder / "current")])
    check(True, "what else we publish at the name stays")

    now = w.roll(kill=False, more=["--standby"])
    check(now["standby"] and now["standby_from"], "a standby is made and published", now)
    time.sleep(4)
    standby, before = now["standby"], time.monotonic()
    got = run(w, "--emergency", "--json")
    took = time.monotonic() - before
    check(got.returncode == 0 and f'"current":"{standby}"' in got.stdout and "in an emergency" in got.stdout, "an emergency takes it",
          got.stdout + got.stderr)
    check("settle" not in got.stderr and "announce" not in got.stderr, f"without a wait before the switch ({took:.1f} s)", got.stderr)

    time.sleep(4)
    got = run(w, "--once")
    check(got.returncode == 1 and run(w, "--back").returncode == 0, "turned round before the switch, it ends", got.stderr)
    now = w.status()
    check("stays" in now["result"], "with the key that was in use", now)

    def sardane(*words):
        return subprocess.run([w.sardane, *[str(x) for x in words]], capture_output=True, text=True, timeout=120)

    got = sardane("enroll", "_dev.roll", "--client", "--via", w.via, "--state", w.state)
    check(got.returncode == 0, "a client is enrolled", got.stdout + got.stderr)
    folder = w.state / "names/_dev.roll"
    before = (folder / "current.pem").read_text()
    got = sardane("rollover", "_dev.roll", "--state", w.state, "--margin", "1", "--drain", "1", "--pause", "100")
    check(got.returncode == 0, "and rolled, with all that its enrolment knows", got.stderr)
    after = (folder / "current.pem").read_text()
    check(after != before and (folder / "current.pem").is_symlink() and after == (folder / "current/cert.pem").read_text()
          and (folder / "current-key.pem").read_text() == (folder / "current/key.pem").read_text(), "the files of its enrolment follow")
    w.everywhere([w.tlsa(folder / "current")], "_dev.roll.")
    got = sardane("names", "remove", "_dev.roll", "--state", w.state)
    check(got.returncode == 0 and not folder.exists(), "and names remove leaves nothing of it", got.stdout + got.stderr)

    handshakes, failed, reasons = w.counted()
    check(failed == 0 and handshakes > 20, f"of {handshakes} handshakes none failed", "\n".join(set(reasons)))
    # This locks clients out by itself.
    foreign = "3 1 2 " + "ab" * 64
    w.publish([f"add {w.owner} {w.ttl} TLSA {foreign}"])
    got = run(w, "--once")
    check(got.returncode == 2 and "stronger digest" in got.stderr, "a foreign record that outranks the key is noticed", got.stderr)
    w.publish([f"del {w.owner} TLSA {foreign}"])
    time.sleep(4)

    failed = w.counted()[1]
    w.roll_wrongly()
    w.until(lambda: w.count()[1] > failed, "a refusal")
    check(True, "a key changed without a plan is noticed by the same clients")

    audit = subprocess.run([w.sardane, "audit", "verify", "--state", str(w.state)], capture_output=True, text=True)
    check(audit.returncode == 0, "the audit log is whole", audit.stdout + audit.stderr)
    log = (w.state / "audit.log").read_text()
    check(all(f'"rollover.{x}"' in log for x in ("begin", "switch", "emergency", "turn", "end")), "and tells every turn")
done()
