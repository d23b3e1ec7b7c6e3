#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What a Network Server must refuse, from gateways, Join Servers and Application Servers.
# usage: refusals.sh TAP_SH WORLD_SH HERE POSTC SARDANE JOIND NETWORKD RESOLVERD; skipped without knotd
# shellcheck disable=SC1090,SC2034,SC2154
. "$1"
. "$2"
here=$3 postc=$4
PATH=$PATH:/usr/sbin:/sbin
command -v knotd >/dev/null || { echo "1..0 # SKIP no knotd"; exit 0; }
world "${@:5}"
tap $? "the lab is up" "$(cat "$scratch/lab.out")"

# A Join Server that answers wrongly, each time in another way.
mkfifo "$scratch/js.in"
exec {hold}<>"$scratch/js.in"
"$here/rogue_js.py" <"$scratch/js.in" >"$scratch/js.port" &
rogue=$!
at_end "kill $rogue 2>/dev/null; wait $rogue 2>/dev/null"
for _ in $(seq 600); do [ -s "$scratch/js.port" ] && break; sleep 0.1; done
cases=(good other-eui net-id-as-sender other-net-id other-transaction other-message refused no-frame
	wrapped short-key no-key no-json twice deep status-500 plain-as)
{
	echo "net_id: \"$A_NET_ID\""
	echo "database: $scratch/rogue.db"
	echo "semtech_udp: {bind: 127.0.0.1:0}"
	echo "join_server:"
	echo "  insecure_plain: true"
	echo "  servers:"
	for i in "${!cases[@]}"; do
		printf '    - {join_eui_prefix: %016x/64, server: "http://127.0.0.1:%s/%s"}\n' \
			$((i + 1)) "$(cat "$scratch/js.port")" "${cases[i]}"
	done
	echo "$resolver"
} >"$scratch/rogue.yaml"
start rogue "$networkd" -l debug
port=$(udp_port rogue)
"$here/rogue_js.py" ask "$port" "${cases[@]}"
outcome() { # N: the line that decided the N-th device
	printf -v eui '%016x' $((0x100 + $1))
	said rogue "join\.(accept|refused) .*dev_eui=$eui|join\.(accept|refused) dev_eui=$eui" || return
	grep -E "join\.(accept|refused) .*dev_eui=$eui|join\.(accept|refused) dev_eui=$eui" "$scratch/rogue.log" | tail -1
}
like "$(outcome 1)" 'join.accept' "a right JoinAns is taken"
like "$(outcome 2)" 'refused.*another JoinEUI' "a JoinAns of another JoinEUI is refused"
like "$(outcome 3)" 'refused.*another JoinEUI' "a JoinAns that names a NetID as its sender is refused"
like "$(outcome 4)" 'refused.*another NetID' "a JoinAns for another NetID is refused"
like "$(outcome 5)" 'refused.*another request' "a JoinAns to another request is refused"
like "$(outcome 6)" 'refused' "another message is refused"
like "$(outcome 7)" 'refused.*MICFailed' "what the Join Server refuses is refused"
like "$(outcome 8)" 'refused' "a JoinAns without a join-accept is refused"
like "$(outcome 9)" 'refused.*keys in clear' "a key under a KEK we do not have is refused"
like "$(outcome 10)" 'refused.*NwkSKey' "a key of 15 octets is refused"
like "$(outcome 11)" 'refused.*NwkSKey: missing' "a JoinAns without keys is refused"
like "$(outcome 12)" 'refused.*malformed' "an answer that is no JSON is refused"
like "$(outcome 13)" 'refused.*malformed' "an answer with SenderID twice is refused"
like "$(outcome 14)" 'refused.*malformed' "a deep answer is refused"
like "$(outcome 15)" 'refused.*HTTP status 500' "a success with HTTP status 500 is refused"
like "$(outcome 16)" 'join.accept' "a device whose Application Server has a plain URL joins"
like "$(grep 'join.application_server' "$scratch/rogue.log")" 'not https' "but nothing is sent there"
is "$(grep -c ' join\.accept ' "$scratch/rogue.log")" 2 "two sessions came of it all"

# Datagrams of every wrong kind.
exits 0 "malformed datagrams leave the server answering" "$here/datagrams.py" "$port" 3000
stop rogue
tap $? "and ending in order"
totals=$(grep -o 'totals.*' "$scratch/rogue.log")
like "$totals" 'malformed=[1-9][0-9]+' "they were counted as malformed"
like "$totals" " joins=${#cases[@]} " "none of them was a join"

