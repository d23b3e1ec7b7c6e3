#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""sardane-proxy when much is asked of it, or what it leans on is gone: it serves who is honest, keeps what it
has, and recovers by itself. PROXY, SARDANE and RESOLVERD in the environment name the programs. At full size, and
with figures: scripts/prove-proxy.
"""
import contextlib, os, pathlib, resource, signal, socket, subprocess, sys, time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "lib"))
import proxylab, proxyload
from dnsworld import free_port
from joinlab import run
from proxylab import Echo, Proxy, is_cut, listener, outbound, receive
from proxyload import children, cpu, descriptors, honest, open_pair, passes, resident_kb, still_open, until

CLIENTS = 1000
NONE = "    identity: none\n"

def straight():
    return socket.create_connection(proxyload.place(WORLD), 20)

def honest_clients_pass_beside_a_flood_of_half_open_ones():
    with Echo() as backend, Proxy(listener(WORLD, backend.address, more=NONE)) as b, Proxy(outbound(WORLD)) as a:
        honest(a)
        with proxyload.Flood(WORLD, CLIENTS):
            for _ in range(25):
                honest(a)
        b.said(r"tls\.(refuse|flood) ")

def the_oldest_half_open_one_gives_way():
    few = NONE + "    handshakes_max: 8\n    per_source_max: 100\n"
    with Echo() as backend, Proxy(listener(WORLD, backend.address, more=few)) as b, Proxy(outbound(WORLD)) as a:
        with contextlib.ExitStack() as stack:
            held = [stack.enter_context(straight()) for _ in range(9)]
            assert is_cut(held[0])
            b.said(r"link\.close .*too many half-open")
            honest(a)

def one_source_and_all_of_them_have_their_share_and_no_more():
    for limit in ("per_source_max", "connections_max"):
        more = NONE + f"    {limit}: 3\nstatus: unix:DIR/status\n"
        with Echo() as backend, Proxy(listener(WORLD, backend.address, more=more)) as b, Proxy(outbound(WORLD)) as a:
            with open_pair(a) as one, open_pair(a) as two, open_pair(a) as three:
                assert proxylab.is_turned_away(a)
                b.said(r"tls\.flood .*dropped=1")
                assert still_open(one) and still_open(two) and still_open(three)
                assert proxylab.metrics(b)[f'limit_refusals_total{{at="in",side="listener",limit="{limit}"}}'] == 1
            until(lambda: passes(a))

def without_descriptors_it_keeps_what_it_has_and_recovers():
    with Echo() as backend, Proxy(listener(WORLD, backend.address, more=NONE + "    handshake_timeout: 600\n")) as b, Proxy(outbound(WORLD)) as a:
        worker, = b.workers()
        with open_pair(a) as s, contextlib.ExitStack() as stack:
            limit = descriptors(worker) + 20
            resource.prlimit(worker, resource.RLIMIT_NOFILE, (limit, limit))
            for _ in range(40):
                stack.enter_context(straight())
            b.said(r"listen\.rest ")
            before = cpu(worker)
            time.sleep(2)
            spent = (cpu(worker) - before) / 2
            assert spent < 0.05, f"{spent:.0%} of a processor while it may accept nobody"
            assert still_open(s)
        until(lambda: passes(a))

def a_backend_that_is_away_costs_its_own_connections_alone():
    address = f"127.0.0.1:{free_port()}"
    with Proxy(listener(WORLD, address, more=NONE)) as b, Proxy(outbound(WORLD)) as a:
        assert proxylab.is_turned_away(a)
        b.said(r'proxy\.end .*verdict=refused .*reason="Connection refused"')
        with socket.create_server(("127.0.0.1", int(address.rpartition(":")[2]))) as server, a.connect() as s:
            back, _ = server.accept()
            with back:
                back.sendall(b"again")
                assert receive(s, 5) == b"again"

def a_backend_that_never_answers_holds_up_nobody_else():
    with socket.create_server(("127.0.0.1", 0), backlog=64) as deaf:
        more = NONE + "    idle_timeout: 2\n"
        with Proxy(listener(WORLD, "127.0.0.1:%d" % deaf.getsockname()[1], more=more)) as b, Proxy(outbound(WORLD)) as a:
            with contextlib.ExitStack() as stack:
                held = [stack.enter_context(a.connect()) for _ in range(20)]
                for s in held:
                    s.sendall(b"is anybody there")
                assert all(is_cut(s) for s in held)
            b.said(r'proxy\.end .*verdict=passed .*reason="idle for too long"', times=20)

def a_resolver_that_is_killed_is_started_again():
    with Echo() as backend, Proxy(listener(WORLD, backend.address, more=NONE + "    grace: 60\n")) as b, \
            Proxy(outbound(WORLD, more="    grace: 60\n")) as a, open_pair(a) as s:
        for _ in range(3):
            for p in (a, b):
                for worker in p.workers():
                    for child in children(worker):
                        os.kill(child, signal.SIGKILL)
            until(lambda: passes(a))
        assert still_open(s)

def churn_leaves_nothing_behind():
    rounds = 6
    with Echo() as backend, Proxy(listener(WORLD, backend.address, more=NONE)) as b, Proxy(outbound(WORLD)) as a:
        def batch(n=30):
            for i in range(n):
                if i % 5 == 4:  # who leaves in the middle of things
                    with straight() as s:
                        s.sendall(proxyload.hello()[:100 if i % 2 else 400])
                else:
                    honest(a, os.urandom(2000))
        for _ in range(3):
            batch()
        workers = b.workers() + a.workers()
        until(lambda: quiet_fds(workers) is not None)
        fds, kb = quiet_fds(workers), [resident_kb(w) for w in workers]
        for _ in range(rounds):
            batch()
        until(lambda: quiet_fds(workers) == fds)
        grown = [resident_kb(w) - before for w, before in zip(workers, kb)]
        assert max(grown) < 2000 or os.environ.get("SARDANE_SANITIZED"), f"grown by {grown} KB in {rounds * 30} connections"

def quiet_fds(workers):
    """How many descriptors each has, once that rests; else None."""
    now = [descriptors(w) for w in workers]
    time.sleep(0.3)
    return now if now == [descriptors(w) for w in workers] else None

def a_log_that_cannot_be_written_stops_nobody():
    with Echo() as backend, Proxy(outbound(WORLD)) as a:
        b = Proxy(listener(WORLD, backend.address, more=NONE))
        with open("/dev/full", "w") as full, subprocess.Popen([os.environ["PROXY"], "-c", b.config, "-l", "debug"], stderr=full) as process:
            until(lambda: passes(a))
            for _ in range(20):
                honest(a)
            process.terminate()
            assert process.wait(30) == 0

resource.setrlimit(resource.RLIMIT_NOFILE, (min(20000, resource.getrlimit(resource.RLIMIT_NOFILE)[1]),) * 2)
with proxylab.world() as (WORLD, lab):
    run(honest_clients_pass_beside_a_flood_of_half_open_ones, the_oldest_half_open_one_gives_way,
        one_source_and_all_of_them_have_their_share_and_no_more,
        without_descriptors_it_keeps_what_it_has_and_recovers, a_backend_that_is_away_costs_its_own_connections_alone,
        a_backend_that_never_answers_holds_up_nobody_else, a_resolver_that_is_killed_is_started_again,
        churn_leaves_nothing_behind, a_log_that_cannot_be_written_stops_nobody)
