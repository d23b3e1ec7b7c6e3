#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a Network Server says never precedes the disk, and a disk that hangs stops no gateway."""
import base64, json, os, pathlib, re, socket, sys, time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "lib"))
from disklab import OnDisk
from joinlab import cmac, run

ADDR, KEY = bytes.fromhex("26000001"), bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3c")
EUI = bytes.fromhex("aa555a0000000001")
# The sandbox hides the log's folder from the preloaded library.
CONFIG = """
net_id: "000013"
database: {dir}/ns.db
sandbox: false
semtech_udp: {{bind: "127.0.0.1:0"}}
network: {{device_status_interval: 0s}}
join_server: {{insecure_plain: true, server: "http://127.0.0.1:9"}}
devices:
  - {{dev_eui: 70b3d57ed00000aa, dev_addr: "26000001", nwk_s_key: 2b7e151628aed2a6abf7158809cf4f3c}}
resolver: {{helper: {resolverd}, forward: ["127.0.0.1@9"]}}
"""

class Network(OnDisk):
    """A Network Server, and a gateway."""
    def __init__(self):
        super().__init__(os.environ["NETWORKD"], CONFIG)

    def started(self):
        port = int(re.search(r"networkd\.ready port=(\d+)", self.said())[1])
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.connect(("127.0.0.1", port))
        self.token = 0
        self.send(2, b"")
        self.acknowledged(4)

    def send(self, kind, text):
        self.token += 1
        self.socket.send(bytes([2]) + self.token.to_bytes(2, "big") + bytes([kind]) + EUI + text)

    def receive(self, seconds):
        self.socket.settimeout(seconds)
        try:
            return self.socket.recv(4096)
        except TimeoutError:
            return None

    def acknowledged(self, kind):
        """That of the last datagram; nothing else may come before it."""
        d = self.receive(20)
        assert d == bytes([2]) + self.token.to_bytes(2, "big") + bytes([kind]), d

    def uplink(self, f_cnt):
        m = b"\x80" + ADDR[::-1] + b"\0" + f_cnt.to_bytes(2, "little") + b"\1" + b"hello"
        b0 = b"\x49" + bytes(5) + ADDR[::-1] + f_cnt.to_bytes(4, "little") + b"\0" + bytes([len(m)])
        rx = {"tmst": 1000000 * self.token + 1, "freq": 868.1, "datr": "SF7BW125", "codr": "4/5", "modu": "LORA", "stat": 1,
              "rssi": -50, "lsnr": 9.0, "size": len(m) + 4, "data": base64.b64encode(m + cmac(KEY, b0 + m)[:4]).decode()}
        self.send(0, json.dumps({"rxpk": [rx]}).encode())
        self.acknowledged(1)

    def downlink(self):
        d = self.receive(20)
        return d is not None and d[3] == 3

def each_downlink_leaves_after_the_sync_of_its_own_counter():
    with Network() as n:
        for f_cnt in range(3):
            seen = len(n.disk())
            n.uplink(f_cnt)
            assert n.downlink(), "no downlink"
            new = n.disk()[seen:]
            assert "sync" in new[:new.index("downlink")], f"sent before the disk had it: {new}"

def while_a_commit_hangs_gateways_are_acknowledged_and_nothing_is_sent():
    with Network() as n:
        n.hang.touch()
        n.uplink(0)
        n.wait(lambda: "hangs" in n.disk(), "nothing was to be committed")
        seen = len(n.disk())
        until = time.monotonic() + 3  # longer than it takes until RX1
        while time.monotonic() < until:
            n.send(0, b'{"stat":{"rxnb":1}}')
            n.acknowledged(1)
            n.send(2, b"")
            n.acknowledged(4)
            time.sleep(0.05)
        assert n.disk()[seen:] == [], n.disk()
        n.hang.unlink()
        assert n.downlink(), "no downlink after the disk went on"
        assert n.disk()[seen] == "sync", n.disk()

def when_the_disk_fails_nothing_is_sent_and_later_all_is_well():
    with Network() as n:
        n.fail.touch()
        n.uplink(0)
        n.wait(lambda: "session.lost" in n.said(), "no word of it")
        assert n.receive(3) is None and "downlink" not in n.disk(), n.disk()
        n.fail.unlink()
        n.uplink(1)
        assert n.downlink(), "no downlink"

run(each_downlink_leaves_after_the_sync_of_its_own_counter,
    while_a_commit_hangs_gateways_are_acknowledged_and_nothing_is_sent,
    when_the_disk_fails_nothing_is_sent_and_later_all_is_well)
