#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""kill -9 of the Join Server in the middle of 1,000 joins, again and again.

What was acknowledged stays: no DevNonce it accepted is ever accepted again, and no JoinNonce is
given twice. Requests without an answer are unknown; asked again, they may go either way, once.
"""
import http.client, json, pathlib, random, signal, sqlite3, sys, threading, time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "lib"))
from joinlab import Lab, code, read_accept, run

JOINS, DEVICES, WORKERS, KILLS = 1000, 40, 8, 12

def killed_in_the_middle_of_1000_joins_it_forgets_no_acknowledged_nonce():
    devices = [f"70b3d5000000{i:04x}" for i in range(DEVICES)]
    seed = random.randrange(1 << 32)
    print(f"# seed {seed}")
    rng = random.Random(seed)
    with Lab() as lab:
        lab.add_many(devices)
        lab.start()
        bodies = {(d, n): json.dumps(lab.join_body(d, n)) for d in devices for n in range(JOINS // DEVICES)}
        waiting = list(bodies)
        rng.shuffle(waiting)
        accepted, given, lock, wrong = {}, set(), threading.Lock(), []
        port = [lab.port]

        def took(job, answer):
            nonce = (job[0], read_accept(answer["PHYPayload"]))
            with lock:
                if job in accepted:
                    wrong.append(f"{job} accepted twice")
                if nonce in given:
                    wrong.append(f"{nonce} given twice")
                accepted[job] = nonce
                given.add(nonce)

        def work():
            while True:
                with lock:
                    if not waiting or wrong:
                        return
                    job = waiting.pop()
                try:
                    c = http.client.HTTPConnection("127.0.0.1", port[0], timeout=20)
                    c.request("POST", "/", bodies[job])
                    answer = json.loads(c.getresponse().read())
                    c.close()
                except (OSError, http.client.HTTPException, ValueError):
                    with lock:
                        waiting.insert(0, job)   # unknown: asked again later
                    time.sleep(0.005)
                    continue
                if code(answer) == "Success":
                    took(job, answer)
                elif code(answer) not in ("JoinReqFailed",):
                    with lock:
                        wrong.append(f"{job}: {answer['Result']}")

        threads = [threading.Thread(target=work) for _ in range(WORKERS)]
        for t in threads:
            t.start()
        kills = 0
        for i in range(KILLS):
            done = len(accepted)
            # Never before it has accepted something more, so that each kill hits a server at work.
            while len(accepted) < min(done + rng.randrange(10, 70), JOINS - 20) and any(t.is_alive() for t in threads):
                time.sleep(0.0005)
            if not any(t.is_alive() for t in threads):
                break
            lab.stop(signal.SIGKILL)
            kills += 1
            lab.start()
            port[0] = lab.port
            with lock:
                replay = rng.sample(sorted(accepted), min(20, len(accepted)))
            for job in replay:
                answer = lab.post(bodies[job])[1]
                if code(answer) == "Success":
                    wrong.append(f"{job} accepted again after the kill")
        for t in threads:
            t.join()
        assert not wrong, wrong[:5]
        assert kills >= 5, f"only {kills} kills"
        for job in accepted:
            assert code(lab.post(bodies[job])[1]) == "JoinReqFailed", f"{job} accepted again"
        print(f"# {kills} kills, {len(accepted)} of {JOINS} joins acknowledged")
        assert len(accepted) > JOINS * 0.8
        lab.stop()
        with sqlite3.connect(f"{lab.dir}/js.db") as db:
            assert db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
            slots = " + ".join(f"(s{slot} IS NOT NULL)" for slot in range(10))
            rows = db.execute(f"SELECT min(join_nonce, 10), {slots} FROM state").fetchall()
            assert len(rows) == DEVICES and all(want == got for want, got in rows), rows

run(killed_in_the_middle_of_1000_joins_it_forgets_no_acknowledged_nonce)
