#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Organisation A's Network Server takes a device of organisation B: the join over mutual DANE,
# uplinks, and what survives a restart.
# usage: join.sh TAP_SH WORLD_SH SARDANE JOIND NETWORKD RESOLVERD; skipped without knotd
# shellcheck disable=SC1090,SC2154
. "$1"
. "$2"
PATH=$PATH:/usr/sbin:/sbin
command -v knotd >/dev/null || { echo "1..0 # SKIP no knotd"; exit 0; }
world "${@:3}"
tap $? "the lab is up" "$(cat "$scratch/lab.out")"
js_config
ns_config
"$sardane" simulate --write-devices "$scratch/10.csv" --devices 3 --join-eui "$B_JOIN_EUI"
"$sardane" simulate --write-devices "$scratch/11.csv" --devices 2 --join-eui "$B_JOIN_EUI" \
	--dev-eui 70b3d57ed0001001 --lorawan-version 1.1.0
for csv in 10 11; do
	exits 0 "devices of LoRaWAN ${csv/1/1.} are added" "$sardane" device import "$scratch/$csv.csv" \
		--config "$scratch/js.yaml" --net-id "$A_NET_ID"
done
exits 0 "the configuration is good" "$networkd" --check --config "$scratch/ns.yaml"
start js "$joind"
start ns "$networkd"
port=$(udp_port ns)
said js 'joind.ready'
simulate() { timeout 45 "$sardane" simulate --server "127.0.0.1:$port" "$@"; }

exits 0 "three devices of 1.0.3 join and are acknowledged" simulate --device-file "$scratch/10.csv" \
	--gateways 2 --uplinks 1 --confirmed --link-check --device-time --net-id "$A_NET_ID"
like "$out" '3 joined' "the simulator says so"
exits 0 "two devices of 1.1 join and are acknowledged" simulate --device-file "$scratch/11.csv" \
	--state "$scratch/11.state" --gateways 2 --uplinks 1 --confirmed --link-check --device-time --net-id "$A_NET_ID"
log=$(cat "$scratch/ns.log")
like "$log" "message_type=JoinReq .*result_code=Success peer=\"js.b.example by _8003._tcp.js.b.example TLSA 3 1 1\"" \
	"the log tells whose TLSA proved the Join Server"
like "$log" 'reused=1' "the second join goes over the open connection"
like "$log" 'join.accept .*version=1.0' "a session of 1.0"
like "$log" 'join.accept .*version=1.1' "a session of 1.1"
for type in 0 1 2; do
	exits 0 "two devices rejoin by type $type and speak on" simulate --device-file "$scratch/11.csv" \
		--state "$scratch/11.state" --uplinks 1 --rejoin $type
done
like "$(cat "$scratch/js.log")" 'rejoin.accept dev_eui=' "the Join Server has seen rejoin-requests"
like "$(cat "$scratch/js.log")" "tls.accept peer=$A_NS_CLIENT_NAME .*how=dane" \
	"the Join Server tells whose TLSA proved us"

abp() { simulate --dev-eui 70b3d57ed00000aa --dev-addr 26000001 --nwk-s-key 2b7e151628aed2a6abf7158809cf4f3c \
	--app-s-key 00112233445566778899aabbccddeeff --interval 1500 --confirmed "$@"; }
exits 0 "a personalised device is acknowledged" abp --uplinks 2
kill -9 "$(pgrep -P "${running[ns]}")"
said ns 'resolver.lost'
said ns 'resolver.ready' 2
is "$(grep -c 'resolver.ready' "$scratch/ns.log")" 2 "resolverd is started again, inside the sandbox"
stop ns
tap $? "the Network Server ends in order" "$(tail -3 "$scratch/ns.log")"
start ns "$networkd"
port=$(udp_port ns)
like "$(grep networkd.ready "$scratch/ns.log")" 'sessions=6' "its sessions survive"
exits 1 "after a restart a used counter is still refused" abp --uplinks 1 --timeout 3000
like "$(cat "$scratch/ns.log")" 'uplink.refused .*reason=replayed|uplink.repeated' "as a replay"
exits 0 "and the next one taken" abp --uplinks 1 --f-cnt-up 2

kill -9 "${running[ns]}"
wait "${running[ns]}" 2>/dev/null
start ns "$networkd"
port=$(udp_port ns)
exits 1 "after kill -9 a used counter is refused too" abp --uplinks 1 --f-cnt-up 1 --timeout 3000
exits 0 "and the next one taken" abp --uplinks 1 --f-cnt-up 3
done_testing
