#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""sardane trace in the lab with its broken zones: each verdict, each reason, and services that hold or not.

usage: test_trace.py SARDANE ECHOD
"""
import json, os, pathlib, shutil, subprocess, sys, tempfile, time, xml.etree.ElementTree

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "lib"))
import brokenzones

SARDANE, ECHOD = sys.argv[1:3]
os.environ["PATH"] += ":/usr/sbin"
for program in ("knotd", "ldns-signzone"):
    if not shutil.which(program):
        print(f"1..0 # SKIP {program} is not installed")
        sys.exit(0)
count, failed = 0, 0
top = pathlib.Path(tempfile.mkdtemp(prefix="sardane-trace-"))
lab = top / "lab"


def check(good, what, note=""):
    global count, failed
    count += 1
    failed += not good
    print(f"{'ok' if good else 'not ok'} {count} - {what}" + ("" if good or not note else f"\n# {note}"), flush=True)


def sardane(*words):
    return subprocess.run([SARDANE, *map(str, words)], capture_output=True, text=True, timeout=120)


def trace(name, *words, patience=20000):
    """(exit status, JSON); every server but the mute one answers, however slow the machine is"""
    got = sardane("trace", name, "--resolver", lab / "resolver.yaml", "--json", "--timeout", patience, *words)
    return got.returncode, json.loads(got.stdout) if got.stdout else {"stderr": got.stderr}


def publish(*words):
    assert sardane("lab", "publish", "--dir", lab, *words).returncode == 0


def zones():
    for row in json.loads(sardane("lab", "status", "--dir", lab, "--json").stdout)["broken"]:
        zone = row["zone"].split(".")[0]
        status, said = trace(row["name"], patience=1500 if zone == "mute" else 20000)
        wrong = brokenzones.misjudged(zone, said)
        check(not wrong and status == (not said["holds"]), f"{zone}: {row['what']}", wrong or status)
        check(said["resolver"]["agrees"], f"{zone}: libunbound thinks the same", said["resolver"])
        if zone in ("lame", "disagree", "lagging"):
            check(any("other.broken.example" in n for n in said["notes"]), f"{zone}: and the server is named", said["notes"])
        if zone == "huge":
            check(said["steps"][0]["servers"][0]["tcp"] and len(said["tlsa"]) == 60, "huge: all 60 records, by TCP")
        if zone == "wildcard":
            check(said["steps"][0]["servers"][0]["wildcard"], "wildcard: and it is told")
        if zone == "disagree":
            check([t["on_all_servers"] for t in said["tlsa"]] == [False, False], "disagree: both records, neither on all servers")


def moments():
    later = trace("_client.good.broken.example", "--at", "+40d")[1]
    check(later["trust"] == "bogus" and "expired at" in later["why"], "in 40 days it will not hold", later["why"])
    soon = trace("_client.clock-skew.broken.example", "--at", "+3d")[1]
    check(soon["holds"], "and what begins in two days holds in three", soon["why"])
    now = trace("_client.good.broken.example")[1]
    check(13 * 86400 < now["until"] - time.time() < 15 * 86400 and "expires" in now["until_why"], "until the first signature expires",
          (now["until"], now["until_why"]))


def pictures():
    for zone, marks in (("good", 0), ("bad-digest", 1)):
        path = top / f"{zone}.svg"
        sardane("trace", f"_client.{zone}.broken.example", "--resolver", lab / "resolver.yaml", "--svg", path)
        tree = xml.etree.ElementTree.parse(path)
        crosses = tree.findall(".//{http://www.w3.org/2000/svg}circle")
        check(len(crosses) == marks, f"{zone}: the picture is XML and has {marks} crosses", len(crosses))
    graph = sardane("trace", "_client.bad-digest.broken.example", "--resolver", lab / "resolver.yaml", "--dot").stdout
    check(graph.startswith("digraph") and '"DS"' in graph and "style=dashed" in graph, "--dot shows the broken edge", graph)
    words = sardane("trace", "_client.bad-digest.broken.example", "--resolver", lab / "resolver.yaml").stdout.splitlines()
    check(words[-1].startswith("does not hold: bogus: zone bad-digest.broken.example"), "the last line is one sentence", words[-1])


def services(env):
    js, owner = env["B_JS_HOST"], "_8003._tcp." + env["B_JS_HOST"]
    status, said = trace(owner)
    check(status == 1 and "refused" in said["sentence"].lower(), "nobody listens: it does not hold", said["sentence"])
    config = top / "js.yaml"
    config.write_text(f"server: {{bind: '{env['B_JS_ADDRESS']}:8003', tls_cert: {env['B_JS_SERVER']}-combined.pem, tls_key: {env['B_JS_SERVER']}-key.pem}}\n"
                      f"clients: [{{name: {env['A_NS_CLIENT_NAME']}}}]\nresolver: {{file: {env['LAB_RESOLVER']}}}\n")
    with subprocess.Popen([ECHOD, config], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        try:
            assert server.stdout.readline().startswith("port")
            served(env, js, owner)
        finally:
            server.kill()


def served(env, js, owner):
    status, said = trace(owner)
    check(status == 0 and said["presented"][0]["records"][0]["matched"], "a service that presents what is published holds", said["sentence"])
    check(trace(js, "--service", "8003/tcp")[0] == 0, "and the same by its host and --service")
    wrong = "3 1 1 " + "00" * 32
    publish("--add", owner, "TLSA", *wrong.split())
    said = trace(owner)[1]
    matched = sorted(r["matched"] for r in said["presented"][0]["records"])
    check(said["holds"] and matched == [False, True], "every record is held against the key", matched)
    publish("--add", js, "A", env["B_NS_ADDRESS"])
    status, said = trace(owner)
    check(status == 1 and len(said["presented"]) == 2 and sorted(p["proved"] for p in said["presented"]) == [False, True],
          "one address of two that does not answer: it does not hold", said["sentence"])
    publish(js, "A", env["B_JS_ADDRESS"])
    publish(owner, "TLSA", *wrong.split())
    status, said = trace(owner)
    check(status == 1 and said["trust"] == "secure" and "no" in said["presented"][0]["why"], "another key: secure, but it does not hold", said["sentence"])
    for file, good in (("ca", True), ("root", False)):
        anchor = sardane("tlsa", "generate", "--cert", lab / "b" / file / "ca.pem", "--usage", "2").stdout.split()
        publish(owner, "TLSA", *anchor)
        status, said = trace(owner)
        record = said["presented"][0]["records"][0]
        check((status == 0) == good and record["matched"] == good, f"DANE-TA of the {file}: {'matches at depth 1' if good else 'is not in the chain'}", said)
        if good:
            check(record["depth"] == 1 and 29 * 86400 < said["presented"][0]["until"] - time.time() < 31 * 86400,
                  "and holds until the first certificate expires", said["presented"])
    publish("alias.b.example", "CNAME", js + ".")
    good = sardane("tlsa", "generate", "--cert", env["B_JS_SERVER"] + ".pem").stdout.split()
    publish(owner, "TLSA", *good)
    status, said = trace("alias.b.example", "--service", "8003/tcp")
    check(status == 0 and said["name"] == owner, "of a host that is an alias, the TLSA at its end", said["sentence"])
    status, said = trace("alias.b.example", "--service", "8003/tcp", "--no-connect")
    check(status == 0 and said["name"] == owner and not said["presented"], "also when it is not connected to", said["sentence"])
    status, said = trace("alias.b.example", "--service", "8003/tcp", "--cert", env["B_JS_SERVER"] + ".pem")
    check(status == 0 and said["presented"][0]["proved"], "or held against a file", said["sentence"])
    status, said = trace("js.b.example", "--service", "9/tcp")
    check(status == 1 and "no TLSA at _9._tcp.js.b.example" in said["sentence"], "a service without TLSA does not hold", said["sentence"])
    status, said = trace("nothing.b.example", "--service", "8003/tcp")
    check(status == 1 and said["trust"] == "secure" and said["answer"] == "denial", "nor one of a host that is not there", said["sentence"])


def files(env):
    name, cert = env["A_NS_CLIENT_NAME"], env["A_NS_CLIENT"]
    check(trace(name, "--client", "--cert", cert + ".pem")[0] == 0, "a client's certificate holds")
    check(trace(name, "--client", "--key", cert + "-key.pem")[0] == 0, "and its key")
    other = env["A_JS_CLIENT"]
    for option, file in (("--cert", other + ".pem"), ("--key", other + "-key.pem")):
        status, said = trace(name, "--client", option, file)
        check(status == 1 and said["trust"] == "secure" and not said["presented"][0]["proved"], f"another's {option} does not", said["sentence"])


    for option, file in (("--cert", cert + ".pem"), ("--key", cert + "-key.pem")):
        status, said = trace("_client.disagree.broken.example", "--client", option, file)
        check(status == 1 and "the records of some name servers prove it" in said["sentence"], f"{option} that one server's records prove: not enough",
              said["sentence"])


def refusals():
    for words, what in (((), "no name"), (("a..b",), "a name that is none"), (("a.example", "--at", "soon"), "--at soon"),
                        (("a.example", "--service", "80"), "--service without a protocol"), (("a.example", "--resolver", "/nowhere"), "no such resolver file"),
                        (("a.example", "--json", "--dot"), "two forms"), (("a.example", "--cert", "a", "--key", "b"), "two files")):
        got = sardane("trace", *words)
        check(got.returncode == 2 and got.stderr.startswith("sardane trace: "), f"{what} is bad input", got)


try:
    up = sardane("lab", "up", "--broken", "--dir", lab, "--ttl", 1)
    assert up.returncode == 0, up.stderr
    text = (lab / "lab.env").read_text()
    env = {k: v.strip("'") for k, v in (line.split("=", 1) for line in text.splitlines() if "=" in line and line[0] != "#")}
    zones()
    moments()
    pictures()
    services(env)
    files(env)
    refusals()
finally:
    down = sardane("lab", "down", "--dir", lab)
    check(down.returncode == 0 and not lab.exists(), "the lab goes, the mute server too", down.stderr)
    shutil.rmtree(top)
print(f"1..{count}")
sys.exit(bool(failed))
