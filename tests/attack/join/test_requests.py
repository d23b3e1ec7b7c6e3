#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What somebody can send a Join Server: each refused for its own reason, and the database as before."""
import json, pathlib, socket, sys, threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "lib"))
import joinlab
from joinlab import JOIN_EUI, Lab, code, join_request, read_accept, run

DEV = "0102030405060708"

def lab_with(*devices):
    lab = Lab()
    for dev, version in devices or [(DEV, "1.0.3")]:
        lab.add(dev, version, "--as-id", "as.b.example", "--application-server", "https://as.b.example:8005")
    lab.start()
    return lab

def refused_without_a_trace(lab, body, result, status=200):
    before = lab.dump()
    got, answer = lab.post(body if isinstance(body, (bytes, str)) else json.dumps(body))
    assert got == status, f"HTTP {got}, want {status}: {answer}"
    assert code(answer) == result, answer
    assert lab.dump() == before, "the database changed"
    return answer

def the_published_aes_and_cmac_come_out_here():
    assert joinlab.aes_encrypt(bytes(range(16)), bytes.fromhex("00112233445566778899aabbccddeeff")).hex() == \
        "69c4e0d86a7b0430d8cdb78070b4c55a"
    assert joinlab.cmac(bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3c"), b"").hex() == "bb1d6929e95937287fa37d129b756746"
    assert join_request(DEV, 0x102) == "00010203040506070808070605040302010201cde6acb8"

def a_used_dev_nonce_is_refused_at_once_and_after_a_restart():
    with lab_with() as lab:
        assert code(lab.join(DEV, 7)) == "Success"
        refused_without_a_trace(lab, lab.join_body(DEV, 7), "JoinReqFailed")
        lab.stop()
        lab.start()
        refused_without_a_trace(lab, lab.join_body(DEV, 7), "JoinReqFailed")
        answer = lab.join(DEV, 3)
        assert read_accept(answer["PHYPayload"]) == 2
        refused_without_a_trace(lab, lab.join_body(DEV, 3), "JoinReqFailed")
        assert any("join.refuse" in line and "reason=nonce-used" in line for line in lab.log)

def a_dev_nonce_out_of_order_is_refused_from_1_0_4_on():
    with lab_with((DEV, "1.0.4")) as lab:
        assert code(lab.join(DEV, 5, MACVersion="1.0.4")) == "Success"
        for nonce in (5, 4, 0):
            refused_without_a_trace(lab, lab.join_body(DEV, nonce, MACVersion="1.0.4"), "JoinReqFailed")
        assert code(lab.join(DEV, 6, MACVersion="1.0.4")) == "Success"

def a_replay_is_named_to_a_peer_that_speaks_1_1():
    with lab_with() as lab:
        assert code(lab.join(DEV, 7)) == "Success"
        refused_without_a_trace(lab, lab.join_body(DEV, 7, ProtocolVersion="1.1"), "FrameReplayed")

def a_wrong_mic_changes_nothing_and_burns_no_nonce():
    with lab_with() as lab:
        good = join_request(DEV, 9)
        for bit in range(8 * 19, 8 * 23):
            bad = bytearray.fromhex(good)
            bad[bit // 8] ^= 1 << bit % 8
            refused_without_a_trace(lab, lab.join_body(DEV, 9, PHYPayload=bad.hex()), "MICFailed")
        refused_without_a_trace(lab, lab.join_body(DEV, 9, PHYPayload=join_request(DEV, 9, key=bytes(16))), "MICFailed")
        assert read_accept(lab.join(DEV, 9)["PHYPayload"]) == 1

def of_two_equal_requests_at_once_one_is_accepted():
    with lab_with() as lab:
        for nonce in range(20):
            body, answers, gate = json.dumps(lab.join_body(DEV, nonce)), [], threading.Barrier(6)

            def ask():
                c = lab.connect()
                c.connect()
                gate.wait()
                answers.append(lab.post(body, c)[1])
                c.close()
            threads = [threading.Thread(target=ask) for _ in range(6)]
            for t in threads:
                t.start()
            for t in threads:
                t.join()
            assert sorted(map(code, answers)) == ["JoinReqFailed"] * 5 + ["Success"], answers

def a_sender_id_nobody_granted_is_refused():
    with lab_with() as lab:
        refused_without_a_trace(lab, lab.join_body(DEV, 1, SenderID="000013"), "UnknownSender")
        refused_without_a_trace(lab, lab.join_body(DEV, 1, SenderID="as.b.example"), "UnknownSender")
        refused_without_a_trace(lab, lab.join_body(DEV, 1, SenderID="0102"), "UnknownSender")
        # Granted, but not the network of this device.
        refused_without_a_trace(lab, lab.join_body(DEV, 1, SenderID="00000c"), "ActivationDisallowed")
        assert code(lab.join(DEV, 1)) == "Success"

def names_that_do_not_agree_are_refused():
    other = "0102030405060709"
    with lab_with((DEV, "1.0.3"), (other, "1.0.3")) as lab:
        refused_without_a_trace(lab, lab.join_body(DEV, 1, DevEUI=other), "UnknownDevEUI")
        refused_without_a_trace(lab, lab.join_body(DEV, 1, ReceiverID="0807060504030202"), "UnknownDevEUI")
        refused_without_a_trace(lab, lab.join_body("ffffffffffffffff", 1), "UnknownDevEUI")
        refused_without_a_trace(lab, lab.join_body(DEV, 1, ReceiverID="000013"), "UnkownReceiver")

def frames_that_are_no_join_request_are_refused():
    with lab_with() as lab:
        good = join_request(DEV, 1)
        for phy in ("", "00", good[:-2], good + "00", "40" + good[2:], "20" + good[2:], "01" + good[2:], "ff" * 255):
            refused_without_a_trace(lab, lab.join_body(DEV, 1, PHYPayload=phy), "MalformedRequest")
        refused_without_a_trace(lab, lab.join_body(DEV, 1, PHYPayload="ff" * 256), "MalformedRequest")
        refused_without_a_trace(lab, lab.join_body(DEV, 1, MessageType="RejoinReq"), "MalformedRequest")

def fields_that_make_no_sense_are_named():
    with lab_with() as lab:
        for change, words in (({"DevEUI": "01020304050607"}, "DevEUI: 14 digits, need 16"), ({"DevAddr": 5}, "DevAddr: "),
                              ({"RxDelay": 16}, "RxDelay: "), ({"RxDelay": -1}, "RxDelay: "), ({"DLSettings": ""}, "DLSettings: "),
                              ({"CFList": "00"}, "CFList: "), ({"MACVersion": "2.0"}, "MACVersion: "), ({"DevEUI": None}, "DevEUI: missing")):
            answer = refused_without_a_trace(lab, lab.join_body(DEV, 1, **change), "MalformedRequest")
            assert answer["Result"]["Description"].startswith(words), answer
        refused_without_a_trace(lab, lab.join_body(DEV, 1, ProtocolVersion="2.0"), "InvalidProtocolVersion")
        answer = refused_without_a_trace(lab, lab.join_body(DEV, 1, MessageType="PRStartReq"), "MalformedRequest")
        assert answer["MessageType"] == "PRStartAns"

def json_that_is_broken_is_refused_and_the_server_lives():
    with lab_with() as lab:
        text = json.dumps(lab.join_body(DEV, 1))
        bad = [b"", b"{", b"null", b"[]", b"\xff\xfe", b"\xef\xbb\xbf" + text.encode(), text.encode() + b"x"]
        bad += [text[:i].encode() for i in range(1, len(text), 7)]                     # truncated
        bad += [b"[" * 30000, b'{"a":' * 6000, (text[:-1] + ',"V":' + "[" * 16 + "]" * 16 + "}").encode()]  # deep
        bad += [(text[:-1] + ',"DevEUI":"0000000000000000"}').encode()]                 # twice
        bad += [(text[:-1] + ',"\\u0044evEUI":"0000000000000000"}').encode()]           # twice, escaped
        bad += [text.encode().replace(b'"1.0"', b'"1\xff0"'), text.encode().replace(b'"1.0"', b'"\xc0\xb1.0"')]
        bad += [text.replace('"TransactionID": 1', '"TransactionID": 1e999').encode()]
        for body in bad:
            refused_without_a_trace(lab, body, "MalformedRequest", 400)
        refused_without_a_trace(lab, text[:-1] + ',"devEui":"0000000000000000"}', "MalformedRequest")  # twice, other case
        assert code(lab.join(DEV, 1)) == "Success"

def a_body_too_large_is_refused_before_it_is_read():
    with lab_with() as lab:
        before = lab.dump()
        s = socket.create_connection(("127.0.0.1", lab.port), 20)
        s.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\n")
        s.settimeout(20)
        try:
            for _ in range(64):
                s.sendall(b" " * 65536)
            got = s.recv(4096)
        except (ConnectionResetError, BrokenPipeError):
            got = b""
        assert b"200 OK" not in got, got
        s.close()
        assert lab.dump() == before
        exact = json.dumps(lab.join_body(DEV, 1))
        assert lab.post(exact + " " * (32768 - len(exact)))[0] == 200

def other_methods_are_refused():
    with lab_with() as lab:
        for method in ("GET", "PUT", "DELETE"):
            c = lab.connect()
            c.request(method, "/")
            assert c.getresponse().status == 405
            c.close()

def the_app_s_key_goes_to_its_application_server_alone():
    with lab_with() as lab:
        joined = lab.join(DEV, 1)
        assert "AppSKey" not in joined and joined["SessionKeyID"]
        ask = {"ProtocolVersion": "1.0", "SenderID": "as.b.example", "ReceiverID": JOIN_EUI, "TransactionID": 2,
               "MessageType": "AppSKeyReq", "DevEUI": DEV, "SessionKeyID": joined["SessionKeyID"]}
        refused_without_a_trace(lab, {**ask, "SenderID": "as.c.example"}, "ActivationDisallowed")
        refused_without_a_trace(lab, {**ask, "SenderID": "010203"}, "UnknownSender")
        refused_without_a_trace(lab, {**ask, "SessionKeyID": "00" * 16}, "UnknownDevEUI")
        refused_without_a_trace(lab, {**ask, "SessionKeyID": joined["SessionKeyID"][:-2]}, "UnknownDevEUI")
        status, answer = lab.post(json.dumps(ask))
        assert code(answer) == "Success" and len(answer["AppSKey"]["AESKey"]) == 32, answer
        for nonce in range(2, 12):
            lab.join(DEV, nonce)
        refused_without_a_trace(lab, ask, "UnknownDevEUI")   # ten sessions later it is gone

def keys_and_payloads_stay_out_of_the_log():
    with lab_with() as lab:
        answer = lab.join(DEV, 1)
        lab.join(DEV, 1)
        lab.post(json.dumps(lab.join_body(DEV, 1))[:-10])
        lab.stop()
        text = "".join(lab.log).lower()
        for secret in (answer["NwkSKey"]["AESKey"], joinlab.KEY.hex(), answer["PHYPayload"], join_request(DEV, 1)):
            assert secret not in text

run(the_published_aes_and_cmac_come_out_here, a_used_dev_nonce_is_refused_at_once_and_after_a_restart,
    a_dev_nonce_out_of_order_is_refused_from_1_0_4_on, a_replay_is_named_to_a_peer_that_speaks_1_1,
    a_wrong_mic_changes_nothing_and_burns_no_nonce, of_two_equal_requests_at_once_one_is_accepted,
    a_sender_id_nobody_granted_is_refused, names_that_do_not_agree_are_refused,
    frames_that_are_no_join_request_are_refused, fields_that_make_no_sense_are_named,
    json_that_is_broken_is_refused_and_the_server_lives, a_body_too_large_is_refused_before_it_is_read,
    other_methods_are_refused, the_app_s_key_goes_to_its_application_server_alone,
    keys_and_payloads_stay_out_of_the_log)
