#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# sardane lab: a signed world comes up, changes, and goes without a trace.
# usage: lab.sh TAP_SH SARDANE; skipped without knotd, kdig and delv
# shellcheck source=tests/lib/tap.sh
. "$1"
sardane=$2
PATH=$PATH:/usr/sbin
for program in knotd kdig delv; do
	command -v $program >/dev/null || { echo "1..0 # SKIP $program is not installed"; exit 0; }
done
dir=$scratch/lab
at_end "'$sardane' lab down --dir '$dir' >/dev/null 2>&1"
lab() { "$sardane" lab "$@" --dir "$dir"; }
runs() { # PID: a process that is not a zombie
	[ -r "/proc/$1/stat" ] && ! grep -q ') Z ' "/proc/$1/stat"
}

exits 1 "status says that nothing runs" lab status
exits 1 "down says that there is nothing" lab down
exits 0 "up" lab up --ttl 1
# shellcheck disable=SC1091
. "$dir/lab.env"
pid=$(cat "$dir/knotd.pid")
is "$(stat -c %a "$dir" "$dir/tsig.key" "$dir/knot.conf" | tr '\n' ' ')" "700 600 600 " "it is private"
exits 1 "up again says it is up already" lab up
exits 2 "a busy port is refused" "$sardane" lab up --dir "$scratch/other" --port "$LAB_DNS_PORT"
like "$out" "port $LAB_DNS_PORT on 127.0.0.1: Address already in use" "by its number"
is "$([ -e "$scratch/other" ] && echo there)" "" "and leaves nothing"
exits 0 "status says that it runs" lab status
is "$(lab status --json | python3 -c 'import json, sys
v = json.load(sys.stdin); print(v["running"], v["organisations"]["b"]["js"]["host"])')" \
	"True js.b.example" "--json says the same"

ask() { kdig "@$LAB_DNS_ADDRESS" -p "$LAB_DNS_PORT" +tcp "$@"; }
proved() { delv "@$LAB_DNS_ADDRESS" -p "$LAB_DNS_PORT" -a "$dir/delv.key" +root=. "$@" 2>&1; }
for org in a b; do
	for role in ns js as; do
		like "$(proved $role.$org.example A)" "fully validated" "$role.$org.example is signed"
		for end in server client; do
			case $role$end in
			nsserver) owner=_8000._tcp.ns ;;
			jsserver) owner=_8003._tcp.js ;;
			asserver) owner=_8005._tcp.as ;;
			*) owner=_$role-client.$role ;;
			esac
			file=$dir/$org/$role-$end.pem
			is "$(ask +short $owner.$org.example TLSA | tr A-F a-f)" \
				"$("$sardane" tlsa generate --cert "$file")" "$owner.$org.example has its TLSA"
		done
		exits 0 "openssl verifies $role-client of $org" openssl verify -purpose sslclient \
			-CAfile "$dir/$org/root/ca.pem" -untrusted "$dir/$org/$role-client-combined.pem" \
			"$dir/$org/$role-client.pem"
	done
done
is "$(cmp -s "$dir/a/root/ca.pem" "$dir/b/root/ca.pem"; echo $?)" 1 "the roots are two"
like "$(proved f.2.0.0.0.0.0.0.0.1.e.5.0.0.0.0.joineuis.iot-registry.example NAPTR)" \
	'fully validated' "the JoinEUI name is signed"
like "$(ask +short f.2.0.0.0.0.0.0.0.1.e.5.0.0.0.0.joineuis.iot-registry.example NAPTR)" \
	'"LWNS" "" _lwns._tcp.js.b.example.' "and leads to the Join Server"
is "$(ask +short _lwns._tcp.js.b.example SRV)" "0 0 8003 js.b.example." "by its SRV record"
like "$(proved 000013.netids.iot-registry.example CNAME)" "ns.a.example" "the NetID name leads to the NS"
like "$(proved nothing.a.example A)" "negative response, fully validated" "denials are signed"
like "$(proved unsigned.example SOA)" "unsigned answer" "unsigned.example is not signed"
like "$(proved bogus.example SOA)" "broken trust chain" "bogus.example is bogus"

exits 0 "a second lab stands beside it" "$sardane" lab up --dir "$scratch/two"
second=$(sed -n 's/^B_JS_ADDRESS=//p' "$scratch/two/lab.env")
is "$([ "$second" != "$B_JS_ADDRESS" ] && echo apart)" "apart" "and its hosts have other addresses"
exits 0 "it goes alone" "$sardane" lab down --dir "$scratch/two"
exits 0 "and the first one still runs" lab status

