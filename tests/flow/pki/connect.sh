#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# sardane connect in the lab: proved both ways, and refused for each reason.
# usage: connect.sh TAP_SH SARDANE ECHOD; skipped without knotd
# shellcheck source=tests/lib/tap.sh
. "$1"
sardane=$2 echod=$3
PATH=$PATH:/usr/sbin
command -v knotd >/dev/null || { echo "1..0 # SKIP knotd is not installed"; exit 0; }
dir=$scratch/lab
at_end "'$sardane' lab down --dir '$dir' >/dev/null 2>&1"
"$sardane" lab up --dir "$dir" --ttl 1 >/dev/null || exit 1
# shellcheck disable=SC1091
. "$dir/lab.env"

cat >"$scratch/js.yaml" <<YAML
server:
  bind: $B_JS_ADDRESS:$B_JS_PORT
  tls_cert: $B_JS_SERVER.pem
  tls_key: $B_JS_SERVER-key.pem
clients:
  - name: $A_NS_CLIENT_NAME
resolver:
  file: $LAB_RESOLVER
YAML
exec 3< <(exec "$echod" "$scratch/js.yaml" 2>"$scratch/js.log")
js=$!
at_end "kill $js 2>/dev/null"
read -r -t 20 -u 3 line
is "$line" "port $B_JS_PORT" "B's server listens"

# shellcheck disable=SC2317
try() { # ARGS... ; called by exits
	"$sardane" connect "$@" --resolver "$LAB_RESOLVER" --wait 700
}
# Whether the server objects is heard as soon as it does, however slow the machine is.
# shellcheck disable=SC2317
refused() {
	"$sardane" connect "$@" --resolver "$LAB_RESOLVER" --wait 60000
}
a_ns=(--client-name "$A_NS_CLIENT_NAME" --cert "$A_NS_CLIENT.pem" --key "$A_NS_CLIENT-key.pem")
b_ns=(--client-name "$B_NS_CLIENT_NAME" --cert "$B_NS_CLIENT.pem" --key "$B_NS_CLIENT-key.pem")

exits 0 "A's NS and B's JS prove each other" try js.b.example:8003 "${a_ns[@]}"
like "$out" "ask +TLSA +_8003._tcp.js.b.example" "the TLSA question is told"
like "$out" "secure, 1 record, ttl 1 s" "with its DNSSEC status"
like "$out" "server proved: TLSA 3 1 1" "the server is proved by it"
like "$out" "the server raised no objection" "and takes us for who we are"
exits 0 "the JoinEUI leads to the same server" try --join-eui "$B_JOIN_EUI" \
	--suffix "$LAB_JOIN_EUI_SUFFIX" "${a_ns[@]}" --json
is "$(printf %s "$out" | python3 -c 'import json, sys
v = json.load(sys.stdin)
print(v["authenticated"], v["endpoints"][0]["host"], [q["type"] for q in v["questions"]][:2],
      v["dnssec"], v["usage"], v["client"], v["endpoints"][0]["tlsa"][0])')" \
	"True js.b.example ['NAPTR', 'SRV'] secure 3 no objection $("$sardane" tlsa generate \
	--cert "$B_JS_SERVER.pem")" "by NAPTR and SRV, in JSON too"
exits 1 "no client certificate is refused" refused js.b.example:8003
like "$out" "the server refused us: .*certificate required" "by the server"
exits 1 "a name outside the policy is refused" refused js.b.example:8003 "${b_ns[@]}"
like "$out" "server proved" "after we proved the server"
exits 1 "a certificate of another key is refused" refused js.b.example:8003 --client-name \
	"$A_NS_CLIENT_NAME" --cert "$B_NS_CLIENT.pem" --key "$B_NS_CLIENT-key.pem"
like "$out" "the server refused us: .*handshake failure" "with handshake_failure"

exits 1 "nobody there is refused" try ns.b.example:8000
like "$out" "port 8000: Connection refused" "with the reason"
exits 1 "an unsigned zone is refused" try js.unsigned.example:8003
like "$out" "insecure" "as insecure"
exits 1 "a bogus zone is refused" try js.bogus.example:8003
like "$out" "bogus, .*DS" "as bogus, with why"
exits 1 "a name that is not there is refused" try nope.b.example:8003
like "$out" "secure-denial" "as securely denied"

# the server's key changes in DNS: what it shows does not match any more
"$sardane" lab publish --dir "$dir" _8003._tcp.js.b.example TLSA \
	"$("$sardane" tlsa generate --cert "$A_JS_SERVER.pem")"
exits 1 "a server with another key is refused" try js.b.example:8003 "${a_ns[@]}"
like "$out" "not proved: .*no matching" "because nothing matches"
"$sardane" lab withdraw --dir "$dir" _8003._tcp.js.b.example TLSA
exits 1 "without TLSA it is refused" try js.b.example:8003 "${a_ns[@]}"
exits 1 "dane-or-pkix wants a known authority then" try js.b.example:8003 "${a_ns[@]}" \
	--mode dane-or-pkix --store "$dir/a/root/ca.pem"
"$sardane" lab publish --dir "$dir" _8003._tcp.js.b.example TLSA \
	"$("$sardane" tlsa generate --cert "$B_JS_SERVER.pem")"
exits 0 "published again it is proved again" try js.b.example:8003 "${a_ns[@]}"
"$sardane" lab withdraw --dir "$dir" "$A_NS_CLIENT_NAME" TLSA

exits 2 "a port is needed" try js.b.example
exits 2 "a port is a number" try js.b.example:https
exits 2 "a host is a name" try "a b:1"
exits 2 "a certificate needs its key" try js.b.example:8003 --cert "$A_NS_CLIENT.pem"
exits 2 "a client name needs a certificate" try js.b.example:8003 --client-name x.example
exits 2 "a JoinEUI needs its suffix" try --join-eui "$B_JOIN_EUI"
exits 2 "a JoinEUI has 16 digits" try --join-eui 12 --suffix x.example
exits 2 "a missing file is bad input" try js.b.example:8003 --client-name x.example \
	--cert "$scratch/none.pem" --key "$scratch/none.pem"
like "$out" "none.pem" "by its name"
exits 2 "a missing resolver file too" "$sardane" connect js.b.example:8003 --resolver "$scratch/none"
# until the TTL is over the old answer holds; an open connection may be ended at that moment
for _ in {1..60}; do
	out=$(try js.b.example:8003 "${a_ns[@]}")
	[[ $out == *"handshake failure"* ]] && break
done
like "$out" "the server refused us: .*handshake failure" \
	"a client whose TLSA was withdrawn is refused, once its TTL is over"
like "$(cat "$scratch/js.log")" "tls.accept peer=$A_NS_CLIENT_NAME" "the server's log knows who came"
like "$(cat "$scratch/js.log")" "refusal=no-tlsa" "and why it was refused then"
done_testing
