#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Updates of publish/ against a real knotd: prerequisites, all or nothing, words of refusal.
# usage: update.sh TAP_SH SARDANE UPDATEC; skipped without knotd and kdig
# shellcheck source=tests/lib/tap.sh
. "$1"
sardane=$2 updatec=$3
PATH=$PATH:/usr/sbin
for program in knotd kdig; do
	command -v $program >/dev/null || { echo "1..0 # SKIP $program is not installed"; exit 0; }
done
dir=$scratch/lab
at_end "'$sardane' lab down --dir '$dir' >/dev/null 2>&1"
"$sardane" lab up --dir "$dir" >/dev/null || exit 1
# shellcheck disable=SC1091
. "$dir/lab.env"
# shellcheck disable=SC2317
update() { "$updatec" "$LAB_DNS_PORT" "$LAB_TSIG" "$@"; }
text() { kdig "@$LAB_DNS_ADDRESS" -p "$LAB_DNS_PORT" +tcp +short "$1" TXT | sort | tr '\n' ' '; }

exits 0 "absent holds for a name that is not there" update a.example absent n.a.example TXT \
	add 'n.a.example. 5 TXT "one"'
exits 1 "absent fails for one that is" update a.example absent n.a.example TXT \
	add 'n.a.example. 5 TXT "two"'
like "$out" "YXRRSET: a record set exists that must not" "with its words"
is "$(text n.a.example)" '"one" ' "and changes nothing"
exits 0 "exists holds for one that is there" update a.example exists n.a.example TXT \
	delete n.a.example TXT add 'n.a.example. 5 TXT "three"' add 'n.a.example. 5 TXT "four"'
is "$(text n.a.example)" '"four" "three" ' "and all changes happen, in order"
exits 1 "exists fails for one that is not" update a.example exists m.a.example TXT \
	add 'm.a.example. 5 TXT "x"'
like "$out" "NXRRSET|NXDOMAIN" "with its words"
exits 1 "a zone elsewhere is not done" update elsewhere.org add 'x.elsewhere.org. 5 TXT "x"'
like "$out" "NOTAUTH" "not authoritative"
exits 1 "a name of another zone is not done" update a.example add 'x.b.example. 5 TXT "x"'
like "$out" "NOTZONE" "not in the zone"
exits 1 "one bad change of two undoes the other" update a.example add 'y.a.example. 5 TXT "y"' \
	add 'x.b.example. 5 TXT "x"'
is "$(text y.a.example)" "" "nothing happened"
exits 0 "a name is cleared" update a.example clear n.a.example
is "$(text n.a.example)" "" "and is gone"
done_testing
