#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A Join Server that answers JoinReq as the path says, right or wrong. Prints its port.

usage: rogue_js.py      ends when its standard input closes
       rogue_js.py ask PORT CASE...   a gateway sends one join-request per case (JoinEUI 1, 2, ...)
"""
import base64, http.server, json, socket, sys, threading, time

class Answer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        req = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        case = self.path.strip("/")
        ans = {"ProtocolVersion": "1.0", "SenderID": req["ReceiverID"], "ReceiverID": req["SenderID"],
               "TransactionID": req["TransactionID"], "MessageType": "JoinAns",
               "Result": {"ResultCode": "Success", "Description": ""},
               "PHYPayload": "20" + "00" * 32, "Lifetime": 0,
               "NwkSKey": {"KEKLabel": "", "AESKey": "11" * 16}, "SessionKeyID": "01" * 16}
        change = {
            "other-eui": {"SenderID": "00005e10000000ff"},
            "net-id-as-sender": {"SenderID": req["SenderID"]},
            "other-net-id": {"ReceiverID": "000024"},
            "other-transaction": {"TransactionID": req["TransactionID"] ^ 1},
            "other-message": {"MessageType": "AppSKeyAns"},
            "refused": {"Result": {"ResultCode": "MICFailed", "Description": "no"}},
            "no-frame": {"PHYPayload": ""},
            "wrapped": {"NwkSKey": {"KEKLabel": "unknown", "AESKey": "11" * 24}},
            "plain-as": {"VSExtension": {"VendorID": "000000", "Object": {"Sardane": {
                "ApplicationServer": "http://127.0.0.1:1/", "ASID": "as.b.example"}}}},
            "short-key": {"NwkSKey": {"KEKLabel": "", "AESKey": "11" * 15}},
        }
        ans.update(change.get(case, {}))
        if case == "no-key":
            del ans["NwkSKey"]
        body = json.dumps(ans).encode()
        if case == "no-json":
            body = b"<html>"
        if case == "twice":
            body = body[:-1] + b',"SenderID":"00005e10000000ff"}'
        if case == "deep":
            body = b'{"VSExtension":' + b"[" * 5000 + b"]" * 5000 + b"}"
        self.send_response(500 if case == "status-500" else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass

def ask(port, cases):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.connect(("127.0.0.1", port))
    eui = bytes.fromhex("aa555a0000000001")
    s.send(b"\x02\x00\x01\x02" + eui)
    for i, _ in enumerate(cases, 1):
        phy = b"\x00" + i.to_bytes(8, "little") + (0x100 + i).to_bytes(8, "little") + b"\x01\x00" + bytes(4)
        rx = {"tmst": i, "freq": 868.1, "datr": "SF7BW125", "modu": "LORA", "stat": 1, "rssi": -30, "lsnr": 9,
              "data": base64.b64encode(phy).decode()}
        s.send(b"\x02\x00\x02\x00" + eui + json.dumps({"rxpk": [rx]}).encode())
        time.sleep(0.02)

if len(sys.argv) > 1:
    ask(int(sys.argv[2]), sys.argv[3:])
else:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    print(server.server_address[1], flush=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()
