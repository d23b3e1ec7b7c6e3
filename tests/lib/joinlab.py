#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A Join Server on loopback and devices that ask it: for tests that need no TLS.

    with joinlab.Lab() as lab:
        lab.add(dev_eui, version="1.0.3")
        answer = lab.join(dev_eui, dev_nonce=1)      the JoinAns as a dict

AES and CMAC are written out here (FIPS 197, RFC 4493): a second opinion on the server's.
JOIND and SARDANE in the environment name the two programs.
"""
import http.client, json, os, pathlib, re, shutil, signal, sqlite3, subprocess, sys, tempfile, threading, time

KEY = bytes.fromhex("01020304050607080102030405060708")
JOIN_EUI = "0807060504030201"
NET_ID = "010203"

def _xtime(a):
    return (a << 1) ^ (0x11B if a & 0x80 else 0)

def _tables():
    sbox, p, q = [0] * 256, 1, 1
    while True:
        p = p ^ _xtime(p)
        q ^= q << 1; q ^= q << 2; q ^= q << 4; q &= 0xFF
        if q & 0x80:
            q ^= 0x09
        x = q ^ (q << 1 | q >> 7) ^ (q << 2 | q >> 6) ^ (q << 3 | q >> 5) ^ (q << 4 | q >> 4)
        sbox[p] = (x ^ 0x63) & 0xFF
        if p == 1:
            break
    sbox[0] = 0x63
    return sbox

SBOX = _tables()

def aes_encrypt(key, block):
    words, rcon = [list(key[i:i + 4]) for i in range(0, 16, 4)], 1
    for i in range(4, 44):
        w = list(words[i - 1])
        if i % 4 == 0:
            w = [SBOX[b] for b in w[1:] + w[:1]]
            w[0] ^= rcon
            rcon = _xtime(rcon)
        words.append([a ^ b for a, b in zip(words[i - 4], w)])
    rounds = [sum(words[i:i + 4], []) for i in range(0, 44, 4)]
    s = [a ^ b for a, b in zip(block, rounds[0])]
    for r in range(1, 11):
        s = [SBOX[s[(i + 4 * (i % 4)) % 16]] for i in range(16)]
        if r < 10:
            t = []
            for c in range(0, 16, 4):
                a = s[c:c + 4]
                e = a[0] ^ a[1] ^ a[2] ^ a[3]
                t += [a[i] ^ e ^ _xtime(a[i] ^ a[(i + 1) % 4]) for i in range(4)]
            s = t
        s = [a ^ b for a, b in zip(s, rounds[r])]
    return bytes(s)

def cmac(key, message):
    def double(b):
        v = int.from_bytes(b, "big") << 1
        return ((v & (1 << 128) - 1) ^ (0x87 if v >> 128 else 0)).to_bytes(16, "big")
    k1 = double(aes_encrypt(key, bytes(16)))
    blocks = [message[i:i + 16] for i in range(0, len(message), 16)] or [b""]
    last = blocks.pop()
    last = bytes(a ^ b for a, b in zip(last, k1)) if len(last) == 16 else bytes(
        a ^ b for a, b in zip(last + b"\x80" + bytes(15 - len(last)), double(k1)))
    x = bytes(16)
    for b in blocks + [last]:
        x = aes_encrypt(key, bytes(p ^ q for p, q in zip(x, b)))
    return x

def join_request(dev_eui, dev_nonce, join_eui=JOIN_EUI, key=KEY):
    """The PHYPayload of LoRaWAN 1.0.4 section 6.2.4, in hexadecimal."""
    m = b"\0" + bytes.fromhex(join_eui)[::-1] + bytes.fromhex(dev_eui)[::-1] + dev_nonce.to_bytes(2, "little")
    return (m + cmac(key, m)[:4]).hex()

def read_accept(phy, key=KEY):
    """JoinNonce of a 1.0 join-accept whose MIC is right."""
    phy = bytes.fromhex(phy)
    plain = phy[:1] + b"".join(aes_encrypt(key, phy[i:i + 16]) for i in range(1, len(phy), 16))
    assert cmac(key, plain[:-4])[:4] == plain[-4:], "the join-accept's MIC is wrong"
    return int.from_bytes(plain[1:4], "little")

CONFIG = """
database: {dir}/js.db
join_server:
  bind: 127.0.0.1:0
  insecure_plain: true
clients:
  - {{name: ns.a.example, net_id: "010203"}}
  - {{name: ns.c.example, net_id: "00000c"}}
  - {{name: as.b.example, as_id: as.b.example}}
  - {{name: as.c.example, as_id: as.c.example}}
