#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""sardane device: what an operator does with the Join Server's database, while it runs."""
import json, os, pathlib, stat, sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "lib"))
from joinlab import JOIN_EUI, KEY, Lab, code, read_accept, run

DEV, OTHER = "0102030405060708", "ff02030405060708"
HEAD = "id;dev_eui;join_eui;name;frequency_plan_id;lorawan_version;app_key;nwk_key;net_id\n"

def row(dev, version="MAC_V1_0_3", app=KEY.hex(), nwk="", net="010203", name=""):
    return f"x;{dev};{JOIN_EUI};{name};EU_863_870;{version};{app};{nwk};{net}\n"

def imported(lab, text, *words):
    return lab.sardane("device", "import", "-", "--config", lab.config, *words, stdin=text)

def a_device_added_while_the_server_runs_joins_at_once():
    with Lab() as lab:
        lab.start()
        assert code(lab.join(DEV, 1)) == "UnknownDevEUI"
        lab.add(DEV)
        assert code(lab.join(DEV, 1)) == "Success"
        assert code(lab.join(DEV, 1)) == "JoinReqFailed"
        assert lab.sardane("device", "flush-nonces", DEV, "--config", lab.config).returncode == 0
        assert read_accept(lab.join(DEV, 1)["PHYPayload"]) == 2
        assert lab.sardane("device", "remove", DEV, "--config", lab.config).returncode == 0
        assert code(lab.join(DEV, 2)) == "UnknownDevEUI"
        lab.add(DEV)
        assert code(lab.join(DEV, 1)) == "JoinReqFailed"
        assert read_accept(lab.join(DEV, 2)["PHYPayload"]) == 3
        assert stat.S_IMODE(os.stat(f"{lab.dir}/js.db").st_mode) == 0o600

def a_file_with_the_things_stacks_columns_is_taken():
    with Lab() as lab:
        got = imported(lab, "\ufeff" + HEAD + row(DEV, name='"one; ""two"""') + "\n" + row(OTHER, "MAC_V1_1", nwk="02" * 16))
        assert got.returncode == 0 and got.stdout == "2 added, 0 changed\n", got
        listed = json.loads(lab.sardane("device", "list", "--json", "--config", lab.config).stdout)
        assert [(d["dev_eui"], d["name"], d["lorawan_version"]) for d in listed] == [(DEV, 'one; "two"', "1.0.3"), (OTHER, "", "1.1.0")]
        lab.start()
        assert code(lab.join(DEV, 1)) == "Success"
        assert imported(lab, HEAD + row(DEV, name="new"), "--replace").stdout == "0 added, 1 changed\n"
        assert code(lab.join(DEV, 1)) == "JoinReqFailed"

def one_wrong_line_stops_the_whole_file_and_is_named():
    with Lab() as lab:
        good = row(DEV)
        for bad, words in ((row("0102"), "dev_eui: 4 digits, need 16"), (row(OTHER, app=""), "AppKey: missing"), (row(OTHER, net=""), "NetID: missing"),
                           (row(OTHER, "MAC_V9"), "lorawan_version"), (row(OTHER, "1.1"), "NwkKey: missing"), (good, "there already"),
                           (row(OTHER, app=KEY.hex(), nwk="02" * 16), "one key"), (row(OTHER).strip() + ";more\n", "more fields"),
                           (row(OTHER, name='"open'), "quote")):
            got = imported(lab, HEAD + good + bad)
            assert got.returncode == 2 and "-:3: " in got.stderr and words in got.stderr and "nothing was added" in got.stderr, got
            assert lab.sardane("device", "list", "--config", lab.config).stdout == ""
        assert "columns" in imported(lab, "dev_eui,name\n").stderr

def the_key_chirpstack_calls_nwk_key_is_the_one_key_of_1_0():
    with Lab() as lab:
        assert imported(lab, HEAD + row(DEV, app="", nwk=KEY.hex())).returncode == 0
        lab.start()
        assert code(lab.join(DEV, 1)) == "Success"

def keys_are_shown_only_on_demand():
    with Lab() as lab:
        lab.add(DEV)
        for words in (["show", DEV], ["list"], ["list", "--json"]):
            assert KEY.hex() not in lab.sardane("device", *words, "--config", lab.config).stdout
        assert KEY.hex() in lab.sardane("device", "show", DEV, "--insecure-show-keys", "--config", lab.config).stdout
        assert lab.sardane("device", "show", OTHER, "--config", lab.config).returncode == 1
        assert lab.sardane("device", "show", OTHER).returncode == 2

def keys_at_rest_are_wrapped_when_there_is_a_kek():
    from joinlab import CONFIG
    with Lab(CONFIG + "root_key_kek_file: {dir}/kek\n") as lab:
        kek = pathlib.Path(f"{lab.dir}/kek")
        kek.write_text("0f" * 32 + "\n")
        got = lab.sardane("device", "add", DEV, "--join-eui", JOIN_EUI, "--app-key", KEY.hex(), "--net-id", "010203", "--config", lab.config)
        assert got.returncode == 2 and "mode 0600" in got.stderr, got
        kek.chmod(0o600)
        lab.add(DEV)
        lab.start()
        assert code(lab.join(DEV, 1)) == "Success"
        lab.stop()
        assert KEY.hex().upper() not in lab.dump().upper()
        kek.write_text("0e" * 32 + "\n")
        got = lab.sardane("device", "list", "--config", lab.config)
        assert got.returncode == 2 and "another KEK" in got.stderr, got

def a_network_server_that_sends_chunks_joins():
    with Lab() as lab:
        lab.add(DEV)
        lab.start()
        c = lab.connect()
        for nonce in (1, 2):
            text = json.dumps(lab.join_body(DEV, nonce)).encode()
            c.request("POST", "/", iter([text[:9], text[9:100], text[100:]]), {"Content-Type": "application/json"}, encode_chunked=True)
            answer = c.getresponse()
            assert answer.status == 200 and code(json.loads(answer.read())) == "Success"
        c.close()

def a_wrong_configuration_is_named_and_starts_nothing():
    import subprocess
    from joinlab import CONFIG
    for change, words in (("clients:", "clientz:"), ("127.0.0.1:0", "0.0.0.0:0")):
        with Lab(CONFIG.replace(change, words)) as lab:
            for more in (["--check"], []):
                got = subprocess.run([os.environ["JOIND"], "-c", lab.config, *more], capture_output=True, text=True, timeout=20)
                assert got.returncode == 2 and ("clientz" in got.stderr or "loopback" in got.stderr), got
    with Lab(CONFIG.split("clients:")[0]) as lab:
        got = subprocess.run([os.environ["JOIND"], "-c", lab.config], capture_output=True, text=True, timeout=20)
        assert got.returncode == 2 and "clients: missing" in got.stderr, got

run(a_device_added_while_the_server_runs_joins_at_once, a_file_with_the_things_stacks_columns_is_taken,
    one_wrong_line_stops_the_whole_file_and_is_named, the_key_chirpstack_calls_nwk_key_is_the_one_key_of_1_0,
    keys_are_shown_only_on_demand, keys_at_rest_are_wrapped_when_there_is_a_kek, a_network_server_that_sends_chunks_joins,
    a_wrong_configuration_is_named_and_starts_nothing)
