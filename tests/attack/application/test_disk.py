#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What an Application Server answers never precedes the disk, and a disk that hangs stops nobody
who needs none."""
import http.client, json, os, pathlib, re, socket, sys, threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "lib"))
from disklab import OnDisk
from joinlab import run

DEV = "70b3d57ed00000aa"
# The sandbox hides the log's folder from the preloaded library.
CONFIG = """
as_id: as.b.example
database: {dir}/as.db
events: {dir}/events
command_socket: {dir}/socket
sandbox: false
backend_interfaces: {{bind: "127.0.0.1:0", insecure_plain: true}}
join_server: {{insecure_plain: true, server: "http://127.0.0.1:9"}}
network_server: {{insecure_plain: true, server: "http://127.0.0.1:9"}}
applications:
  - id: metering
    devices:
      - {{dev_eui: 70b3d57ed00000aa, net_id: "000013", app_s_key: 33333333333333333333333333333333}}
resolver: {{helper: /nonexistent/resolverd}}
"""

class Application(OnDisk):
    """An Application Server, and the device's Network Server."""
    def __init__(self):
        super().__init__(os.environ["APPLICATIOND"], CONFIG)

    def started(self):
        self.port = int(re.search(r"applicationd\.ready .*port=(\d+)", self.said())[1])

    def uplink(self, f_cnt, receiver="as.b.example"):
        """The ResultCode of an uplink, brought by the device's Network Server."""
        body = {"ProtocolVersion": "1.1", "SenderID": "000013", "ReceiverID": receiver, "TransactionID": 1,
                "MessageType": "XmitDataReq", "FRMPayload": "0102", "ULMetaData": {
                    "DevEUI": DEV, "DevAddr": "26011bda", "FPort": 7, "FCntUp": f_cnt, "FCntDown": 0,
                    "DataRate": 5, "ULFreq": 868.1, "RFRegion": "EU868"}}
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        c.request("POST", "/", json.dumps(body))
        answer = json.loads(c.getresponse().read())
        c.close()
        return answer["Result"]["ResultCode"]

def each_success_leaves_after_the_sync_of_its_own_uplink():
    with Application() as a:
        for f_cnt in range(5):
            seen = len(a.disk())
            assert a.uplink(f_cnt) == "Success"
            new = a.disk()[seen:]
            assert "sync" in new[:new.index("answer Success")], f"answered before the disk had it: {new}"

def while_a_sync_hangs_others_are_answered_and_answers_keep_their_order():
    with Application() as a:
        assert a.uplink(0) == "Success"
        a.hang.touch()
        taken = []
        threads = [threading.Thread(target=lambda n=n: taken.append(a.uplink(n))) for n in (1, 2)]
        threads[0].start()
        a.wait(lambda: "hangs" in a.disk(), "nothing was to be kept")
        threads[1].start()
        for _ in range(20):
            assert a.uplink(3, "as.c.example") == "UnknownReceiver"
        c = socket.socket(socket.AF_UNIX)
        c.settimeout(30)
        c.connect(f"{a.dir}/socket")
        c.sendall(b'{"devEui":"%s","id":"one","fPort":1,"data":"AQ=="}\nnonsense\n' % DEV.encode())
        assert a.uplink(3, "as.c.example") == "UnknownReceiver"
        assert not taken and "sync" not in a.disk()[a.disk().index("hangs"):], a.disk()
        a.hang.unlink()
        for t in threads:
            t.join()
        assert taken == ["Success"] * 2, taken
        answers = b""
        while answers.count(b"\n") < 2:
            answers += c.recv(4096)
        first, second = answers.splitlines()
        assert b'"one"' in first and b"error" in second and b'"one"' not in second, answers

def when_the_disk_fails_nothing_is_taken_and_later_all_is_well():
    with Application() as a:
        assert a.uplink(0) == "Success"
        a.fail.touch()
        assert a.uplink(1) == "Deferred"
        assert "event.lost" in a.said(), a.said()
        a.fail.unlink()
        assert a.uplink(1) == "Success"

run(each_success_leaves_after_the_sync_of_its_own_uplink,
    while_a_sync_hangs_others_are_answered_and_answers_keep_their_order,
    when_the_disk_fails_nothing_is_taken_and_later_all_is_well)