"""

class Lab:
    def __init__(self, config=CONFIG, environ=None):
        self.dir = tempfile.mkdtemp(prefix="sardane-join-")
        self.config = f"{self.dir}/joind.yaml"
        pathlib.Path(self.config).write_text(config.format(dir=self.dir))
        self.environ, self.server, self.port, self.log = environ or {}, None, None, []

    def __enter__(self):
        return self

    def __exit__(self, *why):
        status = self.stop()
        if status and not why[0]:
            raise AssertionError(f"joind ended with {status}: " + "".join(self.log[-20:]))
        if why[0] and os.environ.get("JOINLAB_KEEP"):
            print(f"# kept {self.dir}")
        else:
            shutil.rmtree(self.dir)

    def start(self):
        self.server = subprocess.Popen([os.environ["JOIND"], "-c", self.config], stderr=subprocess.PIPE,
                                       text=True, env={**os.environ, **self.environ})
        self.log = []
        for line in self.server.stderr:
            self.log.append(line)
            m = re.search(r" joind\.ready port=(\d+)", line)
            if m:
                self.port = int(m[1])
                break
        else:
            raise RuntimeError("joind did not start: " + "".join(self.log))
        self.reader = threading.Thread(target=lambda log=self.log, f=self.server.stderr: log.extend(f), daemon=True)
        self.reader.start()

    def stop(self, how=signal.SIGTERM):
        if not self.server:
            return 0
        self.server.send_signal(how)
        status = self.server.wait(60)
        self.reader.join(5)
        self.server = None
        return status

    def sardane(self, *words, stdin=""):
        return subprocess.run([os.environ["SARDANE"], *words], input=stdin, capture_output=True, text=True)

    def add(self, dev_eui, version="1.0.3", *more):
        got = self.sardane("device", "add", dev_eui, "--join-eui", JOIN_EUI, "--version", version, "--app-key", "-",
                           "--net-id", NET_ID, "--config", self.config, *more, stdin=KEY.hex())
        assert got.returncode == 0, got.stderr

    def add_many(self, dev_euis, version="1.0.3"):
        rows = "dev_eui,join_eui,lorawan_version,app_key,net_id\n" + "".join(
            f"{e},{JOIN_EUI},{version},{KEY.hex()},{NET_ID}\n" for e in dev_euis)
        got = self.sardane("device", "import", "-", "--config", self.config, stdin=rows)
        assert got.returncode == 0, got.stderr

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)

    def post(self, body, connection=None):
        """(status, answer as a dict); a body that is no JSON object gives None."""
        c = connection or self.connect()
        c.request("POST", "/", body, {"Content-Type": "application/json"})
        r = c.getresponse()
        text = r.read()
        if not connection:
            c.close()
        try:
            return r.status, json.loads(text)
        except ValueError:
            return r.status, None

    def join_body(self, dev_eui, dev_nonce, **change):
        return {"ProtocolVersion": "1.0", "SenderID": NET_ID, "ReceiverID": JOIN_EUI, "TransactionID": 1,
                "MessageType": "JoinReq", "MACVersion": "1.0.3", "PHYPayload": join_request(dev_eui, dev_nonce),
                "DevEUI": dev_eui, "DevAddr": "01020304", "DLSettings": "00", "RxDelay": 1, **change}

    def join(self, dev_eui, dev_nonce, connection=None, **change):
        status, answer = self.post(json.dumps(self.join_body(dev_eui, dev_nonce, **change)), connection)
        assert status == 200, f"HTTP {status}"
        return answer

    def dump(self):
        """Everything in the database, as SQL."""
        with sqlite3.connect(f"{self.dir}/js.db") as db:
            return "\n".join(db.iterdump())

def code(answer):
    assert isinstance(answer, dict), answer
    return answer["Result"]["ResultCode"]

def run(*tests):
    """Runs functions as TAP; the name is the sentence. CHECK_ONLY in the environment: only that one."""
    failed, only = 0, os.environ.get("CHECK_ONLY")
    tests = [t for t in tests if not only or t.__name__ == only]
    print(f"1..{len(tests)}")
    for i, test in enumerate(tests, 1):
        try:
            test()
            print(f"ok {i} - {test.__name__.replace('_', ' ')}", flush=True)
        except Exception as e:
            failed += 1
            import traceback
            print(f"not ok {i} - {test.__name__.replace('_', ' ')}")
            print("".join("# " + line + "\n" for line in traceback.format_exc().splitlines()), end="", flush=True)
    sys.exit(bool(failed))
