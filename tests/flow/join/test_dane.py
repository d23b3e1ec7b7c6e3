#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The Join Server of organisation B over mutual DANE, asked by organisation A's Network Server.

JOIND, SARDANE, RESOLVERD and POSTC name the programs. The lab's DNS is real and signed.
"""
import os, pathlib, subprocess, sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "lib"))
import danelab
from joinlab import code, read_accept, run

DEV, OTHER = "70b3d57ed0000001", "70b3d57ed0000002"

def ready(more=""):
    js = danelab.Dane(WORLD, more)
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
        assert f"join.accept dev_eui={DEV}" in text and f"name={name}" in text, text

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

def certify(prefix, authority, role, name, owner, kind):
    """A new key of this kind, its certificate in the files of prefix, and its TLSA in DNS."""
    def sardane(*words):
        done = subprocess.run([os.environ["SARDANE"], *words], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout
    sardane("cert", "issue", "--ca", f"{WORLD['LAB_DIR']}/{authority}/ca", "--role", role, "--dns", name, "--key", kind,
            "--out", prefix, "--force")
    lab("publish", owner, "TLSA", *sardane("tlsa", "generate", "--cert", prefix + ".pem").split())

def organisations_with_keys_of_other_kinds_trust_each_other():
    for client, server in (("ed25519", "rsa2048"), ("rsa2048", "ed25519"), ("rsa3072", "rsa3072")):
        certify(WORLD["A_NS_CLIENT"], "a", "client", WORLD["A_NS_CLIENT_NAME"], WORLD["A_NS_CLIENT_NAME"], client)
        certify(WORLD["B_JS_SERVER"], "b", "server", WORLD["B_JS_HOST"], f"_{WORLD['B_JS_PORT']}._tcp.{WORLD['B_JS_HOST']}", server)
        with ready() as js:
            joined = js.ask("A_NS", js.request(DEV, 1, WORLD["A_NET_ID"]))
            assert code(joined) == "Success", (client, server, joined)
            js.said(r"tls\.accept .*dnssec=secure")

def it_drains_and_ends_in_order():
    with ready() as js:
        assert js.stop() == 0
        assert any("joind.stop" in line for line in js.log) and not any("never closed" in line for line in js.log), js.log

with danelab.world() as (WORLD, lab):
    run(a_join_crosses_two_roots_and_its_app_s_key_reaches_its_owner_alone,
        a_net_id_of_another_is_refused_though_the_name_is_proven, it_drains_and_ends_in_order,
        organisations_with_keys_of_other_kinds_trust_each_other, a_client_whose_tlsa_is_gone_asks_nothing)
