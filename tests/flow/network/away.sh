#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# An Application Server that is away when the uplinks come gets them when it is back,
# decrypted, and each once.
# usage: away.sh TAP_SH WORLD_SH SARDANE JOIND NETWORKD RESOLVERD APPLICATIOND; skipped without knotd
# shellcheck disable=SC1090,SC2154
. "$1"
. "$2"
PATH=$PATH:/usr/sbin:/sbin
command -v knotd >/dev/null || { echo "1..0 # SKIP no knotd"; exit 0; }
world "${@:3}"
tap $? "the lab is up" "$(cat "$scratch/lab.out")"
applicationd=$7
js_config
ns_config
mkdir "$scratch/as"
cat >"$scratch/as.yaml" <<X
as_id: $B_AS_HOST
database: $scratch/as/as.db
events: $scratch/as/events.jsonl
command_socket: $scratch/as/command.sock
sandbox: false
backend_interfaces:
  bind: $B_AS_ADDRESS:$B_AS_PORT
  tls_cert: $B_AS_SERVER.pem
  tls_key: $B_AS_SERVER-key.pem
clients:
  - name: $A_NS_CLIENT_NAME
    net_id: "$A_NET_ID"
join_server:
  tls_cert: $B_AS_CLIENT.pem
  tls_key: $B_AS_CLIENT-key.pem
  dane_client_name: $B_AS_CLIENT_NAME
  resolve_join_eui_domain_suffix: $LAB_JOIN_EUI_SUFFIX
applications:
  - id: one
    name: one
    accept_unknown: true
$resolver
X
"$sardane" simulate --write-devices "$scratch/dev.csv" --devices 3 --join-eui "$B_JOIN_EUI"
"$sardane" device import "$scratch/dev.csv" --config "$scratch/js.yaml" --net-id "$A_NET_ID" \
	--application-server "https://$B_AS_HOST:$B_AS_PORT" --as-id "$B_AS_HOST" >/dev/null
start js "$joind"
start ns "$networkd"
port=$(udp_port ns)
said js 'joind.ready'
exits 0 "three devices speak while the Application Server is away" timeout 60 "$sardane" simulate \
	--server "127.0.0.1:$port" --device-file "$scratch/dev.csv" --uplinks 2 --rate 0 --net-id "$A_NET_ID"
said ns 'uplink\.taken .*f_port=1 ' 6
sent=$(grep -c 'uplink\.taken .*f_port=1 ' "$scratch/ns.log")
said ns 'XmitDataReq .*result_code=Other .*connect'
tap $? "the log says that nobody answers"
[ ! -s "$scratch/as/events.jsonl" ]
tap $? "nothing has arrived"
kill -9 "${running[ns]}"
wait "${running[ns]}" 2>/dev/null
start ns "$networkd"
said ns 'handover\.restored messages='
tap $? "a Network Server that was killed knows what it has to hand over"
start as "$applicationd"
for _ in $(seq 600); do
	[ "$(grep -c '"event":"up"' "$scratch/as/events.jsonl" 2>/dev/null)" = "$sent" ] && break
	sleep 0.1
done
is "$(grep -c '"event":"up"' "$scratch/as/events.jsonl")" "$sent" "all of them arrive when it is back"
is "$(grep '"event":"up"' "$scratch/as/events.jsonl" | grep -c '"data":"SGVsbG8="')" "$sent" "decrypted"
python3 - "$scratch/as/events.jsonl" <<'X'
import json, sys
seen = {}
for line in open(sys.argv[1]):
    e = json.loads(line)
    if e["event"] == "up":
        seen.setdefault(e["deviceInfo"]["devEui"], []).append(e["fCnt"])
assert all(v == sorted(set(v)) for v in seen.values()), seen
X
tap $? "each once, in order"
! grep -q 'handover\.dropped' "$scratch/ns.log"
tap $? "none was dropped"
stop ns
tap $? "the Network Server ends in order"
is "$(python3 -c 'import sqlite3, sys; print(*sqlite3.connect(sys.argv[1]).execute("SELECT count(*) FROM waiting").fetchone())' \
	"$scratch/ns.db")" 0 "and keeps nothing that was handed over"
done_testing
