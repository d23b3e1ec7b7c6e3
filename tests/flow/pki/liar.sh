#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# An update is done only when an answer signed with our key says so.  usage: liar.sh TAP_SH SARDANE
# shellcheck source=tests/lib/tap.sh
. "$1"
sardane=$2
here=$(dirname "$0")
mkdir -m 700 "$scratch/lab"
echo "hmac-sha256:sardane-lab:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=" >"$scratch/lab/tsig.key"
chmod 600 "$scratch/lab/tsig.key"

publish() { # PORT
	printf 'port: %s\nttl: 5\nns_port: 1\njs_port: 2\nas_port: 3\n' "$1" >"$scratch/lab/lab.yaml"
	exits 2 "$2" "$sardane" lab publish --dir "$scratch/lab" x.a.example A 127.0.0.1
	like "$out" "$3" "and the words say why"
}
against() { # LIE WHAT PATTERN
	exec 3< <(exec "$here/liar.py" "$1")
	local pid=$! port
	at_end "kill $pid 2>/dev/null"
	read -r -t 20 -u 3 port
	publish "$port" "$2" "$3"
	kill $pid
	exec 3<&-
}

against unsigned "NOERROR without a signature is no success" "not signed with our TSIG key"
against other-id "an answer to something else is none" "answers something else"
against question "a question is no answer" "answers something else"
against garbage "octets that are no message are none" "does not parse|something else"
against cut "an answer cut short is none" "ended early|no answer"
against silent "silence ends" "no answer within 5000 ms"
publish 1 "nobody there is said" "Connection refused"
done_testing