exits 0 "a record is published" lab publish new.a.example TXT '"one"'
exits 0 "another in its place" lab publish new.a.example TXT '"two"'
is "$(ask +short new.a.example TXT)" '"two"' "replaces it"
exits 0 "one beside it" lab publish new.a.example TXT '"three"' --add --ttl 7
is "$(ask +short new.a.example TXT | sort | tr '\n' ' ')" '"three" "two" ' "stands beside it"
like "$(proved new.a.example TXT)" "fully validated" "and both are signed"
exits 0 "a type is withdrawn" lab withdraw _ns-client.ns.a.example TLSA
like "$(proved _ns-client.ns.a.example TLSA)" "negative response, fully validated" "and securely denied"
exits 0 "a name is withdrawn" lab withdraw new.a.example
like "$(ask new.a.example TXT)" "NXDOMAIN" "and gone"
exits 2 "a bad record is refused" lab publish x.a.example A 300.0.0.1
exits 2 "an unknown type is refused" lab publish x.a.example NOPE 1
exits 2 "a bad name is refused" lab publish a..b A 127.0.0.1
sed 's/:[^:]*$/:MDEyMzQ1Njc4OWFiY2RlZg==/' "$dir/tsig.key" >"$scratch/other.key"
cat "$dir/tsig.key" >"$scratch/good.key"
cat "$scratch/other.key" >"$dir/tsig.key"
exits 2 "another TSIG secret is refused" lab publish x.a.example A 127.0.0.1
like "$out" "BADSIG" "with BADSIG"
sed -i 's/:sardane-lab:/:someone-else:/' "$dir/tsig.key"
exits 2 "another TSIG name is refused" lab publish x.a.example A 127.0.0.1
like "$out" "BADKEY|NOTAUTH" "with BADKEY, or, by Knot 3.4, with no word more than NOTAUTH"
cat "$scratch/good.key" >"$dir/tsig.key"

cp "$dir/lab.yaml" "$scratch"
exits 0 "down" lab down
is "$([ -e "$dir" ] && echo there)" "" "the folder is gone"
is "$(runs "$pid" && echo runs)" "" "knotd is gone"

exits 2 "a port that does not exist is refused" "$sardane" lab up --dir "$dir" --port 70000
mkdir "$scratch/full" && : >"$scratch/full/mine"
exits 2 "a folder with something in it is refused" "$sardane" lab up --dir "$scratch/full"
is "$(ls "$scratch/full")" "mine" "and left alone"
exits 1 "and never removed by down" "$sardane" lab down --dir "$scratch/full"
is "$(ls "$scratch/full")" "mine" "it is still there"
mkdir -m 777 "$scratch/open" && cp "$scratch/lab.yaml" "$scratch/open/lab.yaml" && : >"$scratch/open/mine"
exits 1 "a lab that others could have made is none of ours" "$sardane" lab down --dir "$scratch/open"
is "$(find "$scratch/open" -type f | wc -l)" 2 "and nothing in it is removed"
ln -s "$scratch/full" "$scratch/link"
exits 2 "a link is not followed" "$sardane" lab up --dir "$scratch/link"
exits 2 "a path too long for a socket is refused" "$sardane" lab up --dir "$scratch/$(printf 'x%.0s' {1..90})"

if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	chmod 711 "$scratch"
	mkdir -m 755 "$scratch/bin" && mkdir "$scratch/any" && chown 65534 "$scratch/any"
	install -m 755 "$sardane" "$scratch/bin/sardane"
	# shellcheck disable=SC2317
	as_nobody() { # ARGS... ; called by exits
		setpriv --reuid 65534 --regid 65534 --clear-groups "$scratch/bin/sardane" "$@"
	}
	exits 0 "any user may bring it up" as_nobody lab up --dir "$scratch/any/lab"
	is "$(stat -c %u "$scratch/any/lab/knotd.pid")" 65534 "knotd runs as that user"
	exits 1 "it is none of root's" "$sardane" lab down --dir "$scratch/any/lab"
	exits 0 "and down again" as_nobody lab down --dir "$scratch/any/lab"
fi

for after in 0.02 0.1 0.2 0.4; do
	timeout -s INT --preserve-status $after "$sardane" lab up --dir "$dir" >/dev/null 2>&1
	[ -e "$dir" ] && "$sardane" lab status --dir "$dir" >/dev/null && lab down
	is "$([ -e "$dir" ] && echo there)" "" "interrupted after $after s it leaves nothing"
done
done_testing
