#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The documents do what they say: their commands run in order, their C blocks compile.

A page's blocks run as one script in an empty folder, each command must succeed, and the output
must show what the page promises. Only what an installation would do is put in here: the programs'
folders on PATH, the helper, free ports.
usage: test_docs.py SOURCE_ROOT BUILD_ROOT [PAGE ...]
"""
import concurrent.futures, os, pathlib, re, signal, subprocess, sys, tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "lib"))
from dnsworld import free_port

root, build = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
HELPER = build / "bin/resolverd/sardane-resolverd"
PATHS = [build / "bin" / n for n in ("cli", "joind", "networkd", "applicationd", "proxy")] + [build / "examples"]
PROMISES = {
    "../README.md": [" IN TLSA 3 1 1 ", "verdict   proved: TLSA 3 1 1", "secure, 1 record", "Connection refused", "exit 1"],
    "operators.md": ["joind.yaml: fine", "networkd.yaml: fine", "applicationd.yaml: fine", "_lwns._tcp.js.b.example.",
                     "\nauthenticated", "1 added, 0 changed", "1: 1 joined", '"data":"U2FyZGFuZQ=="', '"event":"txack"',
                     "no join any more", "refusal=no-tlsa", "_8000._tcp.ns.a.example. 3600 IN TLSA 3 1 1 ",
                     "_ns-client.ns.a.example. 3600 IN TLSA 3 1 1 ", "2 added, 0 changed", "70b3d57ed0000002"],
    "sidecar.md": ["b.yaml: fine", "a page of organisation B", "at=web sni=js.b.example verdict=passed peer=_ns-client.ns.a.example", "refusal=policy"],
    "library.md": ["welcome _ns-client.ns.a.example: TLSA 3 1 1", "server localhost.b.example: TLSA 3 1 1", "\nhello"],
    "dns-admins.md": ["IN TLSA 3 1 1 ", "\n2 0 1 ", "verdict   proved: TLSA 3 1 1", "record 2  2 0 1", "exit 1",
                      "no matching DANE TLSA records", "no address: insecure"],
    "from-cfssl.md": ["certs/join-api/server.pem: OK", "certs/join-api/client-combined.pem", "kind         intermediate",
                      "_ns-client.ns.a.example", "cert.issue", "whole: ", "revoked, superseded", "number 1, 1 revoked",
                      "name 'js.a.example': outside the constraints", "mine.csr", "_8003._tcp.js.b.example. IN TLSA 3 1 1 ",
                      "_8003._tcp.js.b.example. IN TLSA 2 0 1 "],
    "first-handshake.md": ["c.example. IN DS ", "c.example: 1 server, 0 names, 0 findings", "proof   holds: TLSA 3 1 1",
                           "holds: the TLSA of _reader.c.example", "\na first mutual handshake",
                           " verdict=passed peer=_reader.c.example", " verdict=passed peer=hello.c.example",
                           "dnssec=secure-denial refusal=no-tlsa", "\nrefused"],
    "rollover.md": ["step      none: no rollover is under way (1 done)", "g2 in place of g1", "in an emergency", "1 names: 0 rolling, 0 late, 0 failing", "2 records removed",
                    "replays old answers: from"],
    "publishing.md": ["+_5432._tcp.db.a.example. 60 IN TLSA 3 1 1 ", "up to date, signed", "\n-_5432._tcp.db.a.example. 60",
                      "1 server, 1 name, 0 findings; signatures hold", "the zone is bogus", "proof   holds: TLSA 3 1 1", "step    leaving"],
    "fleets.md": ["new d1._device.a.example 3 1 1 for a key to be made", "verified      3 of 3", "certificates  4\n", "published     1, mended 0", "cut off, by a record of its own",
                  "let in again", "4, 0 of them new or changed, 1 cut off", "certificates  1\n", "whole: "],
    "when-red.md": ["holds: the TLSA of _client.good.broken.example", "DNSKEY: signature of key", "exit 1", "SARDANE WARNING"],
}
count = failed = 0


def tap(good, what, note=""):
    global count, failed
    count, failed = count + 1, failed + (not good)
    print(f"{'ok' if good else 'not ok'} {count} - {what}", flush=True)
    if not good:
        print("\n".join("# " + line for line in note.splitlines()), flush=True)


def blocks(page, language):
    return re.findall(rf"^```{language}\n(.*?)^```$", (root / "docs" / page).read_text(), re.S | re.M)


def first_steps():
    """The indented commands of README, without the remarks beside them."""
    steps = (root / "README.md").read_text().partition("## First steps")[2]
    lines = [re.split(r"  +", line.strip())[0] for line in re.findall(r"^    sardane .*$", steps, re.M)]
    return "\n".join(line + (' || echo "exit $?"' if line.startswith("sardane connect") else "") for line in lines) + "\n"


def script_of(page):
    parts = [first_steps()] if page.endswith("README.md") else blocks(page, "sh")
    if page == "library.md":
        parts.insert(0, "sardane lab up --dir lab\n")
    if any("lab up" in part for part in parts) and not any("lab down" in part for part in parts):
        parts.append("sardane lab down --dir lab\n")
    text = "\n".join(parts)
    text = text.replace("resolver:\n  trust_anchor_file:", f"resolver:\n  helper: {HELPER}\n  trust_anchor_file:")
    # In one pass: a port that was put in may have another of the page in it.
    ports = {port: str(free_port()) for port in ("1700", "4433", "8099", "8080", "8081")}
    text = re.sub(r"(?<=127\.0\.0\.1:)1700|4433|8099|8080|8081", lambda port: ports[port[0]], text)
    return "set -eu\ntrap 'kill $(jobs -p) 2>/dev/null || true; [ ! -d \"$top\"/lab ] || sardane lab down --dir \"$top\"/lab >/dev/null 2>&1' EXIT\n" \
        "top=$PWD\n" + text.replace("mkdir first-join && cd first-join", "mkdir first-join && cd first-join && top=$PWD")


def run(page):
    env = dict(os.environ, SARDANE_HELPER=str(HELPER), PATH=":".join(map(str, PATHS)) + ":" + os.environ["PATH"] + ":/usr/sbin")
    with tempfile.TemporaryDirectory(prefix="sd-") as folder:
        process = subprocess.Popen(["bash", "-c", script_of(page)], cwd=folder, env=env, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, text=True, start_new_session=True)
        try:
            out = process.communicate(timeout=150)[0]
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGTERM)
            out = process.communicate()[0]
    return process.returncode, out


def judge(page, status, out):
    tap(status == 0, f"every command of {page} succeeds", out[-3000:])
    for promise in PROMISES[page]:
        tap(promise in out, f"{page} shows '{promise.strip()}'")


def compile_page(page):
    code = "\n".join(blocks(page, "c"))
    got = subprocess.run([*os.environ.get("CC", "cc").split(), "-std=gnu17", "-Wall", "-Wextra", "-Werror", "-fsyntax-only",
                          f"-I{root}/include", "-x", "c", "-"], input=code, capture_output=True, text=True)
    tap(code and got.returncode == 0, f"the C code of {page} compiles", got.stderr)


pages = sys.argv[3:] or list(PROMISES)
with concurrent.futures.ThreadPoolExecutor(4) as pool:  # they mostly wait
    for name, (code, text) in zip(pages, pool.map(run, pages)):
        judge(name, code, text)
compile_page("library.md")
print(f"1..{count}")
sys.exit(failed > 0)
