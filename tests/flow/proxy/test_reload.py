#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""From one configuration to the next, and from one program to the next: nobody is dropped.

PROXY, SARDANE and RESOLVERD name the programs. The lab's DNS is real and signed.
"""
import contextlib, os, pathlib, re, signal, socket, subprocess, sys, tempfile, threading, time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "lib"))
import proxylab
from joinlab import run
from proxylab import Echo, Proxy, exchange, listener, metrics, outbound
from proxyload import Load, until

PLAIN = "    identity: none\n"

def reload(p, what=r"proxy\.reloaded", times=1):
    p.process.send_signal(signal.SIGHUP)
    return p.said(what, 60, times)

def of_b(backend, more=""):
    return listener(WORLD, backend.address, more=PLAIN + more)

def text_of(p, config, more="workers: 1\ndrain: 2\n"):
    p.config.write_text(more + config.replace("DIR", p.dir))

def a_hundred_reloads_under_load_drop_nobody():
    with Echo() as backend, Proxy(of_b(backend), workers=2) as b, Proxy(outbound(WORLD)) as a:
        with Load(a) as load:
            for i in range(100):
                reload(b, times=i + 1)
        assert not any(re.search("tls.refuse|verdict=refused|worker_died", line) for line in b.log + a.log), load.rounds
        print(f"# {load.rounds} connections during 100 reloads")
        until(lambda: len(b.workers()) == 2, 60)

def reloads_that_come_faster_than_they_can_be_done_are_made_one():
    with Echo() as backend, Proxy(of_b(backend)) as b, Proxy(outbound(WORLD)) as a, Load(a):
        for _ in range(200):
            b.process.send_signal(signal.SIGHUP)
            time.sleep(0.005)
        b.said(r"proxy\.reloaded", 30)
        assert len(b.workers()) < 64

def the_way_out_is_reloaded_too():
    with Echo() as backend, Proxy(of_b(backend)) as b, Proxy(outbound(WORLD), workers=2) as a:
        port = a.port("out")
        text_of(a, outbound(WORLD, bind=f"127.0.0.1:{port}"))
        reload(a)
        with Load(a):
            for i in range(5):
                text_of(a, outbound(WORLD, bind=f"127.0.0.1:{port}"), f"workers: {1 + i % 3}\ndrain: 2\n")
                reload(a, times=i + 2)

def who_reached_the_status_before_a_reload_is_answered_behind_it():
    with Echo() as backend, Proxy(of_b(backend) + "status: unix:DIR/status\n") as b, contextlib.ExitStack() as stack:
        asked = [stack.enter_context(socket.socket(socket.AF_UNIX)) for _ in range(2)]
        for s in asked:
            s.settimeout(20)
            s.connect(b.dir + "/status")
        asked[0].sendall(b"GET /metrics HTT")
        metrics(b)  # so those before were let in
        reload(b)
        asked[0].sendall(b"P/1.1\r\nHost: x\r\n\r\n")
        asked[1].sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
        for s in asked:
            assert proxylab.receive(s, 15) == b"HTTP/1.1 200 OK"
        assert metrics(b)["reloads_total"] == 1

def a_file_or_a_credential_that_is_wrong_changes_nothing():
    with Echo() as backend, Proxy(of_b(backend)) as b, Proxy(outbound(WORLD)) as a:
        good, before = b.config.read_text(), b.workers()
        wrong = [(good.replace("    allow:\n", "    allw:\n"), r"proxy\.reload_failed .*proxy\.yaml:9:5: unknown key 'allw'"),
                 (good.replace("-key.pem", "-none.pem"), r"proxy\.reload_failed .*a worker could not start"),
                 (good.replace("identity: none", "identity: all"), r"proxy\.reload_failed .*proxy\.yaml:"),
                 (good + f"status: unix:{b.dir}/none/status\n", r"proxy\.reload_failed .*none/status")]
        with Load(a, staying=1):
            for i, (config, why) in enumerate(wrong):
                b.config.write_text(config)
                line = reload(b, r"proxy\.reload_failed", i + 1)
                assert re.search(why, line), (line, why)
        until(lambda: b.workers() == before)
        assert any(re.search(r"worker_failed .*tls_key", line) for line in b.log)
        b.config.write_text(good)
        reload(b)
        with a.connect() as s:
            assert exchange(s, b"again") == b"again"

def new_rules_hold_for_who_comes_and_old_ones_for_who_is_there():
    with Echo() as backend, Proxy(of_b(backend)) as b, Proxy(outbound(WORLD)) as a:
        with a.connect() as s:
            s.sendall(b"x")
            assert proxylab.receive(s, 1) == b"x"
            text_of(b, listener(WORLD, backend.address, allow=[f'name: {WORLD["A_AS_CLIENT_NAME"]}'], more=PLAIN))
            reload(b)
            assert proxylab.is_turned_away(a)
            b.said(r"tls\.refuse .*refusal=policy")
            assert exchange(s, b"still") == b"still"

def listeners_come_and_go():
    with Echo() as backend, Echo() as other, Proxy(of_b(backend)) as b, tempfile.TemporaryDirectory() as top:
        with Proxy(outbound(WORLD, bind=f"unix:{top}/one")) as a:
            one = outbound(WORLD, bind=f"unix:{top}/one")
            two = one.replace("resolver:", one.partition("outbound:\n")[2].partition("resolver:")[0].replace("name: out", "name: two")
                              .replace("/one", "/two") + "resolver:", 1)
            text_of(a, two)
            reload(a)
            for path in ("/one", "/two"):
                with socket.socket(socket.AF_UNIX) as s:
                    s.settimeout(20)
                    s.connect(top + path)
                    assert exchange(s, b"hello") == b"hello"
            text_of(a, one)
            reload(a, times=2)
            with socket.socket(socket.AF_UNIX) as s:
                try:
                    s.connect(top + "/two")
                    raise AssertionError("somebody still listens there")
                except ConnectionRefusedError:
                    pass

def another_program_takes_over_under_load():
    with Echo() as backend, Proxy(outbound(WORLD)) as a:
        b = Proxy(of_b(backend), workers=2).start()
        first = b.process.pid
        with Load(a):
            heir = first
            for i in range(3):
                os.kill(heir, signal.SIGUSR2)
                heir = int(re.search(r"proxy\.ready .*pid=(\d+)", b.said(r"proxy\.ready ", 60, i + 2))[1])
                b.said(r"proxy\.leave ", 60, i + 1)
                time.sleep(0.3)
        assert b.process.wait(60) == 0, "the first one stays"
        with a.connect() as s:
            assert exchange(s, b"after all") == b"after all"
        os.kill(heir, signal.SIGTERM)
        b.said(r"proxy\.stop status=0", 60, 4)
        b.process = None
        assert not any(re.search("tls.refuse|verdict=refused|worker_died", line) for line in b.log), b.log[-5:]

def a_program_that_cannot_start_takes_nothing_over():
    with Echo() as backend, Proxy(of_b(backend)) as b, Proxy(outbound(WORLD)) as a:
        good = b.config.read_text()
        b.config.write_text("workers: [")
        b.process.send_signal(signal.SIGUSR2)
        b.said(r"proxy\.handover_failed")
        b.config.write_text(good)
        with a.connect() as s:
            assert exchange(s, b"still") == b"still"

def a_crew_that_hangs_while_it_starts_changes_nothing():
    with Echo() as backend, Proxy(of_b(backend, "status: unix:DIR/status\n"), workers=2) as b, Proxy(outbound(WORLD)) as a, Load(a, threads=1):
        good, before = b.config.read_text(), b.workers()
        os.mkfifo(b.dir + "/key", 0o600)  # nobody writes into it: whoever opens it waits
        b.config.write_text("start_timeout: 1\n" + good.replace(WORLD["B_JS_SERVER"] + "-key.pem", b.dir + "/key"))
        reload(b, r'proxy\.reload_failed reason="a worker was not ready within start_timeout"')
        b.said(r"proxy\.worker_stuck .*ready=0")
        until(lambda: b.workers() == before)
        told = metrics(b)
        assert told["reload_failures_total"] == 1 and told["workers_stuck_total"] >= 1 and told["worker_restarts_total"] == 0, told
        b.config.write_text(good)
        reload(b)

@contextlib.contextmanager
def manager():
    """A service manager's socket: what it was told so far."""
    with tempfile.TemporaryDirectory() as top, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.bind(top + "/notify")
        s.settimeout(0.2)
        told = []

        def heard(what, seconds=30):
            until = time.monotonic() + seconds
            while not any(what in words for words in told):
                assert time.monotonic() < until, (what, told)
                with contextlib.suppress(TimeoutError):
                    told.append(s.recv(4096).decode())
            return next(words for words in told if what in words)

        def silent(seconds, within=20):
            end, last = time.monotonic() + within, time.monotonic()
            while time.monotonic() - last < seconds:
                assert time.monotonic() < end, "it goes on telling"
                with contextlib.suppress(TimeoutError):
                    told.append(s.recv(4096).decode())
                    last = time.monotonic()
        os.environ["NOTIFY_SOCKET"] = top + "/notify"
        os.environ["WATCHDOG_USEC"] = "400000"
        try:
            yield told, heard, silent
        finally:
            del os.environ["NOTIFY_SOCKET"], os.environ["WATCHDOG_USEC"]

