#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The AD back end against a real unbound, over UDP, TCP and a Unix socket."""
import contextlib, pathlib, socket, subprocess, sys, threading

from probing import Probe, check, refused, run
import dnsworld

world = dnsworld.World()


@contextlib.contextmanager
def unbound(port=None, modules="validator iterator"):
    port = port or dnsworld.free_port()
    conf = world.dir / "unbound.conf"
    conf.write_text(f"""
server:
 interface: 127.0.0.1@{port}
 do-not-query-localhost: no
 trust-anchor-file: "{world.anchor}"
 chroot: ""
 username: ""
 directory: "{world.dir}"
 pidfile: ""
 use-syslog: no
 module-config: "{modules}"
remote-control:
 control-enable: no
forward-zone:
 name: "."
 forward-addr: {world.address}
""")
    with open(world.dir / "unbound.log", "w") as log:
        u = subprocess.Popen([dnsworld.tool("unbound"), "-d", "-c", str(conf)], stderr=log, stdout=log)
    try:
        address = f"127.0.0.1@{port}"
        for _ in range(100):
            if dnsworld.query(address, "js.example", 1, 0.2):
                break
        yield address
    finally:
        u.kill()
        u.wait()


def it_believes_the_ad_bit_of_a_validating_resolver():
    with unbound() as server, Probe("--ad", server) as p:
        check(p.ask("_8003._tcp.js.example", "TLSA"), status="secure", records=1, octets=35)
        check(p.ask("js.example", "SRV"), status="secure-denial", nxdomain=0)
        check(p.ask("nothing.example", "TLSA"), status="secure-denial", nxdomain=1)
        check(p.ask("_8003._tcp.alias.example", "TLSA"), status="secure", final="_8003._tcp.js.example")
        check(p.ask("host.insecure.example", "TLSA"), status="insecure", records=1)
        check(p.ask("big.example", "TLSA"), status="secure", records=40)
        a = p.ask("host.tampered.example", "TLSA")
        check(a, status="failed", records=0)
        assert "SERVFAIL" in a["why"], a


def it_notices_a_resolver_that_comes_back_without_validating():
    with unbound() as server:
        p = Probe("--ad", server, "--deadline", "4000")
        check(p.ask("host.insecure.example", "TLSA"), status="insecure")
    port = int(server.split("@")[1])
    with p, unbound(port, "iterator"):
        a = p.ask("_8003._tcp.js.example", "TLSA")
        check(a, status="failed", records=0)
        assert "does not validate" in a["why"], a
    with Probe("--ad", server, "--deadline", "4000") as p, unbound(port):
        check(p.ask("_8003._tcp.js.example", "TLSA"), status="secure", records=1)


def it_does_not_believe_a_server_that_does_not_recurse():
    with Probe("--ad", world.address) as p:
        a = p.ask("js.example", "A")
        check(a, status="failed", records=0)
        assert "recurse" in a["why"], a


def it_speaks_frames_over_a_unix_socket():
    path = world.dir / "dns.sock"
    with unbound() as server, socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen(8)

        def relay():
            host, port = server.split("@")
            with contextlib.suppress(OSError):
                while True:
                    c = listener.accept()[0]
                    with c, socket.create_connection((host, int(port))) as t:
                        t.sendall(c.recv(65535))
                        head = t.recv(2, socket.MSG_WAITALL)
                        body = t.recv(int.from_bytes(head, "big"), socket.MSG_WAITALL)
                        for octet in head:
                            c.send(bytes([octet]))
                        c.sendall(body)
        threading.Thread(target=relay, daemon=True).start()
        with Probe("--ad", str(path)) as p:
            check(p.ask("_8003._tcp.js.example", "TLSA"), status="secure", records=1)
            check(p.ask("host.insecure.example", "TLSA"), status="insecure", records=1)
            check(p.ask("big.example", "TLSA"), status="secure", records=40)
        listener.shutdown(socket.SHUT_RDWR)


def serve(answers):
    """A false resolver: a datagram for each of the answers made from the question."""
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("127.0.0.1", 0))

    def turn():
        with contextlib.suppress(OSError):
            while True:
                ask, peer = s.recvfrom(65535)
                for a in answers(ask):
                    s.sendto(a, peer)
    threading.Thread(target=turn, daemon=True).start()
    return s, f"127.0.0.1@{s.getsockname()[1]}"


ROOT = b"\0\0\6\0\1"


def trial(answers):
    """The same server, but one that validates the root."""
    return lambda ask: [reply(ask)] if ask[12:17] == ROOT else answers(ask)


def reply(ask, flags=0x81a0, qid=None, question=None):
    """A secure A record for what was asked, with parts of it changed at will."""
    end = ask.index(b"\0", 12) + 5
    head = (qid or ask[:2]) + flags.to_bytes(2, "big") + bytes([0, 1, 0, 1, 0, 0, 0, 0])
    return head + (question or ask[12:end]) + bytes([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 1])


def it_ignores_answers_with_another_id_or_question():
    other = b"\x05other\x07example\0\0\1\0\1"
    s, server = serve(trial(lambda ask: [reply(ask, qid=bytes([ask[0] ^ 1, ask[1]])), reply(ask, question=other),
                                         b"", ask, reply(ask)[:-3]]))
    with Probe("--ad", server, "--deadline", "400") as p:
        check(p.ask("js.example", "A"), status="failed", records=0)
    s.close()
    s, server = serve(lambda ask: [reply(ask, qid=bytes([ask[0] ^ 1, ask[1]])), reply(ask)])
    with Probe("--ad", server) as p:
        check(p.ask("js.example", "A"), status="secure", records=1, ttl=60)
    s.close()


def it_calls_an_answer_without_ad_insecure():
    s, server = serve(trial(lambda ask: [reply(ask, flags=0x8180)]))
    with Probe("--ad", server) as p:
        check(p.ask("js.example", "A"), status="insecure", records=1)
    s.close()


def it_does_not_let_a_resolver_that_validates_nothing_call_a_zone_unsigned():
    s, server = serve(lambda ask: [reply(ask, flags=0x8180)])
    with Probe("--ad", server) as p:
        a = p.ask("js.example", "A")
        check(a, status="failed", records=0)
        assert "does not validate" in a["why"], a
    s.close()


def it_asks_again_when_a_datagram_is_lost():
    seen = []

    def second(ask):
        seen.append(ask)
        return [reply(ask)] if len(seen) == 2 else []
    s, server = serve(trial(second))
    with Probe("--ad", server, "--deadline", "4000") as p:
        check(p.ask("js.example", "A"), status="secure")
    assert len(seen) >= 2 and len({ask[:2] for ask in seen}) == 1, seen
    assert seen[0][2:4] == b"\x01\x20" and seen[0][-11:-8] == b"\0\0\x29", "RD, AD and EDNS"
    s.close()


def it_answers_failed_when_nobody_listens():
    with Probe("--ad", f"127.0.0.1@{dnsworld.free_port()}", "--deadline", "300") as p:
        check(p.ask("js.example", "A"), status="failed", records=0)
    with Probe("--ad", str(world.dir / "nobody.sock"), "--deadline", "300") as p:
        check(p.ask("js.example", "A"), status="failed", records=0)


def it_refuses_a_resolver_that_is_not_on_this_host():
    assert "not on this host" in refused("--ad", "192.0.2.53")
    assert "not on this host" in refused("--ad", "2001:db8::53@53")
    assert "encrypted" in refused("--ad", "tls://127.0.0.1")


with world:
    run(sys.modules[__name__])
