#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The two other ways into a zone: a fragment for $INCLUDE, and a hook of the operator's.

usage: test_others.py SARDANE; skipped without named, knotd, kdig and nsupdate
"""
import os, pathlib, signal, subprocess, sys, time

from publishlab import Lab, check, digest, done, skip_without

skip_without("named", "knotd", "keymgr", "kdig", "nsupdate", "dnssec-dsfromkey", "ldns-signzone")
SARDANE = sys.argv[1]
ONE, TWO, OTHER = digest("11"), digest("22"), digest("99")

with Lab(SARDANE) as lab:
    # the fragment: Knot loads the zone file anew when it is told to, and counts the serial itself
    conf = pathlib.Path(lab.world.conf)
    conf.write_text(conf.read_text().replace("zonefile-load: difference\n", "zonefile-load: difference-no-serial\n"))
    lab.world.halt()
    lab.world.launch()
    fragment = lab.dir / "org.tlsa"
    fragment.write_text("")
    zone = lab.world.file("org.")
    zone.write_text(zone.read_text() + f"$INCLUDE {fragment}\n")
    reload = f"{lab.dir}/reload"
    pathlib.Path(reload).write_text(f"""#!/bin/sh
[ -e {lab.dir}/broken ] && {{ echo 'the server is away' >&2; exit 3; }}
knotc -s {lab.world.dir}/knot.sock -b zone-reload org
""")
    os.chmod(reload, 0o755)
    path = dict(os.environ, PATH=os.environ["PATH"] + ":/usr/sbin")
    via = lab.via("fragment", f"""  backend: fragment
  zone: org
  file: {fragment}
  reload: {reload}""")
    run = lambda *argv: lab.run(*argv, "--via", via, env=path)
    got = run("publish", "far.org", "--service", "443/tcp", "--tlsa", ONE)
    check(got.returncode == 0, "a fragment is published", got.stdout + got.stderr)
    check(lab.served("_443._tcp.far.org", "127.0.0.2") == [ONE], "and served after the reload")
    got = run("publish", "_c.far.org", "--tlsa", TWO)
    lines = fragment.read_text().splitlines()
    check(got.returncode == 0 and lines[0].startswith("; Written by sardane") and lines[1:] == [
        f"_c.far.org. 60 IN TLSA {TWO}", f"_443._tcp.far.org. 60 IN TLSA {ONE}"], "the file is a line each, in order", lines)
    before = fragment.stat().st_mtime_ns
    got = run("publish", "_c.far.org", "--tlsa", TWO)
    check(got.returncode == 0 and "no change" in got.stdout and fragment.stat().st_mtime_ns == before,
          "no change leaves it alone", got.stdout + got.stderr)
    got = run("publish", "_c.far.org", "--tlsa", ONE, "--dry-run")
    check(fragment.stat().st_mtime_ns == before and "+_c.far.org. 60 IN TLSA " + ONE in got.stdout, "so does a dry run", got.stdout)

    (lab.dir / "broken").touch()
    got = run("publish", "_c.far.org", "--tlsa", ONE)
    check(got.returncode == 2 and "status 3: the server is away" in got.stderr, "a reload that fails is told with its words", got.stderr)
    (lab.dir / "broken").unlink()
    got = run("publish", "_c.far.org", "--tlsa", ONE)
    check(got.returncode == 0 and lab.served("_c.far.org", "127.0.0.2") == [ONE], "and done again by the next call",
          got.stdout + got.stderr)
    got = run("unpublish", "far.org", "--service", "443/tcp")
    check(got.returncode == 0 and lab.served("_443._tcp.far.org", "127.0.0.2") == [], "what is withdrawn goes", got.stdout + got.stderr)
    whole = fragment.read_text()
    for what, text in (("a file of another is refused and left alone",
                        "; of another".ljust(len(lines[0])) + f"\n_x.far.org. 60 IN TLSA {ONE}\n"), ("so is one that was cut", whole[:-30]),
                       ("and one with a line of another kind", whole + "$ORIGIN org.\n")):
        fragment.write_text(text)
        got = run("publish", "_c.far.org", "--tlsa", TWO)
        check(got.returncode == 2 and fragment.read_text() == text, what, got.stderr)
    fragment.write_text(whole)
    several = [subprocess.Popen([SARDANE, "publish", f"_p{i}.far.org", "--tlsa", ONE, "--via",
                                 lab.via("fragment", via.read_text().split("publish:\n")[1].split("\n  state")[0], state=f"f{i}"),
                                 "--no-wait"], env=path, stdout=subprocess.DEVNULL) for i in range(5)]
    check([p.wait(60) for p in several] == [0] * 5 and fragment.read_text().count("_p") == 5, "writers at once lose nothing",
          fragment.read_text())

    # the hook: changes BIND by nsupdate, as an operator's script for a provider would
    secret = lab.bind.key(256).read_text().strip().rsplit(":", 1)[1]
    hook = lab.dir / "hook"
    hook.write_text(f"""#!/bin/sh
echo "$SARDANE_ACTION $SARDANE_ZONE $SARDANE_NAME $SARDANE_TYPE $SARDANE_TTL $SARDANE_RDATA" >>{lab.dir}/said
[ -e {lab.dir}/broken ] && {{ echo 'no quota'; exit 1; }}
[ -e {lab.dir}/slow ] && exec sleep 60
case $SARDANE_ACTION in add) verb=add rest="$SARDANE_TTL" ;; remove) verb=delete rest= ;; esac
nsupdate -y hmac-sha256:k256:{secret} <<END
server 127.0.0.1 {lab.port}
$verb $SARDANE_NAME $rest $SARDANE_TYPE $SARDANE_RDATA
send
END
""")
    hook.chmod(0o755)
    via = lab.via("hook", f"""  backend: hook
  zone: bind.example
  server: 127.0.0.1@{lab.port}
  hook: {hook}
  timeout_ms: 6000""")
    said = lambda: (lab.dir / "said").read_text().splitlines()
    lab.put(f"add _h.bind.example 60 TLSA {OTHER}")
    rc, told = lab.json("publish", "_h.bind.example", "--via", via, "--tlsa", ONE)
    check(rc == 0 and sorted(told["now"]) == [ONE, OTHER] and told["served"], "a hook publishes", told)
    check(said() == [f"add bind.example _h.bind.example TLSA 60 {ONE}"], "and is told what to do by its environment", said())
    rc, told = lab.json("publish", "_h.bind.example", "--via", via, "--tlsa", TWO)
    check(rc == 0 and [l.split()[0] for l in said()[1:]] == ["add", "remove"], "what comes, comes before what goes", said())
    check(lab.served("_h.bind.example") == [TWO, OTHER], "another's record stays")
    (lab.dir / "broken").touch()
    got = lab.run("publish", "_h.bind.example", "--via", via, "--tlsa", ONE)
    check(got.returncode == 2 and "status 1: no quota" in got.stderr, "a hook that fails is told with its words", got.stderr)
    (lab.dir / "broken").unlink()
    (lab.dir / "slow").touch()
    began = time.monotonic()
    got = lab.run("publish", "_h.bind.example", "--via", via, "--tlsa", ONE)
    check(got.returncode == 2 and "did not end in its time" in got.stderr and time.monotonic() - began < 30,
          "one that takes too long is ended", got.stderr)
    (lab.dir / "slow").unlink()
    rc, told = lab.json("unpublish", "_h.bind.example", "--via", via)
    check(rc == 0 and told["now"] == [OTHER], "and unpublish removes ours alone", told)
done()