def the_service_manager_is_told():
    with Echo() as backend, manager() as (told, heard, _):
        b = Proxy(of_b(backend)).start()
        heard("READY=1")
        heard("WATCHDOG=1")
        told.clear()
        reload(b)
        assert re.search(r"RELOADING=1\nMONOTONIC_USEC=\d+", heard("RELOADING=1"))
        heard("READY=1")
        told.clear()
        b.process.send_signal(signal.SIGUSR2)
        heir = int(re.search(r"MAINPID=(\d+)", heard("MAINPID="))[1])
        assert b.process.wait(60) == 0
        os.kill(heir, signal.SIGTERM)
        heard("STOPPING=1")
        b.said(r"proxy\.stop", 30, 2)

def a_worker_that_hangs_is_killed_and_the_manager_told_nothing_meanwhile():
    with Echo() as backend, Proxy(outbound(WORLD)) as a, manager() as (_, heard, silent), \
            Proxy("stuck_timeout: 4\n" + of_b(backend, "status: unix:DIR/status\n"), workers=2) as b:
        heard("WATCHDOG=1")
        with Load(a, threads=1, staying=0):
            pass
        worker = b.workers()[0]
        os.kill(worker, signal.SIGSTOP)
        silent(1.2)
        b.said(rf"proxy\.worker_stuck .*pid={worker} ")
        heard("WATCHDOG=1")
        until(lambda: worker not in b.workers() and len(b.workers()) == 3)
        until(lambda: metrics(b)["workers"] == 2)
        assert metrics(b)["workers_stuck_total"] == metrics(b)["worker_restarts_total"] == 1
        with Load(a):
            pass

