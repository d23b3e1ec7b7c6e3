#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""sardane-resolverd and the clock: records that end soon, signatures that have ended or not begun."""
import sys, time

from probing import check, run, validating
import dnsworld

DAY, NOW = 86400, int(time.time())
TTL = 20  # fetched ahead in its last tenth
world = dnsworld.World(f"soon.example. {TTL} TLSA {dnsworld.DIGEST}\n", periods={
    "past.example.": (NOW - 60 * DAY, NOW - 30 * DAY),
    "future.example.": (NOW + 30 * DAY, NOW + 60 * DAY),
    "now.example.": (NOW - DAY, NOW + 30 * DAY),
})


def it_calls_a_zone_with_expired_signatures_bogus():
    with validating(world) as p:
        a = p.ask("host.past.example", "TLSA")
        check(a, status="bogus", records=0)
        assert "expired" in a["why"], a


def it_calls_a_zone_with_signatures_of_the_future_bogus():
    with validating(world) as p:
        a = p.ask("host.future.example", "TLSA")
        check(a, status="bogus", records=0)
        assert "inception" in a["why"], a


def it_calls_a_zone_signed_in_the_same_way_for_today_secure():
    with validating(world) as p:
        check(p.ask("host.now.example", "TLSA"), status="secure", records=1)


def cached(p):
    p.say("cached soon.example TLSA")
    return p.line().get("status")


def fetched_ahead(p):
    """Uses the record until TTL + 2 s are over: False when this machine was too slow to be asked in its last tenth."""
    before, began = p.stats(), time.monotonic()
    check(p.ask("soon.example", "TLSA"), status="secure", records=1)
    p.say("forget js.example A")
    check(p.ask("js.example", "A"), status="secure")  # libunbound keeps the record it fetched last
    while time.monotonic() < began + TTL + 2:
        if not cached(p):
            return False
        time.sleep(0.05)
    after = p.stats()
    assert after["asked"] == before["asked"] + 2 and after["prefetched"] == before["prefetched"] + 1, (before, after)
    return after["sent"] == before["sent"] + 3


def it_fetches_a_record_in_use_before_it_ends():
    with validating(world) as p:
        assert any(fetched_ahead(p) for _ in range(4)), p.stats()


with world:
    run(sys.modules[__name__])
