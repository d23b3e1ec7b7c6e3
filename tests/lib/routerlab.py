# SPDX-License-Identifier: Apache-2.0
"""LoRaWAN messages between two sardane-proxies: B's listener before a server, A's router before a network.

    with proxylab.world() as (e, lab), Web(answer) as web, Proxy(inbound(e, web.address)) as b, Proxy(router(e)) as a: ...
"""
import json

import proxylab

# As ChirpStack v4 sends it, in its order and without blanks.
def join_req(e, **more):
    m = {"ProtocolVersion": "1.0", "SenderID": e["A_NET_ID"], "ReceiverID": e["B_JOIN_EUI"], "TransactionID": 3735928559,
         "MessageType": "JoinReq", "MACVersion": "1.0.2", "PHYPayload": "00010203040506070808070605040302010201cde6acb8",
         "DevEUI": "0102030405060708", "DevAddr": "01020304", "DLSettings": "15", "RxDelay": 1,
         "CFList": "988d8468958400000000000000000000"}
    m.update(more)
    return json.dumps(m, separators=(",", ":")).encode()

def answer(request):
    """A server that answers every request in its own name, with a blank that shows who wrote the octets."""
    m = json.loads(request[3])
    return 200, json.dumps({"ProtocolVersion": "1.0", "SenderID": m["ReceiverID"], "ReceiverID": m["SenderID"],
                            "TransactionID": m["TransactionID"], "MessageType": m["MessageType"].replace("Req", "Ans"),
                            "Result": {"ResultCode": "Success", "Description": ""}}, indent=3).encode()

def router(e, who="A_NS", more="", found=True):
    by_dns = (f'    join_eui_suffix: {e["LAB_JOIN_EUI_SUFFIX"]}\n    net_id_suffix: {e["LAB_NET_ID_SUFFIX"]}\n') if found else ""
    return proxylab.outbound(e, to="lorawan", who=who, more=by_dns + more)

def inbound(e, backend, allow=None, more=""):
    return proxylab.listener(e, backend, allow, f'    identity: lorawan\n    net_id_suffix: {e["LAB_NET_ID_SUFFIX"]}\n' + more)

def result(answered):
    """The ResultCode of (status, octets); the status must be 200."""
    status, octets = answered
    assert status == 200, answered
    return json.loads(octets)["Result"]["ResultCode"]
