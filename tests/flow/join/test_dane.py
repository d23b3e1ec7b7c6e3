#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The Join Server of organisation B over mutual DANE, asked by organisation A's Network Server.

JOIND, SARDANE, RESOLVERD and POSTC name the programs. The lab's DNS is real and signed.
"""
import json, os, pathlib, re, shutil, subprocess, sys, tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "lib"))
import joinlab
from joinlab import KEY, code, join_request, read_accept, run

DEV, OTHER = "70b3d57ed0000001", "70b3d57ed0000002"

class Dane(joinlab.Lab):
    """joinlab.Lab with B's certificate, policy and resolver in place of plain HTTP."""
    def __init__(self, world, more=""):
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
resolve_net_id_domain_suffix: {e['LAB_NET_ID_SUFFIX']}
as_id_by_name: true
""" + self.resolver())

    def resolver(self):
        e = self.e
        return (f'resolver: {{trust_anchor_file: {e["LAB_ANCHOR"]}, forward: ["{e["LAB_DNS_ADDRESS"]}@{e["LAB_DNS_PORT"]}"], '
                f'helper: {os.environ["RESOLVERD"]}}}\n')

    def ask(self, who, message):
        """The answer to message, posted by who ("A_NS") over DANE; the text when there is none."""
        e, config = self.e, pathlib.Path(self.dir) / "client.yaml"
        config.write_text(f'client: {{tls_cert: {e[who + "_CLIENT"]}.pem, tls_key: {e[who + "_CLIENT"]}-key.pem, '
                          f'dane_client_name: {e[who + "_CLIENT_NAME"]}}}\n' + self.resolver())
        got = subprocess.run([os.environ["POSTC"], config, f'https://{e["B_JS_HOST"]}:{e["B_JS_PORT"]}/', "1", "1", json.dumps(message)],
                             capture_output=True, text=True, timeout=50)
        m = re.search(r"body=(\{.*\})$", got.stdout, re.M)
        return json.loads(m[1]) if m else got.stdout + got.stderr

    def request(self, dev, nonce, net_id, **change):
        return self.join_body(dev, nonce, SenderID=net_id, ReceiverID=self.eui,
                              **{"PHYPayload": join_request(dev, nonce, self.eui), **change})

    def add_device(self, dev, net_id):
        got = self.sardane("device", "add", dev, "--join-eui", self.eui, "--app-key", "-", "--net-id", net_id, "--as-id",
                           self.e["B_AS_HOST"], "--application-server", f"https://{self.e['B_AS_HOST']}:8005",
                           "--config", self.config, stdin=KEY.hex())
        assert got.returncode == 0, got.stderr

def lab(verb, *words):
    done = subprocess.run([os.environ["SARDANE"], "lab", verb, "--dir", TOP + "/lab", *words], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr

def ready(more=""):
    js = Dane(WORLD, more)
    js.add_device(DEV, WORLD["A_NET_ID"])
    js.start()
    return js

def a_join_crosses_two_roots_and_its_app_s_key_reaches_its_owner_alone():
    with ready() as js:
        joined = js.ask("A_NS", js.request(DEV, 1, WORLD["A_NET_ID"]))
        assert code(joined) == "Success", joined
        assert read_accept(joined["PHYPayload"]) == 1 and "AppSKey" not in joined
        assert joined["VSExtension"]["Object"]["Sardane"]["ASID"] == WORLD["B_AS_HOST"]
        ask = {"ProtocolVersion": "1.0", "SenderID": WORLD["B_AS_HOST"], "ReceiverID": js.eui, "TransactionID": 2,
               "MessageType": "AppSKeyReq", "DevEUI": DEV, "SessionKeyID": joined["SessionKeyID"]}
        key = js.ask("B_AS", ask)
        assert code(key) == "Success" and len(key["AppSKey"]["AESKey"]) == 32, key
        assert code(js.ask("A_NS", ask)) == "UnknownSender"
        home = js.ask("A_NS", {"ProtocolVersion": "1.1", "SenderID": WORLD["A_NET_ID"], "ReceiverID": js.eui,
                               "TransactionID": 3, "MessageType": "HomeNSReq", "DevEUI": DEV})
        assert code(home) == "Success" and home["HNetID"] == WORLD["A_NET_ID"].lower(), home
        text = "".join(js.log)
        name = WORLD["A_NS_CLIENT_NAME"].rstrip(".")
        assert f"tls.accept peer={name}" in text and "dnssec=secure" in text, text
        assert f"join.accept dev={DEV}" in text and f"name={name}" in text, text

def a_net_id_of_another_is_refused_though_the_name_is_proven():
    with ready() as js:
        for who, net_id in (("A_NS", "B_NET_ID"), ("B_NS", "A_NET_ID")):
            before = js.dump()
            got = js.ask(who, js.request(DEV, 1, WORLD[net_id]))
            assert code(got) == "UnknownSender", got
            assert js.dump() == before
        assert code(js.ask("A_NS", js.request(DEV, 1, "fffffe"))) == "UnknownSender"
        # Its own NetID, by a rule; but the device is at home elsewhere.
        assert code(js.ask("B_NS", js.request(DEV, 1, WORLD["B_NET_ID"]))) == "ActivationDisallowed"

def a_client_whose_tlsa_is_gone_asks_nothing():
    with ready() as js:
        lab("withdraw", WORLD["A_NS_CLIENT_NAME"], "TLSA")
        got = js.ask("A_NS", js.request(DEV, 1, WORLD["A_NET_ID"]))
        assert isinstance(got, str) and "failed" in got, got
        assert not any("join." in line for line in js.log), js.log

def it_drains_and_ends_in_order():
    with ready() as js:
        assert js.stop() == 0
        assert any("joind.stop" in line for line in js.log) and not any("never closed" in line for line in js.log), js.log

TOP = tempfile.mkdtemp(prefix="sardane-joindane-")
try:
    lab("up", "--ttl", "2")
    try:
        WORLD = dict(line.split("=", 1) for line in pathlib.Path(TOP, "lab", "lab.env").read_text().splitlines() if "=" in line and line[0] != "#")
        WORLD = {k: v.strip("'") for k, v in WORLD.items()}
        run(a_join_crosses_two_roots_and_its_app_s_key_reaches_its_owner_alone,
            a_net_id_of_another_is_refused_though_the_name_is_proven, it_drains_and_ends_in_order,
            a_client_whose_tlsa_is_gone_asks_nothing)
    finally:
        lab("down")
finally:
    shutil.rmtree(TOP)
