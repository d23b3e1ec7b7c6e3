#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""sardane-proxy with its private key in a PKCS#11 token: SoftHSM, where it is installed.

PROXY, SARDANE and RESOLVERD name the programs. The lab's DNS is real and signed.
"""
import glob, os, pathlib, shutil, signal, subprocess, sys, tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "lib"))
import proxylab
from joinlab import run
from proxylab import Echo, Proxy, exchange, listener, outbound

MODULE = next(iter(glob.glob("/usr/lib/softhsm/libsofthsm2.so") + glob.glob("/usr/lib/*/softhsm/libsofthsm2.so")), None)
ENGINE = glob.glob("/usr/lib/*/engines-3/pkcs11.so")

def a_key_in_a_token_serves_and_is_reloaded():
    with tempfile.TemporaryDirectory() as top:
        os.mkdir(top + "/tokens")
        pathlib.Path(top, "softhsm.conf").write_text(f"directories.tokendir = {top}/tokens\n")
        os.environ["SOFTHSM2_CONF"] = top + "/softhsm.conf"
        pathlib.Path(top, "pin").write_text("4711\n")
        os.chmod(top + "/pin", 0o600)
        for words in (["softhsm2-util", "--init-token", "--free", "--label", "lab", "--so-pin", "87654321", "--pin", "4711"],
                      ["softhsm2-util", "--import", "KEY", "--token", "lab", "--label", "js", "--id", "01", "--pin", "4711"]):
            key = top + "/key.pem"
            subprocess.run(["openssl", "pkcs8", "-topk8", "-nocrypt", "-in", WORLD["B_JS_SERVER"] + "-key.pem", "-out", key], check=True)
            subprocess.run([key if word == "KEY" else word for word in words], check=True, capture_output=True)
            os.unlink(key)
        uri = f"pkcs11:token=lab;object=js?module-path={MODULE}&pin-source=file:{top}/pin"
        pin = subprocess.run([os.environ["SARDANE"], "tlsa", "generate", "--cert", WORLD["B_JS_SERVER"] + ".pem"], capture_output=True, text=True,
                             check=True).stdout.split()[-1]
        lab("publish", f'_{WORLD["B_JS_PORT"]}._tcp.second.b.example', "TLSA", "3", "1", "1", pin)
        lab("publish", "second.b.example", "A", WORLD["B_JS_ADDRESS"])
        names = f"""    names:
      - name: second.b.example
        tls_cert: {WORLD["B_JS_SERVER"]}.pem
        tls_key: {WORLD["B_JS_SERVER"]}-key.pem
"""
        with Echo() as backend:
            config = listener(WORLD, backend.address, more="    identity: none\n" + names).replace(
                f'tls_key: {WORLD["B_JS_SERVER"]}-key.pem', f'tls_key: "{uri}"') + f"token_folder: {top}/tokens\n"
            status, words = Proxy(config).check()
            assert status == 0, words
            second = f'second.b.example:{WORLD["B_JS_PORT"]}'
            with Proxy(config, workers=8) as b, Proxy(outbound(WORLD)) as a, Proxy(outbound(WORLD, to=second)) as by_name:
                for i in range(2):
                    for way in (a, by_name) * 4:
                        with way.connect() as s:
                            assert exchange(s, b"signed in the token") == b"signed in the token"
                    if i == 0:
                        b.process.send_signal(signal.SIGHUP)
                        b.said(r"proxy\.reloaded", 30)
            pathlib.Path(top, "pin").write_text("0815\n")
            status, words = Proxy(config).check()
            assert status == 2 and "tls_key" in words and "0815" not in words and "4711" not in words, words

if not (MODULE and ENGINE and shutil.which("softhsm2-util")):
    print("1..0 # SKIP SoftHSM or OpenSSL's engine pkcs11 is not installed")
    sys.exit(0)
with proxylab.world() as (WORLD, lab):
    run(a_key_in_a_token_serves_and_is_reloaded)
