#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Who must not be believed by the Application Server, nor given its keys; each with a control that
shows the right one is. usage: test_refusals.py BUILD POSTC"""
import json, os, pathlib, re, signal, socket, subprocess, sys, time

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "lib"))
from experiment import PATIENCE, Experiment, Failed, wait_for

ABP, OTAA, KEY = "70b3d57ed00000aa", "70b3d57ed0000103", "2b7e151628aed2a6abf7158809cf4f3c"
tests = []


def test(f):
    tests.append(f)
    return f


def post(e, who, url, body):
    """(status, text) of one POST with the credentials of a lab client; (None, words) when refused."""
    config = e.dir / "postc.yaml"
    client = "" if who is None else (f"  tls_cert: {who['client_prefix']}.pem\n  tls_key: {who['client_prefix']}-key.pem\n"
        f"  dane_client_name: {who['client_name']}\n")
    config.write_text(f"client:\n  mode: dane\n{client}{e.words['resolver']}")
    text = body if isinstance(body, str) else json.dumps(body)
    r = subprocess.run([POSTC, config, url, "1", "1", text], capture_output=True, text=True, timeout=PATIENCE)
    ok = re.search(r"^ok (\d+) .*?body=(.*)$", r.stdout, re.M)
    if ok:
        return int(ok[1]), ok[2]
    return None, re.search(r"^failed (.*)$", r.stdout, re.M)[1]


def result(text):
    found = re.search(r'"ResultCode":"(\w+)"', text)
    return found[1] if found else None


def uplink(e, who, sender, dev=ABP, addr="26011bda", f_cnt=0, payload="0102", port=7, receiver=None, session=None):
    host = e.b["as"]
    body = {"ProtocolVersion": "1.1", "SenderID": sender, "ReceiverID": receiver or host["host"], "TransactionID": 1,
        "MessageType": "XmitDataReq", "FRMPayload": payload, "ULMetaData": {"DevEUI": dev, "DevAddr": addr,
            "FPort": port, "FCntUp": f_cnt, "FCntDown": 0, "DataRate": 5, "ULFreq": 868.1, "RFRegion": "EU868"}}
    if session:
        body |= {"SessionKeyID": session, "JoinEUI": e.b["join_eui"]}
    status, answer = post(e, who, f"https://{host['host']}:{host['port']}/", body)
    return result(answer) if status == 200 else (status, answer)


def count(e):
    return len(e.events())


@test
def a_network_server_does_not_bring_a_device_of_another_network(e):
    before = count(e)
    assert uplink(e, e.b["ns"], e.b["net_id"], f_cnt=0) == "ActivationDisallowed"
    assert uplink(e, e.a["ns"], e.a["net_id"], f_cnt=0, session="00" * 16) == "ActivationDisallowed"
    assert count(e) == before


@test
def a_configuration_in_which_a_network_chooses_the_join_server_is_refused(e):
    good, bad = e.config("applicationd"), e.dir / "open.yaml"
    for words, device in (("join_eui: missing", '{dev_eui: "70b3d57ed0000777"}'),
            ("net_id: missing", '{dev_eui: "70b3d57ed0000778", app_s_key: ' + "33" * 16 + "}")):
        bad.write_text(good.read_text().replace("    devices:\n", f"    devices:\n      - {device}\n"))
        r = subprocess.run([e.program("sardane-applicationd"), "--config", bad, "--check"], capture_output=True, text=True)
        assert r.returncode != 0 and words in r.stderr, r.stderr


@test
def a_network_server_that_owns_its_net_id_by_dns_is_believed(e):
    assert uplink(e, e.a["ns"], e.a["net_id"], f_cnt=0) == "Success"
    assert e.event("up", ABP)["fCnt"] == 0


@test
def an_admitted_name_that_claims_anothers_net_id_is_an_unknown_sender(e):
    before = count(e)
    assert uplink(e, e.b["ns"], e.a["net_id"], f_cnt=1) == "UnknownSender"
    assert count(e) == before


@test
def a_network_server_does_not_speak_for_the_session_another_brought(e):
    before = count(e)
    assert uplink(e, e.b["ns"], e.b["net_id"], f_cnt=1) == "ActivationDisallowed"
    assert count(e) == before


@test
def a_name_outside_the_policy_is_refused_and_no_dns_question_is_put_for_it(e):
    stranger = e.a["as"]
    status, words = uplink(e, stranger, e.a["net_id"], f_cnt=1)
    assert status is None, words
    e.wait_log("applicationd", rf"tls\.refuse .*peer={re.escape(stranger['client_name'])}")
    assert f"name={stranger['client_name']} " not in "".join(
        l for l in e.log_text("applicationd").splitlines() if "resolver.answer" in l)


@test
def a_refusal_is_told_once_so_that_strangers_cannot_fill_the_log(e):
    told = lambda: len([l for l in e.log_text("applicationd").splitlines()
        if e.a["as"]["client_name"] in l and " debug " not in l])
    before = told()
    assert uplink(e, e.a["as"], e.a["net_id"], f_cnt=1)[0] is None
    wait_for("the refusal in the log", lambda: told() > before)
    assert told() == before + 1, e.log_text("applicationd")[-2000:]


@test
def a_client_without_a_certificate_is_refused(e):
    status, words = uplink(e, None, e.a["net_id"], f_cnt=1)
    assert status is None, words


@test
def a_frame_with_a_counter_that_was_taken_is_refused_and_the_same_frame_is_not_told_twice(e):
    before = count(e)
    assert uplink(e, e.a["ns"], e.a["net_id"], f_cnt=0, payload="ffff") in ("FrameReplayed", "JoinReqFailed")
    assert uplink(e, e.a["ns"], e.a["net_id"], f_cnt=0) == "Success"
    assert count(e) == before


@test
def port_zero_another_address_and_another_receiver_are_refused(e):
    before, ns, net = count(e), e.a["ns"], e.a["net_id"]
    assert uplink(e, ns, net, f_cnt=2, port=0) == "InvalidFPort"
    assert uplink(e, ns, net, f_cnt=2, addr="26011bdb") == "ActivationDisallowed"
    assert uplink(e, ns, net, f_cnt=2, receiver="as.a.example") in ("UnknownReceiver", "UnkownReceiver")
    assert count(e) == before
    assert uplink(e, ns, net, f_cnt=2) == "Success"


@test
def what_is_no_message_is_told_so_and_harms_nothing(e):
    host = e.b["as"]
    url, deep = f"https://{host['host']}:{host['port']}/", "[" * 200 + "]" * 200
    for body in ("", "{", "[]", "{}", '{"a":1,"a":2}', f'{{"a":{deep}}}', '{"MessageType":"JoinReq"}', "@40000"):
        status, answer = post(e, e.a["ns"], url, body)
        assert status != 200 or result(answer) not in ("Success", None), (body[:40], status, answer)
    assert uplink(e, e.a["ns"], e.a["net_id"], f_cnt=3) == "Success"


def appskey(e, who, sender, session, dev=OTAA):
    js = e.b["js"]
    status, answer = post(e, who, f"https://{js['host']}:{js['port']}/", {"ProtocolVersion": "1.0", "SenderID": sender,
        "ReceiverID": e.b["join_eui"], "TransactionID": 1, "MessageType": "AppSKeyReq", "DevEUI": dev,
        "SessionKeyID": session})
    assert status == 200, answer
    return result(answer), '"AESKey"' in answer


@test
def a_foreign_application_server_gets_no_key_under_any_name(e):
    r = e.simulate("--dev-eui", OTAA, "--app-key", KEY, "--uplinks", 1)
    assert r["exit"] == 0, r
    session = e.event("join", OTAA)["joinServerContext"]["sessionKeyId"]
    mine, foreign = e.b["as"], e.a["as"]
    assert appskey(e, mine, mine["host"], session) == ("Success", True)
    for sender in (mine["host"], foreign["host"]):
        code, given = appskey(e, foreign, sender, session)
        assert code != "Success" and not given, (sender, code)


@test
def an_invented_session_of_a_known_device_changes_nothing(e):
    before, count_before = e.log_text("applicationd").count("session.new"), count(e)
    assert uplink(e, e.a["ns"], e.a["net_id"], dev=OTAA, session="aa" * 16) == "UnknownDevEUI"
    assert uplink(e, e.a["ns"], e.a["net_id"], dev=OTAA, session="aa" * 16) == "UnknownDevEUI"
    assert e.log_text("applicationd").count("session.new") == before
    assert e.log_text("applicationd").count("appskey.refused") == 1
    assert count(e) == count_before


class Commands:
    def __init__(self, e):
        self.s = socket.socket(socket.AF_UNIX)
        self.s.connect(str(e.dir / "applicationd.sock"))
        self.s.settimeout(PATIENCE)
        self.f = self.s.makefile("rb")

    def say(self, line):
        self.s.sendall(line)
        return self.f.readline()

    def close(self):
        self.f.close()
        self.s.close()


GOOD = b'{"devEui":"%s","fPort":9,"data":"AQI=","id":"%s"}\n'


@test
def malformed_commands_are_each_answered_and_the_next_one_is_heard(e):
    c = Commands(e)
    for line in (b"x\n", b"{}\n", b'{"devEui":"%s","fPort":0,"data":""}\n' % ABP.encode(), b'{"a":"\xff\xfe"}\n',
            b'{"devEui":1}\n', b"[" * 500 + b"\n", b"\0\0\n", GOOD % (b"0" * 16, b"q0")):
        answer = json.loads(c.say(line))
        assert "error" in answer and "queued" not in answer, (line, answer)
    assert json.loads(c.say(GOOD % (ABP.encode(), b"q1"))) == {"id": "q1", "queued": True}
    assert json.loads(c.say(GOOD % (ABP.encode(), b"q1"))) == {"id": "q1", "queued": True}
    other = b'{"devEui":"%s","fPort":9,"data":"////","id":"q1"}\n' % ABP.encode()
    assert "error" in json.loads(c.say(other))
    c.close()


@test
def an_endless_line_ends_the_client_not_the_server(e):
    c = Commands(e)
    try:
        c.s.sendall(b"x" * 100_000)
        assert json.loads(c.f.readline())["error"] and c.f.readline() == b""
    except OSError:
        pass
    c.close()
    c = Commands(e)
    assert json.loads(c.say(GOOD % (ABP.encode(), b"q2")))["queued"] is True
    c.close()


@test
def many_clients_and_a_full_queue_are_bounded(e):
    crowd = [Commands(e) for _ in range(80)]
    for c in crowd:
        c.close()
    wait_for("the crowd to be gone", lambda: answered(e))
    c = Commands(e)
    answers = [json.loads(c.say(GOOD % (ABP.encode(), b"f%d" % n))) for n in range(80)]
    assert sum("queued" in a for a in answers) == 62, answers
    assert answers[-1]["error"] == "queue: full"
    c.close()


@test
def a_disk_that_is_full_makes_the_network_server_send_again(e):
    good = e.extra["events"]
    e.extra["events"] = "/dev/full"
    e.restart("applicationd")
    assert uplink(e, e.a["ns"], e.a["net_id"], f_cnt=9) == "Deferred"
    assert "event.lost" in e.log_text("applicationd")
    e.extra["events"] = good
    e.restart("applicationd")
    assert uplink(e, e.a["ns"], e.a["net_id"], f_cnt=9) == "Success"
    assert [x for x in e.events() if x["event"] == "up" and x["deviceInfo"]["devEui"] == ABP and x["fCnt"] == 9]


@test
def the_resolver_that_dies_in_the_sandbox_comes_back(e):
    pid = re.search(r"resolver\.ready pid=(\d+)", e.log_text("applicationd"))[1]
    os.kill(int(pid), signal.SIGKILL)
    e.wait_log("applicationd", rf"resolver\.ready pid=(?!{pid}\b)\d+")
    time.sleep(6)  # what DNS said before has expired
    assert uplink(e, e.a["ns"], e.a["net_id"], f_cnt=10) == "Success"


def answered(e):
    try:
        c = Commands(e)
        got = c.say(b"x\n")
        c.close()
        return bool(got)
    except OSError:
        return False


def main():
    with Experiment(sys.argv[1], level="debug") as e:
        e.extra["joind_clients"] = f"  - name: {e.a['as']['client_name']}\n    as_id: {e.a['as']['host']}\n"
        e.extra["clients"] = f"  - name: {e.b['ns']['client_name']}\n"
        e.add_device(OTAA, KEY)
        net_id = e.a["net_id"]
        e.extra["devices"] += f'      - {{dev_eui: "{ABP}", net_id: "{net_id}", app_s_key: {"33" * 16}}}\n'
        e.start("joind", "networkd", "applicationd")
        print(f"1..{len(tests)}", flush=True)
        failed = 0
        for n, t in enumerate(tests, 1):
            try:
                t(e)
                print(f"ok {n} - {t.__name__}", flush=True)
            except (AssertionError, Failed, OSError, KeyError, TypeError, ValueError) as x:
                failed += 1
                print(f"not ok {n} - {t.__name__}\n# {type(x).__name__}: {str(x)[:1000]}", flush=True)
        for name in list(e.running):
            status = e.stop(name)
            if status != 0:
                failed += 1
                print(f"# {name}: ended with {status}")
        for name in ("applicationd", "joind") if failed else ():
            print("".join(f"# {name}: {line}\n" for line in e.log_text(name).splitlines()[-80:]), end="")
    sys.exit(failed > 0)


if __name__ == "__main__":
    POSTC = sys.argv[2]
    main()