# Replays and forged frames on a real session.
js_config
ns_config
cat >>"$scratch/ns.yaml" <<X
clients:
  - name: $A_AS_CLIENT_NAME
    as_id: $A_AS_HOST
X
"$sardane" simulate --write-devices "$scratch/dev.csv" --devices 1 --join-eui "$B_JOIN_EUI"
"$sardane" device import "$scratch/dev.csv" --config "$scratch/js.yaml" --net-id "$A_NET_ID" \
	--application-server "https://$B_AS_HOST:$B_AS_PORT" --as-id "$B_AS_HOST" >/dev/null
start js "$joind"
start ns "$networkd"
port=$(udp_port ns)
said js 'joind.ready'
simulate() {
	timeout 45 "$sardane" simulate --server "127.0.0.1:$port" --device-file "$scratch/dev.csv" \
		--state "$scratch/dev.state" "$@"
}
exits 0 "a device joins and speaks" simulate --uplinks 1 --confirmed
exits 0 "a replayed uplink is refused" simulate --fault replay-uplink --uplinks 2
exits 0 "an uplink with a wrong MIC is refused" simulate --fault bad-uplink-mic --uplinks 1
exits 0 "a replayed DevNonce is refused" simulate --fault replay-devnonce --timeout 3000
like "$(cat "$scratch/ns.log")" 'uplink.refused .*reason=(replayed|bad-mic)' "for its own reason"
exits 0 "and the device still joins" simulate --uplinks 1 --confirmed

# Application Servers: whose device, and who says so.
as_config() { # PREFIX [NAME]
	cat >"$scratch/as.yaml" <<X
client:
  tls_cert: $1.pem
  tls_key: $1-key.pem
${2:+  dane_client_name: $2}
$resolver
X
}
eui=$(sed -n 2p "$scratch/dev.csv" | cut -d, -f1)
post() { # SENDER FCNT [RECEIVER [PORT]]
	"$postc" "$scratch/as.yaml" "https://$A_NS_HOST:$A_NS_PORT/" 1 1 "{\"ProtocolVersion\":\"1.0\",\
\"SenderID\":\"$1\",\"ReceiverID\":\"${3:-$A_NET_ID}\",\"TransactionID\":1,\"MessageType\":\"XmitDataReq\",\
\"FRMPayload\":\"a1b2\",\"DLMetaData\":{\"DevEUI\":\"$eui\",\"FPort\":${4:-10},\"FCntDown\":$2,\
\"Confirmed\":false,\"ClassMode\":\"A\"}}" 2>&1
}
as_config "$B_AS_CLIENT" "$B_AS_CLIENT_NAME"
like "$(post "$B_AS_HOST" 4000000000)" 'XmitFailed.*"FCntDown":[0-9]+' "a counter far off is answered with the right one"
next=$(post "$B_AS_HOST" 4000000000 | grep -o '"FCntDown":[0-9]*' | cut -d: -f2)
like "$(post "$B_AS_HOST" "$next")" '"ResultCode":"Success"' "the device's own Application Server may send"
like "$(post "$B_AS_HOST" 0)" 'XmitFailed' "a used counter is refused"
like "$(post "$B_AS_HOST" $((next + 1)) 000024)" 'Unk?n?ownReceiver' "another NetID is refused"
like "$(post "$B_AS_HOST" $((next + 1)) "" 0)" 'InvalidFPort' "FPort 0 is refused"
like "$(post "$A_AS_HOST" $((next + 1)))" 'UnknownSender' "it may not speak for another AS-ID"
as_config "$A_AS_CLIENT" "$A_AS_CLIENT_NAME"
like "$(post "$B_AS_HOST" $((next + 1)))" 'UnknownSender' "another AS may not speak for its AS-ID"
like "$(post "$A_AS_HOST" $((next + 1)))" 'UnknownDevEUI' "and has no device of it"
as_config "$B_AS_CLIENT" ""
like "$(post "$B_AS_HOST" $((next + 1)))" 'failed' "without its name it is not let in"
as_config "$B_NS_CLIENT" "$B_NS_CLIENT_NAME"
like "$(post "$B_AS_HOST" $((next + 1)))" 'failed' "a name outside policy is not let in"
said ns "tls\.refuse .*peer=$B_NS_CLIENT_NAME"
is "$(grep -v ' debug ' "$scratch/ns.log" | grep -c "$B_NS_CLIENT_NAME")" 1 "which is told in one line"
like "$(cat "$scratch/ns.log")" 'downlink.refused .*reason=foreign' "the log says why"
is "$(grep -c ' downlink\.queued ' "$scratch/ns.log")" 1 "one downlink was queued"
done_testing
