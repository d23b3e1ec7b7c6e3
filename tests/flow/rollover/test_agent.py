#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""sardane agent: rolls by itself, through kill -9 and a DNS outage, and puts right what others broke."""
import fcntl, json, re, signal, subprocess, time

import rollworld
from publishlab import check, done, skip_without

skip_without("knotd", "knotc", "keymgr", "kdig", "knsupdate", "openssl")


class Agent:
    def __init__(self, w, *words):
        self.w, self.page, self.events = w, w.dir / "page.txt", w.dir / "events"
        self.argv = [w.sardane, "agent", "--state", str(w.state), "--status", str(self.page), "--metrics", str(w.dir / "metrics.prom"),
                     "--hook", f'echo "$SARDANE_NAME $SARDANE_EVENT" >>{self.events}', *words]
        self.start()

    def start(self):
        self.log = self.w.dir / "agent.log"
        with open(self.log, "a") as log:
            self.process = subprocess.Popen(self.argv, stderr=log)
        self.w.processes.append(self.process)

    def says(self, pattern):
        return self.page.exists() and re.search(pattern, self.page.read_text())

    def told(self, event):
        return self.events.exists() and f"{self.w.owner[:-1]} {event}\n" in self.events.read_text()


with rollworld.World() as w:
    w.begin()
    w.roll(kill=False)
    current = w.folder / "current"

    agent = Agent(w, "--roll-every", "3", "--check-every", "1")
    w.load(20)
    w.until(lambda: w.status()["under_way"], "it begins by itself", 60)
    for _ in range(6):
        time.sleep(1)
        agent.process.kill()
        agent.process.wait()
        agent.start()
    w.until(lambda: w.status()["done"] >= 2, "it ends", 90)
    check(True, "a key that is old is rolled, through six kills of the agent")
    w.until(lambda: agent.told("done"), "the hook", 20)
    check(agent.told("begin"), "the hook is told of begin and done", agent.events.read_text())
    time.sleep(0.5)  # one that was just started is not there yet
    agent.process.terminate()
    status = agent.process.wait(60)
    check(status == 0, "it ends when it is told to", f"{status}: {agent.log.read_text()[-2000:]}")

    got = subprocess.run([str(x) for x in w.rollover("--continue")], capture_output=True, text=True, timeout=120)
    check(got.returncode == 0, "what it left under way, the command ends", got.stderr)
    handshakes, failed, reasons = w.counted()
    check(failed == 0 and handshakes > 20, f"of {handshakes} handshakes none failed", "\n".join(reasons))

    agent = Agent(w, "--roll-every", "0", "--check-every", "1")
    w.until(lambda: agent.says("fine  checked"), "a page", 60)
    check(True, "the page says that all is fine", agent.page.read_text())
    metrics = (w.dir / "metrics.prom").read_text()
    check(f'sardane_name_failures{{name="{w.owner[:-1]}"}} 0\n' in metrics and "# TYPE sardane_rollovers_total counter" in metrics,
          "and the metrics too", metrics)
    w.publish([f"del {w.owner} TLSA"])
    w.until(lambda: agent.told("repaired"), "a repair", 90)
    w.everywhere([w.tlsa(current)])
    check(True, "a record that somebody removed is there again")

    for p in w.processes[:2]:
        p.terminate()
        p.wait()
    w.until(lambda: agent.says("FAILING"), "a failure", 90)
    check(True, "with every name server away it says that it fails")
    check(agent.process.poll() is None and agent.told("failing"), "goes on, and tells the hook", agent.page.read_text())
    agent.process.terminate()
    agent.process.wait(60)
    stolen = [str(x) for x in ("_stolen.roll", "--via", w.via, "--state", w.state, "--tlsa", "3 1 1 " + "ab" * 32)]
    got = subprocess.run([w.sardane, "revoke", *stolen], capture_output=True, text=True, timeout=120)
    check(got.returncode == 2, "nor can anything be taken out of DNS then", got.stdout + got.stderr)
    w.launch()
    got = subprocess.run([w.sardane, "publish", *stolen], capture_output=True, text=True, timeout=120)
    check(got.returncode == 2 and "was revoked" in got.stderr, "but it is struck off, and nothing publishes it when they are back", got.stderr)
    got = subprocess.run(agent.argv + ["--once"], capture_output=True, text=True, timeout=120)
    check(got.returncode == 0 and "0 failing" in got.stdout, "and with them back, one turn says that all is well", got.stdout + got.stderr)

    record = w.tlsa(current)
    name = [rollworld.HOST, "--service", f"{w.service}/tcp", "--via", w.via, "--state", w.state]
    got = subprocess.run([str(x) for x in (w.sardane, "enroll", *name)], capture_output=True, text=True, timeout=120)
    check(got.returncode == 2 and "is kept by sardane rollover already" in got.stderr, "what a rollover keeps is not enrolled with another key", got.stderr)
    got = subprocess.run([str(x) for x in (w.sardane, "unpublish", *name)], capture_output=True, text=True, timeout=120)
    check(got.returncode == 2 and "is kept by sardane rollover" in got.stderr, "unpublish does not take the record of a key that is rolled", got.stderr)
    w.run(w.sardane, "revoke", *name)
    got = subprocess.run(agent.argv + ["--once"], capture_output=True, text=True, timeout=120)
    check(got.returncode == 1 and "was revoked" in got.stdout, "a name that was revoked fails", got.stdout + got.stderr)
    w.everywhere([])
    check(True, "the agent does not put it back")
    got = subprocess.run([str(x) for x in (w.sardane, "publish", *name, "--tlsa", record)], capture_output=True, text=True, timeout=120)
    check(got.returncode == 2 and "was revoked" in got.stderr, "nor does publish", got.stdout + got.stderr)
    w.publish([f"add {w.owner} {w.ttl} TLSA {record}"])
    w.everywhere([record])
    w.run(w.sardane, "revoke", *name)
    w.everywhere([])
    check(True, "one that somebody else put back goes, revoked once more")
    w.run(w.sardane, "revoke", *name, "--undo")
    w.run(w.sardane, "publish", *name, "--tlsa", record)
    w.everywhere([record])
    got = subprocess.run(agent.argv + ["--once"], capture_output=True, text=True, timeout=120)
    check(got.returncode == 0, "undone, it may be published again", got.stdout + got.stderr)

    with open(w.folder / "lock") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        got = subprocess.run(agent.argv + ["--once"], capture_output=True, text=True, timeout=120)
    check(got.returncode == 0 and "another process is at it" in got.stdout, "a name that a command is at is left alone", got.stdout + got.stderr)

    listed = json.loads(w.run(w.sardane, "names", "list", "--state", w.state, "--json"))
    check([(n["owner"], n["step"]) for n in listed] == [(w.owner[:-1], "rolled")], "names list has what was only taken over", listed)
    shown = w.run(w.sardane, "names", "show", rollworld.HOST, "--service", f"{w.service}/tcp", "--state", w.state)
    check("step     rolled, 20" in shown and record.split()[-1].lower() in shown.lower(), "names show has its particulars", shown)

    remove = [w.sardane, "names", "remove", rollworld.HOST, "--service", f"{w.service}/tcp", "--state", w.state]
    w.run(w.sardane, "revoke", *name)
    w.run(*remove)
    check(not w.folder.exists(), "a name that was taken over, then revoked, is removed with its keys")
    got = subprocess.run([str(x) for x in remove], capture_output=True, text=True, timeout=120)
    check(got.returncode == 1 and "not enrolled" in got.stderr, "once", got.stderr)
    got = subprocess.run(agent.argv + ["--once"], capture_output=True, text=True, timeout=120)
    check(got.returncode == 0 and " 0 names" in got.stdout, "and the agent knows it no more", got.stdout + got.stderr)

    w.make_key(w.dir / "both")
    both = [f"{w.service}/tcp", f"{w.service}/udp"]
    for service in both:
        w.run(w.sardane, "publish", rollworld.HOST, "--service", service, "--via", w.via, "--state", w.state, "--cert", w.dir / "both/cert.pem")
    got = subprocess.run([str(x) for x in w.rollover("--via", w.via, "--service", both[0], "--service", both[1], "--cert", w.dir / "both/cert.pem",
                                                     "--key", w.dir / "both/key.pem", "--margin", "99", "--once")], capture_output=True, text=True)
    check(got.returncode == 1 and w.folder.exists(), "a key of two services is taken over, and being rolled", got.stderr)
    w.run(*remove)
    for owner in (w.owner, w.owner.replace("_tcp", "_udp")):
        w.everywhere([], owner)
    check(not w.folder.exists(), "removed, every record of both services goes")

    # A list of devices.
    fleet = w.dir / "fleet.csv"
    fleet.write_text("name\nd1._f.roll\nd2._f.roll\n")
    w.run(w.sardane, "enroll", "--csv", fleet, "--via", w.via, "--state", w.state)
    data = lambda n: re.search(f"^{n}._f.roll,([^,]*),", (w.state / "devices.csv").read_text(), re.M)[1]
    w.publish(["del d2._f.roll. TLSA"])
    got = subprocess.run(agent.argv + ["--once"], capture_output=True, text=True, timeout=120)
    check(got.returncode == 0 and f"(fleet {fleet}) repaired\n" in agent.events.read_text() and ", 2 devices" in got.stdout,
          "a device of a fleet whose record is gone is put right", got.stdout + got.stderr)
    w.everywhere([data("d2")], "d2._f.roll.")
    fleet.write_text("name\nd1._f.roll\nd2._f.roll\nd3._f.roll\n")
    got = subprocess.run(agent.argv + ["--once"], capture_output=True, text=True, timeout=120)
    w.everywhere([data("d3")], "d3._f.roll.")
    check(got.returncode == 0 and ", 3 devices" in got.stdout, "what the list has gained is enrolled", got.stdout + got.stderr)
    fleet.write_text("name\nd1._f.roll,\n")
    got = subprocess.run(agent.argv + ["--once"], capture_output=True, text=True, timeout=120)
    check(got.returncode == 1 and "fleet.csv:2: 2 fields where" in got.stdout, "a list that is wrong fails, with the line", got.stdout + got.stderr)
    (w.state / "fleets/half.json").write_text("{")
    (w.state / "other-crl.json").write_text("[]")
    fleet.write_text("name\nd1._f.roll\nd2._f.roll\nd3._f.roll\n")
    w.publish(["del d1._f.roll. TLSA"])
    got = subprocess.run(agent.argv + ["--once"], capture_output=True, text=True, timeout=120)
    w.everywhere([data("d1")], "d1._f.roll.")
    check(got.stderr.count("agent.unreadable") == 2, "a file that cannot be read is named, and all else looked after", got.stdout + got.stderr)
    fleets = lambda *words: subprocess.run([str(x) for x in (w.sardane, "fleets", *words, "--state", w.state)], capture_output=True, text=True, timeout=60)
    got = fleets("list")
    check(got.returncode == 2 and "half.json" in got.stderr and got.stdout.split()[:4] == ["3", "1", "1", str(fleet)], "fleets list has the list, and names that file",
          got.stdout + got.stderr)
    for file in (w.state / "fleets/half.json", w.state / "other-crl.json"):
        file.unlink()
    got = fleets("forget", fleet)
    check(got.returncode == 0 and json.loads(fleets("list", "--json").stdout) == [], "fleets forget has it forgotten", got.stderr)
    got = fleets("forget", fleet)
    check(got.returncode == 1 and "no such list" in got.stderr, "once", got.stderr)
    got = subprocess.run(agent.argv + ["--once"], capture_output=True, text=True, timeout=120)
    check(got.returncode == 0 and "devices" not in got.stdout and len(w.ask(rollworld.PRIMARY, "d1._f.roll.", "TLSA")) == 1,
          "the agent looks after it no more, and its devices stay", got.stdout + got.stderr)
    # One wildcard for all, and beside it what a rollover of its authority publishes.
    meters = w.dir / "meters"
    w.run(w.sardane, "ca", "init", meters, "--name", "Root of meters")
    fleet.write_text("name\nm1._w.roll\n")
    w.run(w.sardane, "enroll", "--csv", fleet, "--via", w.via, "--state", meters, "--form", "2 1 1", "--ca")
    w.run(w.sardane, "publish", "*._w.roll", "--add", "--tlsa", "2 1 1 " + "ab" * 32, "--via", w.via, "--state", meters)
    both = sorted(w.ask(rollworld.PRIMARY, "any._w.roll.", "TLSA"))
    got = subprocess.run([str(x) for x in (w.sardane, "agent", "--state", meters, "--once")], capture_output=True, text=True, timeout=120)
    check(got.returncode == 0 and len(both) == 2 and sorted(w.ask(rollworld.PRIMARY, "any._w.roll.", "TLSA")) == both,
          "what stands beside the record of a wildcard stays", (got.stdout, both))

    # What an authority revoked, and what was enrolled and never rolled.
    def turn():
        return subprocess.run([str(x) for x in agent.argv] + ["--check-every", "1", "--once"], capture_output=True, text=True, timeout=120)

    issuer, crl = w.dir / "elsewhere", w.dir / "list.pem"
    w.run(w.sardane, "ca", "init", issuer, "--name", "Elsewhere")
    w.run(w.sardane, "cert", "issue", "--ca", issuer, "--dns", "gone.roll", "--out", w.dir / "gone")
    w.run(w.sardane, "ca", "crl", issuer, "--out", crl, "--life", "3s")
    keep = lambda: subprocess.run([w.sardane, "agent", "--state", str(issuer), "--once", "--hook", f'echo "$SARDANE_NAME $SARDANE_WORDS" >>{w.dir}/crl'],
                                  capture_output=True, text=True, timeout=60)
    number = lambda: w.run("openssl", "crl", "-in", crl, "-noout", "-crlnumber").strip()
    first = number()
    time.sleep(2.1)
    got = keep()
    check(got.returncode == 0 and number() != first and "list until" in got.stdout, "a list of what was revoked is signed again before it ends", got.stdout + got.stderr)
    w.run(w.sardane, "ca", "crl", issuer, "--out", crl)
    quiet = number()
    time.sleep(1.1)
    got = keep()
    check(got.returncode == 0 and number() == quiet, "not one that is good for days", got.stdout + got.stderr)
    w.run(w.sardane, "cert", "revoke", w.dir / "gone.pem", "--ca", issuer)
    got = keep()
    check(got.returncode == 0 and "Revoked Certificates:" in w.run("openssl", "crl", "-in", crl, "-noout", "-text") and "lacked somebody" in (w.dir / "crl").read_text(),
          "but when somebody was revoked since", got.stdout + got.stderr)
    crl.unlink()
    got = keep()
    check(got.returncode == 0 and crl.exists(), "and when it is gone", got.stdout + got.stderr)

    w.processes[-1].send_signal(signal.SIGSTOP)  # the second name server
    enroll = [str(x) for x in (w.sardane, "enroll", "_meter.roll", "--client", "--via", w.via, "--state", w.state)]
    got = subprocess.run([*enroll, "--wait", "0"], capture_output=True, text=True, timeout=120)
    check(got.returncode == 1 and "step    published" in got.stdout, "an enrolment waits for a server", got.stdout + got.stderr)
    w.processes[-1].send_signal(signal.SIGCONT)
    w.until(lambda: turn().returncode == 0, "the agent ends it", 60)
    meter = w.state / "names/_meter.roll"
    record = w.run(w.sardane, "tlsa", "generate", "--cert", meter / "current.pem").strip()
    got = subprocess.run([*enroll, "--wait", "0", "--json"], capture_output=True, text=True, timeout=120)
    check(got.returncode == 0, "the agent goes on with it, to its end", got.stdout + got.stderr)
    w.publish(["del _meter.roll. TLSA"])
    w.until(lambda: turn().returncode == 0 and "_meter.roll repaired\n" in agent.events.read_text(), "a repair", 60)
    w.everywhere([record], "_meter.roll.")
    check(True, "and puts its record right")
    beside = "3 1 1 " + "cd" * 32
    w.run(w.sardane, "publish", "_meter.roll", "--add", "--tlsa", beside, "--via", w.via, "--state", w.state)
    time.sleep(1.1)
    got = turn()
    w.everywhere([record, beside], "_meter.roll.")
    check(got.returncode == 0, "what was put beside it stays", got.stdout + got.stderr)
    (w.dir / "short.yaml").write_text("profiles:\n  - {name: short, for: client, lifetime: 60s}\n")
    w.run("openssl", "req", "-new", "-key", meter / "current-key.pem", "-subj", "/", "-addext", "subjectAltName=DNS:_meter.roll", "-out", w.dir / "csr")
    w.run(w.sardane, "cert", "sign", "--ca", issuer, "--csr", w.dir / "csr", "--profiles", w.dir / "short.yaml", "--profile", "short", "--out", w.dir / "short")
    (w.dir / "short.pem").replace(meter / "current.pem")
    got = turn()
    check(got.returncode == 0 and "_meter.roll renewed\n" in agent.events.read_text(), "a certificate that ends is renewed", got.stdout + got.stderr)
    got = subprocess.run(["openssl", "x509", "-in", meter / "current.pem", "-noout", "-checkend", str(300 * 86400)], stdout=subprocess.DEVNULL)
    check(got.returncode == 0 and w.run(w.sardane, "tlsa", "generate", "--cert", meter / "current.pem").strip() == record, "for a year, with the key it has")
done()
