#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The whole way: a device of organisation B speaks through A's Network Server, and B's Application
Server tells what it said; a downlink goes the way back. usage: test_experiment.py BUILD"""
import base64, os, pathlib, re, shutil, signal, sys, tempfile, time

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "lib"))
from experiment import RESOLVER, Experiment, Failed, wait_for

DEVICES = [  # DevEUI, AppKey, NwkKey, version
    ("70b3d57ed0000103", "2b7e151628aed2a6abf7158809cf4f3c", None, "1.0.3"),
    ("70b3d57ed0000110", "000102030405060708090a0b0c0d0e0f", "101112131415161718191a1b1c1d1e1f", "1.1"),
]
tests = []


def test(f):
    tests.append(f)
    return f


def keys(e, device):
    eui, app, nwk, version = device
    return ["--state", f"{e.dir}/{eui}.state", "--dev-eui", eui, "--app-key", app, *(["--nwk-key", nwk] if nwk else []),
        "--lorawan-version", {"1.1": "1.1.0"}.get(version, version)]


def joins_and_speaks(e, device):
    eui, said = device[0], bytes.fromhex("0102a5ff") + device[3].encode()
    r = e.simulate(*keys(e, device), "--uplinks", 1, "--payload", said.hex(), "--port", 7,
        "--net-id", e.a["net_id"])
    assert r["exit"] == 0 and r["joined"] == 1, r
    up, join = e.event("up", eui), e.event("join", eui)
    assert base64.b64decode(up["data"]) == said, up
    assert up["fPort"] == 7 and up["fCnt"] == 0 and up["confirmed"] is False, up
    assert up["adr"] in (True, False) and up["dr"] == 5, up
    assert up["devAddr"] == r["device"][0]["dev_addr"] == join["devAddr"], (up, join)
    assert up["deviceInfo"]["applicationId"] == "metering" and up["deviceInfo"]["tags"] == {"org": "b"}, up
    assert up["txInfo"]["frequency"] in range(863_000_000, 870_000_000), up
    assert up["txInfo"]["modulation"]["lora"] == {"bandwidth": 125000, "spreadingFactor": 7, "codeRate": "CR_4_5"}
    assert up["rxInfo"] and up["regionConfigId"] == "eu868", up


@test
def a_1_0_device_of_b_joins_through_a_and_its_uplink_is_decrypted_at_b(e):
    joins_and_speaks(e, DEVICES[0])


@test
def a_1_1_device_of_b_joins_through_a_and_its_uplink_is_decrypted_at_b(e):
    joins_and_speaks(e, DEVICES[1])


@test
def the_key_was_asked_of_the_join_server_over_mutual_dane(e):
    line = e.wait_log("applicationd", r"appskey\.given .*")[0]
    assert "dnssec=secure" in line and "3 1 1" in line, line
    line = e.wait_log("applicationd", r"tls\.accept .*")[0]
    assert f"peer={e.a['ns']['client_name']}" in line and "dnssec=secure" in line, line


@test
def downlinks_reach_1_0_and_1_1_devices_as_they_were_given(e):
    """Queued while the devices are away, handed over after their next uplink."""
    payloads = [b"\x00open\xff", b"\x00shut\xff"]
    ids = [e.downlink(d[0], p, port=12) for d, p in zip(DEVICES, payloads)]
    runs = [e.simulate_start(*keys(e, d), "--gateway-eui", f"b827ebfffe0000{n:02x}", "--uplinks", 3)
        for n, d in enumerate(DEVICES)]
    for device, payload, id, run in zip(DEVICES, payloads, ids, runs):
        r = e.simulated(run)
        assert r["exit"] == 0, r
        assert r["device"][0].get("last_downlink") == {"port": 12, "payload": payload.hex()}, r
        assert e.event("txack", device[0])["queueItemId"] == id


@test
def a_confirmed_downlink_is_acknowledged_by_the_device(e):
    eui = DEVICES[0][0]
    id = e.downlink(eui, b"really", confirmed=True)
    r = e.simulate(*keys(e, DEVICES[0]), "--uplinks", 3)
    assert r["exit"] == 0, r
    ack = e.event("ack", eui)
    assert ack["queueItemId"] == id and ack["acknowledged"] is True, ack


@test
def what_was_sent_while_the_application_server_was_away_is_told_after_it_is_back(e):
    eui, before = DEVICES[0][0], len(e.events())
    e.stop("applicationd", 9)
    r = e.simulate(*keys(e, DEVICES[0]), "--uplinks", 2, "--payload", "beef")
    assert r["exit"] == 0, r
    e.start("applicationd")
    ups = [x for x in e.events() if x["event"] == "up" and x["deviceInfo"]["devEui"] == eui]
    for i in range(2):
        up = e.event("up", eui, len(ups) + i)
        assert base64.b64decode(up["data"]) == b"\xbe\xef", up
    assert len({x["deduplicationId"] for x in e.events() if x["event"] == "up"}) == \
        len([x for x in e.events() if x["event"] == "up"])


@test
def a_resolver_that_is_killed_comes_back_behind_the_walls(e):
    """sardane-resolverd reads its trust anchors anew, and may: Landlock names them."""
    def pids(name):
        return re.findall(r"resolver\.ready pid=(\d+)", e.log_text(name))
    for name in ("joind", "networkd", "applicationd"):
        assert re.search(r"sandbox\.entered with=\S*seccomp", e.log_text(name)), e.log_text(name)
        before = pids(name)
        os.kill(int(before[-1]), signal.SIGKILL)
        wait_for(f"a new resolver of {name}", lambda: len(pids(name)) > len(before))
        assert pids(name)[-1] != before[-1]
    r = e.simulate(*keys(e, DEVICES[0]), "--uplinks", 1)
    assert r["exit"] == 0, r


def main():
    with Experiment(sys.argv[1], level="debug") as e, tempfile.TemporaryDirectory(prefix="sardane-anchor-") as apart:
        # Not below a folder that a server writes and may read for that reason.
        e.lab["trust_anchor_file"] = shutil.copy(e.lab["trust_anchor_file"], apart)
        e.words["resolver"] = RESOLVER.format(**e.words)
        for d in DEVICES:
            e.add_device(d[0], d[1], d[2], d[3])
        e.start("joind", "networkd", "applicationd")
        print(f"1..{len(tests)}", flush=True)
        failed = 0
        for n, t in enumerate(tests, 1):
            try:
                began = time.monotonic()
                t(e)
                print(f"ok {n} - {t.__name__} # {time.monotonic() - began:.1f} s", flush=True)
            except (AssertionError, Failed, OSError, KeyError) as x:
                failed += 1
                print(f"not ok {n} - {t.__name__}\n# {type(x).__name__}: {str(x)[:1500]}", flush=True)
        for name in ("applicationd", "networkd", "joind") if failed else ():
            print("".join(f"# {name}: {line}\n" for line in e.log_text(name).splitlines()[-60:]), end="")
        for name in list(e.running):
            status = e.stop(name)
            if status != 0:
                failed += 1
                print(f"# {name}: ended with {status}")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
