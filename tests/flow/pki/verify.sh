#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# sardane tlsa verify: exit 0, 1 or 2, and the reason.  usage: verify.sh TAP_SH SARDANE
# shellcheck source=tests/lib/tap.sh
. "$1"
sardane=$2
cd "$scratch" || exit 1

"$sardane" ca init root --name Root >/dev/null
"$sardane" ca intermediate int --ca root --name Issuing >/dev/null
"$sardane" ca init other --name Other >/dev/null
"$sardane" cert issue --ca int --dns js.b.example --role server --out js >/dev/null
"$sardane" cert issue --ca int --dns _c.b.example --role client --out c >/dev/null
"$sardane" cert issue --ca other --dns js.b.example --out stranger >/dev/null

verify() { "$sardane" tlsa verify "$@"; }
of() { "$sardane" tlsa generate "$@"; }

for selector in 0 1; do
	for matching in 0 1 2; do
		record=$(of --cert js.pem --selector $selector --matching $matching)
		exits 0 "3 $selector $matching proves its leaf, whatever the name" \
			verify --chain js.pem --name elsewhere.example --tlsa "$record"
		like "$out" "matches at depth 0" "and says so"
		exits 1 "3 $selector $matching does not prove a stranger" \
			verify --chain stranger-combined.pem --name js.b.example --tlsa "$record"
		record=$(of --cert int/ca.pem --usage 2 --selector $selector --matching $matching)
		exits 0 "2 $selector $matching proves a chain below it" \
			verify --chain js-combined.pem --name js.b.example --tlsa "$record"
		like "$out" "matches at depth 1" "at depth 1"
		exits 1 "2 $selector $matching does not prove another name" \
			verify --chain js-combined.pem --name ns.b.example --tlsa "$record"
		record=$(of --cert js.pem --usage 1 --selector $selector --matching $matching)
		exits 0 "1 $selector $matching proves a leaf of a trusted authority" verify \
			--chain js-combined.pem --name js.b.example --tlsa "$record" --store root/ca.pem
		exits 1 "1 $selector $matching proves nothing without the authority" \
			verify --chain js-combined.pem --name js.b.example --tlsa "$record"
		record=$(of --cert int/ca.pem --usage 0 --selector $selector --matching $matching)
		exits 0 "0 $selector $matching proves a chain through its authority" verify \
			--chain js-combined.pem --name js.b.example --tlsa "$record" --store root/ca.pem
		exits 1 "0 $selector $matching does not prove another authority's chain" verify \
			--chain stranger-combined.pem --name js.b.example --tlsa "$record" \
			--store other/ca.pem
	done
done

ee=$(of --cert c.pem)
ta=$(of --cert int/ca.pem --usage 2 --selector 0)
exits 0 "a client is proved as a client" verify --chain c-combined.pem --name _c.b.example \
	--tlsa "$ta" --as client
exits 1 "but not as a server" verify --chain c-combined.pem --name _c.b.example --tlsa "$ta"
cat stranger.pem other/ca.pem int/ca.pem >forged.pem
exits 1 "a real authority appended to a forged chain proves nothing" verify --chain forged.pem \
	--name js.b.example --tlsa "$ta"
exits 1 "an expired chain below a trust anchor is refused" verify --chain js-combined.pem \
	--name js.b.example --tlsa "$ta" --at 2036-01-01
like "$out" "expired" "because it has expired"
exits 0 "an expired leaf with 3 1 1 is not" verify --chain c.pem --name _c.b.example --tlsa "$ee" \
	--as client --at 2036-01-01T00:00:00Z
exits 1 "only unusable records prove nothing" verify --chain c.pem --name x.example --tlsa "3 1 1 aabb"
like "$out" "set aside" "they are set aside, with the reason"
exits 0 "one good record of three is enough" verify --chain c.pem --name x.example \
	--tlsa "3 1 1 $(printf '00%.0s' {1..32})" --tlsa "3 1 1 aabb" --tlsa "$ee"
exits 1 "digest agility: SHA-512 wins over SHA-256" verify --chain c.pem --name x.example \
	--tlsa "3 1 2 $(printf '00%.0s' {1..64})" --tlsa "$ee"

exits 0 "the whole line that generate prints is understood" verify --chain js.pem \
	--name js.b.example --tlsa "$(of --cert js.pem --host js.b.example --port 8003 --ttl 5)"

json=$(verify --chain c.pem --name x.example --tlsa "$ee" --json)
is "$(printf %s "$json" | python3 -c 'import json, sys
v = json.load(sys.stdin); print(v["authenticated"], v["depth"], v["records"][0]["matched"])')" \
	"True 0 True" "--json says the same"

exits 2 "a missing chain is bad input" verify --chain none.pem --name x.example --tlsa "$ee"
exits 2 "a key is no chain" verify --chain c-key.pem --name x.example --tlsa "$ee"
exits 2 "bad hex is bad input" verify --chain c.pem --name x.example --tlsa "3 1 1 xyz"
exits 2 "a record that is cut short is bad input" verify --chain c.pem --name x.example --tlsa "3 1"
exits 2 "no record is bad input" verify --chain c.pem --name x.example
exits 2 "a bad name is bad input" verify --chain c.pem --name a..b --tlsa "$ee"
exits 2 "a date that does not exist is bad input" verify --chain c.pem --name x.example \
	--tlsa "$ee" --at 2026-02-30
exits 2 "a missing store is bad input" verify --chain c.pem --name x.example --tlsa "$ee" --store none.pem
exits 2 "--as takes two words" verify --chain c.pem --name x.example --tlsa "$ee" --as peer
done_testing
