#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A device of a wildcard's fleet that was cut off, with its certificate and key, at a server of ours.

usage: test_cutoff.py ECHOD POSTC SARDANE RESOLVERD. The lab's server knows no device but by DNS; a second one would
take the fleet's authority where DNS proves that there is no TLSA.
"""
import json, pathlib, shutil, signal, subprocess, sys, tempfile, time

from publishlab import check, done, skip_without

ECHOD, POSTC, SARDANE, RESOLVERD = sys.argv[1:5]
skip_without("knotd", "keymgr")
top = pathlib.Path(tempfile.mkdtemp(prefix="sardane-cutoff-"))
PARENT = "_device.a.example"


def sardane(*words):
    return subprocess.run([SARDANE, *map(str, words)], capture_output=True, text=True, timeout=100)


class World:
    def __init__(self):
        got = sardane("lab", "up", "--dir", top / "lab", "--ttl", 1)
        assert got.returncode == 0, got.stderr
        env = dict(l.split("=", 1) for l in (top / "lab/lab.env").read_text().splitlines() if "=" in l and l[0] != "#")
        self.env = {k: v.strip("'") for k, v in env.items()}
        e, self.state = self.env, top / "state"
        self.resolver = (f'resolver: {{deadline_ms: 4000, trust_anchor_file: {e["LAB_ANCHOR"]}, forward: ["{e["LAB_DNS_ADDRESS"]}@{e["LAB_DNS_PORT"]}"], '
                         f'root_servers: ["{e["LAB_DNS_ADDRESS"]}@{e["LAB_DNS_PORT"]}"], authority_port: {e["LAB_DNS_PORT"]}, helper: {RESOLVERD}}}\n')
        self.via = top / "via.yaml"
        self.via.write_text(f'publish: {{backend: update, zone: a.example, server: "{e["LAB_DNS_ADDRESS"]}@{e["LAB_DNS_PORT"]}", '
                            f'key_file: {top}/lab/tsig.key, state: {self.state}, ttl_s: 1}}\n' + self.resolver)
        self.servers = []

    def serve(self, role, more=""):
        e, config = self.env, top / f"{role}.yaml"
        config.write_text(f'server: {{bind: "{e[role + "_ADDRESS"]}:{e[role + "_PORT"]}", tls_cert: {e[role + "_SERVER"]}.pem, '
                          f'tls_key: {e[role + "_SERVER"]}-key.pem{more}}}\nclients:\n  - {{name: "*.{PARENT}"}}\n' + self.resolver)
        log = open(top / f"{role}.log", "w")
        p = subprocess.Popen([ECHOD, config], stdout=subprocess.PIPE, stderr=log, text=True)
        self.servers.append(p)
        assert p.stdout.readline().startswith("port"), (top / f"{role}.log").read_text()
        return role

    def comes_in(self, device, role):
        """Whether the server answers, and why not: the refusal in its log."""
        prefix, config = self.state / "devices" / f"{device}.{PARENT}", top / "client.yaml"
        config.write_text(f'client: {{tls_cert: {prefix}-combined.pem, tls_key: {prefix}-key.pem, dane_client_name: {device}.{PARENT}}}\n' + self.resolver)
        log = top / f"{role}.log"
        before = len(log.read_text())
        url = f'https://{self.env[role + "_HOST"]}:{self.env[role + "_PORT"]}/who'
        got = subprocess.run([POSTC, config, url, "1", "1", "x"], capture_output=True, text=True, timeout=60)
        said = log.read_text()[before:]
        return f"body={device}.{PARENT} authenticated" in got.stdout, said.split("refusal=")[1].split()[0] if "refusal=" in said else said + got.stdout + got.stderr

    def close(self):
        for p in self.servers:
            p.send_signal(signal.SIGTERM)
            p.wait()
        sardane("lab", "down", "--dir", top / "lab")
        shutil.rmtree(top, ignore_errors=True)


def enroll(w):
    csv = top / "fleet.csv"
    csv.write_text("name\n" + "".join(f"d{i}.{PARENT}\n" for i in range(3)))
    return sardane("enroll", "--csv", csv, "--via", w.via, "--ca", "--form", "2 1 1", "--json")


w = World()
try:
    sardane("ca", "init", w.state, "--name", "Makers")
    got = enroll(w)
    check(got.returncode == 0 and json.loads(got.stdout)["verified"] == 3, "a fleet below one wildcard", got.stdout + got.stderr)
    dane, either = w.serve("B_JS"), w.serve("B_NS", f", mode: dane-or-pkix, ca_cert: {w.state}/ca.pem")
    check(all(w.comes_in(d, s)[0] for d in ("d0", "d1") for s in (dane, either)), "its devices come in, by the wildcard's record",
          [w.comes_in(d, s) for d in ("d0", "d1") for s in (dane, either)])
    got = sardane("revoke", f"d1.{PARENT}", "--via", w.via, "--margin", 0)
    check(got.returncode == 0 and "cut off" in got.stdout, "one is cut off", got.stdout + got.stderr)
    time.sleep(2)  # the TTL, and a little
    check(w.comes_in("d1", dane) == (False, "no-match"), "a device that was cut off is refused with its certificate and key", w.comes_in("d1", dane))
    check(w.comes_in("d1", either) == (False, "no-match"), "also where its authority would do if there were no TLSA", w.comes_in("d1", either))
    check(w.comes_in("d0", dane)[0] and w.comes_in("d0", either)[0], "the others come in as before", w.comes_in("d0", dane))
    got = enroll(w)
    time.sleep(2)
    check(got.returncode == 0 and w.comes_in("d1", dane) == (False, "no-match"), "the list does not let it in again", got.stdout + got.stderr)
    sardane("revoke", f"d1.{PARENT}", "--via", w.via, "--undo")
    time.sleep(2)
    enroll(w)
    check(w.comes_in("d1", dane)[0], "an operator does", w.comes_in("d1", dane))
finally:
    w.close()
done()
