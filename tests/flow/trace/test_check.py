#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""sardane check in the lab: states, perfdata, lists, metrics. usage: test_check.py SARDANE"""
import json, os, pathlib, re, shutil, subprocess, sys, tempfile

SARDANE = sys.argv[1]
os.environ["PATH"] += ":/usr/sbin"
for program in ("knotd", "ldns-signzone"):
    if not shutil.which(program):
        print(f"1..0 # SKIP {program} is not installed")
        sys.exit(0)
count, failed = 0, 0
top = pathlib.Path(tempfile.mkdtemp(prefix="sardane-check-"))
lab = top / "lab"
GOOD, LAME, BAD, MUTE = (f"_client.{z}.broken.example" for z in ("good", "lame", "expired", "mute"))


def check(good, what, note=""):
    global count, failed
    count += 1
    failed += not good
    print(f"{'ok' if good else 'not ok'} {count} - {what}" + ("" if good or not note else f"\n# {note}"), flush=True)


def sardane(*words):
    return subprocess.run([SARDANE, *map(str, words)], capture_output=True, text=True, timeout=120)


def run(*words, patience=20000):
    """Every server but the mute one answers, however slow the machine is."""
    return sardane("check", *words, "--resolver", lab / "resolver.yaml", "--timeout", patience)


def states():
    got = run(GOOD)
    check(got.returncode == 0 and got.stdout.startswith(f"SARDANE OK - {GOOD} holds: "), "a name that holds is OK", got)
    check(re.search(r" \| names=1 ok=1 warning=0 critical=0 unknown=0 left=\d+s;259200:;86400: time=[\d.]+s\n$", got.stdout), "with perfdata", got.stdout)
    got = run(LAME)
    check(got.returncode == 1 and "answers REFUSED" in got.stdout, "a lame server is a WARNING", got.stdout)
    got = run(BAD)
    check(got.returncode == 2 and got.stdout.startswith("SARDANE CRITICAL") and "expired at" in got.stdout, "expired signatures are CRITICAL", got.stdout)
    check(run(GOOD, "--warning", "20d").returncode == 1, "less left than --warning is a WARNING")
    check(run(GOOD, "--warning", "30d", "--critical", "20d").returncode == 2, "less than --critical is CRITICAL")
    check(run(GOOD, "--at", "+40d").returncode == 2, "what will not hold in 40 days is CRITICAL then")
    got = run(GOOD, LAME, BAD)
    lines = got.stdout.splitlines()
    check(got.returncode == 2 and len(lines) == 3 and " critical=1 " in lines[0] and lines[1].startswith(f"WARNING {LAME} ") and
          lines[2].startswith(f"CRITICAL {BAD} "), "of several the worst counts, and each that is not fine has a line", got.stdout)


def lists():
    names = top / "names"
    names.write_text(f"# who\n{GOOD}\n\n_ns-client.ns.a.example client cert={lab}/a/ns-client.pem # A\n"
                     f"_ns-client.ns.a.example key={lab}/a/ns-client-key.pem\n")
    got = run("--file", names, "--json")
    check(got.returncode == 0 and [n["holds"] for n in json.loads(got.stdout)["names"]] == [True] * 3, "a list with certificates and keys", got)
    names.write_text(f"{GOOD}\n_ns-client.ns.a.example client cert={lab}/a/js-client.pem\n")
    got = run("--file", names, "--json")
    check(got.returncode == 2 and [n["state"] for n in json.loads(got.stdout)["names"]] == ["OK", "CRITICAL"], "another's certificate is CRITICAL", got.stdout)
    names.write_text("".join(f"_{i}.dev.wildcard.broken.example\n" for i in range(300)) + MUTE + "\n")
    got = run("--file", names, "--prometheus", top / "metrics", patience=4000)
    check(got.returncode == 2 and "names=301 ok=300 warning=0 critical=1" in got.stdout, "300 names beside a mute server", got.stdout[:300])
    metrics = (top / "metrics").read_text()
    check(metrics.count("sardane_check_holds{name=") == 301 and f'sardane_check_state{{name="{MUTE}"}} 2\n' in metrics, "and their metrics")
    check((top / "metrics").stat().st_mode & 0o777 == 0o644 and sorted(p.name for p in top.iterdir()) == ["lab", "metrics", "names"],
          "in one file, for others to read, and nothing beside it")


def refusals():
    names = top / "names"
    for text, what in (("a..b\n", "a name that is none"), ("a.example colour=red\n", "a word nobody knows"), ("# none\n", "an empty list"),
                       ("a" * 5000 + "\n", "a line too long")):
        names.write_text(text)
        got = run("--file", names)
        check(got.returncode == 3 and got.stderr.startswith("sardane check: "), f"{what} is UNKNOWN", got)
    for words in ((), (GOOD, "--file", names), (GOOD, "--warning", "soon"), (GOOD, "--jobs", "65")):
        check(run(*words).returncode == 3, f"{words[1:] or 'no name'} is UNKNOWN")
    got = sardane("check", GOOD, "--resolver", "/nowhere")
    check(got.returncode == 3, "no resolver file is UNKNOWN", got)


try:
    up = sardane("lab", "up", "--broken", "--dir", lab, "--ttl", 1)
    assert up.returncode == 0, up.stderr
    states()
    lists()
    refusals()
finally:
    sardane("lab", "down", "--dir", lab)
    shutil.rmtree(top)
print(f"1..{count}")
sys.exit(bool(failed))