def sockets_that_the_manager_opened_are_used():
    for name in ("in", "any"):
        with Echo() as backend, socket.create_server((WORLD["B_JS_ADDRESS"], int(WORLD["B_JS_PORT"]))) as given:
            b = Proxy(of_b(backend), workers=2)
            script = f'exec {given.fileno()}<&{given.fileno()}; LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES={name} exec "$0" -c "$1" -l debug'
            b.process = subprocess.Popen(["sh", "-c", script, os.environ["PROXY"], b.config], stderr=subprocess.PIPE, text=True,
                                         preexec_fn=lambda: os.dup2(given.fileno(), 3), pass_fds=(3, given.fileno()))
            b.reader = threading.Thread(target=lambda: b.log.extend(b.process.stderr), daemon=True)
            b.reader.start()
            b.said(r"proxy\.ready")
            given.close()
            with Proxy(outbound(WORLD)) as a:
                for _ in range(6):
                    with a.connect() as s:
                        assert exchange(s, b"given") == b"given"
            assert b.stop() == 0

with proxylab.world() as (WORLD, lab):
    run(a_hundred_reloads_under_load_drop_nobody, reloads_that_come_faster_than_they_can_be_done_are_made_one,
        the_way_out_is_reloaded_too, who_reached_the_status_before_a_reload_is_answered_behind_it, a_file_or_a_credential_that_is_wrong_changes_nothing,
        new_rules_hold_for_who_comes_and_old_ones_for_who_is_there, listeners_come_and_go,
        another_program_takes_over_under_load, a_program_that_cannot_start_takes_nothing_over, the_service_manager_is_told,
        a_crew_that_hangs_while_it_starts_changes_nothing, a_worker_that_hangs_is_killed_and_the_manager_told_nothing_meanwhile,
        sockets_that_the_manager_opened_are_used)
