#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""An answer never precedes the disk: order of sync and answer, failing syncs, shared syncs."""
import json, os, pathlib, sys, threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "lib"))
from joinlab import Lab, code, read_accept, run

DEV = "0102030405060708"
# The sandbox hides the log's folder from the preloaded library.
CONFIG = __import__("joinlab").CONFIG + "sandbox: false\n"

def lab_on(disk):
    lab = Lab(CONFIG)
    lab.environ = {"LD_PRELOAD": os.environ["DISK"], "DISK_LOG": f"{lab.dir}/log",
                   "DISK_FAIL": f"{lab.dir}/fail", **disk}
    lab.add(DEV)
    lab.start()
    return lab

def log_of(lab):
    p = pathlib.Path(f"{lab.dir}/log")
    return p.read_text().split("\n")[:-1] if p.exists() else []

def each_accept_leaves_after_the_sync_of_its_own_join():
    with lab_on({}) as lab:
        for nonce in range(50):
            seen = len(log_of(lab))
            assert code(lab.join(DEV, nonce)) == "Success"
            new = log_of(lab)[seen:]
            assert "answer Success" in new, new
            assert "sync" in new[:new.index("answer Success")], f"answered before the disk had it: {new}"

def a_refusal_needs_no_disk():
    with lab_on({}) as lab:
        lab.join(DEV, 1)
        seen = len(log_of(lab))
        assert code(lab.join(DEV, 1)) == "JoinReqFailed"
        new = log_of(lab)[seen:]
        assert "answer no" in new and "sync" not in new, new

def when_the_disk_fails_nothing_is_accepted_and_later_all_is_well():
    with lab_on({}) as lab:
        assert code(lab.join(DEV, 1)) == "Success"
        pathlib.Path(f"{lab.dir}/fail").touch()
        for nonce in (2, 3, 2):
            answer = lab.join(DEV, nonce)
            assert code(answer) == "Other" and "NwkSKey" not in answer and "PHYPayload" not in answer, answer
        assert "failed" in log_of(lab)
        os.unlink(f"{lab.dir}/fail")
        assert read_accept(lab.join(DEV, 2)["PHYPayload"]) == 2
        lab.stop()
        lab.start()
        assert code(lab.join(DEV, 2)) == "JoinReqFailed"
        assert read_accept(lab.join(DEV, 3)["PHYPayload"]) == 3

def joins_that_wait_share_one_sync():
    joins = 128
    with lab_on({"DISK_DELAY_US": "100000"}) as lab:
        bodies = [json.dumps(lab.join_body(DEV, n)) for n in range(joins)]
        before, gate, answers = log_of(lab).count("sync"), threading.Barrier(32), []

        def ask(mine):
            c = lab.connect()
            c.connect()
            gate.wait()
            for body in mine:
                answers.append(lab.post(body, c)[1])
            c.close()
        threads = [threading.Thread(target=ask, args=(bodies[i::32],)) for i in range(32)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        assert [code(a) for a in answers] == ["Success"] * joins
        assert len({read_accept(a["PHYPayload"]) for a in answers}) == joins
        syncs = log_of(lab).count("sync") - before
        print(f"# {joins} joins in {syncs} syncs")
        assert syncs <= joins / 8

run(each_accept_leaves_after_the_sync_of_its_own_join, a_refusal_needs_no_disk,
    when_the_disk_fails_nothing_is_accepted_and_later_all_is_well, joins_that_wait_share_one_sync)
