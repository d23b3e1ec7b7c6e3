#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The Join Server of organisation B in the lab, over mutual DANE.

    with danelab.world() as (world, lab):
        with danelab.Dane(world) as js: ...
        lab("withdraw", world["A_NS_CLIENT_NAME"], "TLSA")

JOIND, SARDANE, RESOLVERD and POSTC in the environment name the programs. The lab's DNS is real and signed.
"""
import contextlib, json, os, pathlib, re, shutil, subprocess, tempfile, time

import joinlab
from joinlab import KEY, join_request

class Dane(joinlab.Lab):
    """joinlab.Lab with B's certificate, policy and resolver in place of plain HTTP.

    more: lines of its join_server block; clients: lines of its rules; stub: more of its resolver block.
    """
    def __init__(self, world, more="", clients="", stub=""):
        super().__init__()
        e = self.e = world
        self.eui = e["B_JOIN_EUI"].lower()
        pathlib.Path(self.config).write_text(f"""
database: {self.dir}/js.db
join_server:
  bind: "{e['B_JS_ADDRESS']}:{e['B_JS_PORT']}"
  tls_cert: {e['B_JS_SERVER']}.pem
  tls_key: {e['B_JS_SERVER']}-key.pem
  enable_dane: true
{more}
clients:
  - {{name: "{e['A_NS_CLIENT_NAME']}"}}
  - {{name: "{e['B_NS_CLIENT_NAME']}", net_id: "{e['B_NET_ID']}"}}
  - {{name: "{e['B_AS_CLIENT_NAME']}", as_id: "{e['B_AS_HOST']}"}}
{clients}
resolve_net_id_domain_suffix: {e['LAB_NET_ID_SUFFIX']}
as_id_by_name: true
""" + self.resolver(stub))

    def resolver(self, more=""):
        """The longest deadline there is: a machine may be slow."""
        e = self.e
        return (f'resolver: {{deadline_ms: 4000, trust_anchor_file: {e["LAB_ANCHOR"]}, forward: ["{e["LAB_DNS_ADDRESS"]}@{e["LAB_DNS_PORT"]}"], '
                f'helper: {os.environ["RESOLVERD"]}{more}}}\n')

    def client_config(self, who, name=None, key=None):
        """A file for postc: who ("A_NS"), perhaps under another name or with another's key."""
        e, config = self.e, pathlib.Path(self.dir) / "client.yaml"
        cert = e[(key or who) + "_CLIENT"]
        config.write_text(f'client: {{tls_cert: {cert}.pem, tls_key: {cert}-key.pem, '
                          f'dane_client_name: {name or e[who + "_CLIENT_NAME"]}}}\n' + self.resolver())
        return config

    @property
    def url(self):
        return f'https://{self.e["B_JS_HOST"]}:{self.e["B_JS_PORT"]}/'

    def ask(self, who, message):
        """The answer to message, posted by who ("A_NS") over DANE; the text when there is none."""
        body = message if isinstance(message, (str, bytes)) else json.dumps(message)
        got = subprocess.run([os.environ["POSTC"], self.client_config(who), self.url, "1", "1", body],
                             capture_output=True, text=True, errors="replace", timeout=50)
        m = re.search(r'body=(\{".*\})$', got.stdout, re.M)
        return json.loads(m[1]) if m else got.stdout + got.stderr

    def connect_as(self, name=None, cert=None, *options):
        """(exit, output) of sardane connect to it; cert is a prefix of files."""
        settings = pathlib.Path(self.dir) / "resolver.yaml"
        settings.write_text(self.resolver())
        me = ["--client-name", name, "--cert", cert + ".pem", "--key", cert + "-key.pem"] if name else []
        got = self.sardane("connect", f'{self.e["B_JS_HOST"]}:{self.e["B_JS_PORT"]}', "--resolver", str(settings), *me, *options)
        return got.returncode, got.stdout + got.stderr

    def said(self, pattern, seconds=60):
        """The first line of its log that matches; waits for it."""
        until = time.monotonic() + seconds
        while True:
            for line in list(self.log):
                if re.search(pattern, line):
                    return line
            assert time.monotonic() < until, f"no '{pattern}' in the log: " + "".join(self.log[-15:])
            time.sleep(0.05)

    def request(self, dev, nonce, net_id, **change):
        return self.join_body(dev, nonce, SenderID=net_id, ReceiverID=self.eui,
                              **{"PHYPayload": join_request(dev, nonce, self.eui), **change})

    def add_device(self, dev, net_id):
        got = self.sardane("device", "add", dev, "--join-eui", self.eui, "--app-key", "-", "--net-id", net_id, "--as-id",
                           self.e["B_AS_HOST"], "--application-server", f"https://{self.e['B_AS_HOST']}:8005",
                           "--config", self.config, stdin=KEY.hex())
        assert got.returncode == 0, got.stderr

@contextlib.contextmanager
def world(*words):
    """(the words of lab.env, a function that runs "sardane lab VERB WORDS") of a lab of its own; words: more options."""
    top = tempfile.mkdtemp(prefix="sardane-joindane-")

    def lab(verb, *words):
        done = subprocess.run([os.environ["SARDANE"], "lab", verb, "--dir", top + "/lab", *words], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
    try:
        lab("up", "--ttl", "2", *words)
        try:
            text = pathlib.Path(top, "lab", "lab.env").read_text()
            words = dict(line.split("=", 1) for line in text.splitlines() if "=" in line and line[0] != "#")
            yield {k: v.strip("'") for k, v in words.items()}, lab
        finally:
            lab("down")
    finally:
        shutil.rmtree(top)
