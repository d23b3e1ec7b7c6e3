#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How the servers end when they cannot begin: all alike, with status 2 and one reason.

SAMPLES in the environment is the folder of the sample configurations; JOIND, NETWORKD and
APPLICATIOND name the programs.
"""
import os, pathlib, subprocess, sys, tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "lib"))
from joinlab import run

SERVERS = ("joind", "networkd", "applicationd")

def start(server, *words):
    return subprocess.run([os.environ[server.upper()], *map(str, words)], capture_output=True, text=True, timeout=60)

def sample(server, folder):
    """The sample configuration, with everything it names below a folder where nothing is."""
    text = pathlib.Path(os.environ["SAMPLES"], server + ".yaml").read_text()
    for place in ("/etc/sardane", "/var/lib/sardane", "/run/sardane"):
        text = text.replace(place, f"{folder}/none")
    for key in ("root_key_kek_file", "session_key_kek_file"):
        text = text.replace(key, "# " + key)
    text = text.replace("\nresolver:\n", f"\nresolver:\n  helper: {folder}/none/resolverd\n")
    file = pathlib.Path(folder, server + ".yaml")
    file.write_text(text)
    return file

def in_each(test):
    with tempfile.TemporaryDirectory(prefix="sardane-start-") as folder:
        for server in SERVERS:
            test(server, sample(server, folder))

def ends_with(got, status, words):
    text = got.stdout + got.stderr
    assert got.returncode == status and words in text, (got.args, got.returncode, text)

def a_certificate_that_is_not_there_fails_the_check():
    in_each(lambda server, file: ends_with(start(server, "--check", "-c", file), 2, ".pem"))

def a_wrong_configuration_is_status_2():
    def test(server, file):
        file.write_text(file.read_text() + "\nnonsense: 1\n")
        for more in ([], ["--check"]):
            ends_with(start(server, "-c", file, *more), 2, "nonsense")
    in_each(test)

def a_configuration_that_is_not_there_is_status_2():
    in_each(lambda server, file: ends_with(start(server, "-c", file.with_suffix(".none")), 2, "No such file"))

def what_cannot_be_opened_is_status_2():
    in_each(lambda server, file: ends_with(start(server, "-c", file), 2, "none/"))

def an_unknown_option_is_status_2():
    in_each(lambda server, file: ends_with(start(server, "--nonsense"), 2, "nonsense"))

run(a_certificate_that_is_not_there_fails_the_check, a_wrong_configuration_is_status_2,
    a_configuration_that_is_not_there_is_status_2, what_cannot_be_opened_is_status_2, an_unknown_option_is_status_2)
