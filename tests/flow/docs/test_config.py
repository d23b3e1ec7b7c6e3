#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Sample configurations and those in the man pages pass --check; a spoilt one does not.

usage: test_config.py SOURCE_ROOT JOIND NETWORKD APPLICATIOND PROXY RESOLVERD
"""
import pathlib, re, shutil, subprocess, sys, tempfile

root = pathlib.Path(sys.argv[1])
programs = dict(zip(["joind", "networkd", "applicationd", "proxy"], sys.argv[2:6]))
count = failed = 0


def tap(good, what, note=""):
    global count, failed
    count, failed = count + 1, failed + (not good)
    print(f"{'ok' if good else 'not ok'} {count} - {what}")
    if not good:
        print("\n".join("# " + line for line in note.splitlines()))


def check(name, text):
    path = folder / f"{name}.yaml"
    # The proxy opens its resolver to be checked: this build's, not an installed one.
    text = text.replace("\nresolver:\n", f"\nresolver:\n  helper: {sys.argv[6]}\n") if name == "proxy" else text
    text = text.replace("/etc/sardane", str(folder)).replace("/var/lib/sardane", str(folder))
    for key, made in re.findall(r"\b(tls_cert|tls_key|ca_cert): (/\S+)", text):
        if not pathlib.Path(made).exists():
            shutil.copy(folder / ("own-key.pem" if key == "tls_key" else "own.pem"), made)
    path.write_text(text)
    return subprocess.run([programs[name], "--config", str(path), "--check"], capture_output=True, text=True, timeout=30)


def accepted(name, text, what):
    got = check(name, text)
    # The proxy asks for its own names too, of which DNS knows nothing here: sardane-proxy(8), exit status 3.
    fine = (3, ": fine, but DNS does not say so of our names\n") if name == "proxy" else (0, ": fine\n")
    tap(got.returncode == fine[0] and got.stdout.endswith(fine[1]), f"{name} accepts {what}", got.stdout + got.stderr)


with tempfile.TemporaryDirectory() as made:
    folder = pathlib.Path(made)
    (folder / "resolver.yaml").write_text("resolver: {trust_anchor_builtin: true}\n")
    for key in ("root.kek", "session.kek"):
        (folder / key).write_text("00112233445566778899aabbccddeeff" * 2 + "\n")
        (folder / key).chmod(0o600)
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                    "-subj", "/CN=x", "-keyout", folder / "own-key.pem", "-out", folder / "own.pem"], check=True, capture_output=True)
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", folder / "other-key.pem"], check=True, capture_output=True)
    for name in programs:
        sample = (root / f"packaging/{name}.yaml").read_text()
        accepted(name, sample, "its sample")
        page = (root / f"man/sardane-{name}.8.scd").read_text().partition("# CONFIGURATION")[2]
        accepted(name, re.search(r"^```\n(.*?)^```$", page, re.S | re.M)[1], "the file in its page")
        got = check(name, sample.replace("\nresolver:", "\nresolvr:"))
        tap(got.returncode != 0 and "resolvr" in got.stderr, f"{name} refuses a sample with a word misspelt, and says which",
            got.stdout + got.stderr)
        got = check(name, sample.replace("\nresolver:\n", "\nresolver:\n  deadline_ms: 4001\n"))
        tap(got.returncode == 2 and "deadline_ms 4001 is above 4000" in got.stderr, f"{name} refuses a question to DNS without a bound",
            got.stdout + got.stderr)
        got = check(name, re.sub(r"(\n +tls_key: )\S+", r"\1", sample, count=1))
        tap(got.returncode != 0 and "tls_key" in got.stderr, f"{name} refuses a certificate without its key", got.stdout + got.stderr)
        got = check(name, re.sub(r"(\n +tls_key: )\S+", rf"\1{folder}/other-key.pem", sample, count=1))
        tap(got.returncode != 0 and "other-key.pem" in got.stderr, f"{name} refuses a certificate with another's key", got.stdout + got.stderr)
print(f"1..{count}")
sys.exit(failed > 0)
