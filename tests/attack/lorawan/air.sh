#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What anyone with a radio can send to a network: each is refused, and honest devices still pass.
# usage: air.sh TAP_SH WORLD_SH SARDANE JOIND NETWORKD RESOLVERD; skipped without knotd
# shellcheck disable=SC1090,SC2154
. "$1"
. "$2"
PATH=$PATH:/usr/sbin:/sbin
command -v knotd >/dev/null || { echo "1..0 # SKIP no knotd"; exit 0; }
world "${@:3}"
tap $? "the lab is up" "$(cat "$scratch/lab.out")"
js_config
ns_config
for version in 1.0.3 1.0.4 1.1.0; do
	"$sardane" simulate --write-devices "$scratch/$version.csv" --devices 2 \
		--join-eui "$B_JOIN_EUI" --dev-eui "70b3d5${version//./}0000001" --lorawan-version $version
	exits 0 "devices of $version are provisioned" "$sardane" device import "$scratch/$version.csv" \
		--config "$scratch/js.yaml" --net-id "$A_NET_ID"
done
start js "$joind"
start ns "$networkd"
port=$(udp_port ns)
said js 'joind.ready'

# attack VERSION OPTION...: the simulator demands a refusal
attack() {
	local version=$1
	shift
	timeout 60 "$sardane" simulate --server "127.0.0.1:$port" --device-file "$scratch/$version.csv" \
		--gateways 2 --state "$scratch/$version.state" --rate 0 --interval 100 --timeout 1000 \
		--net-id "$A_NET_ID" "$@"
}
# database VERSION: what the Join Server knows of the devices
database() {
	for device in $(tail -n +2 "$scratch/$1.csv" | cut -d, -f1); do
		"$sardane" device show "$device" --config "$scratch/js.yaml"
	done
}

for version in 1.0.3 1.0.4 1.1.0; do
	exits 0 "devices of $version join and speak" attack $version --confirmed
	like "$out" '2 joined, 0 refused as they should be, 0 failed' "both of $version"
	before=$(database $version)
	for fault in bad-mic wrong-key unknown-device; do
		exits 0 "$version: $fault is refused" attack $version --fault $fault
		like "$out" '0 joined, 2 refused' "$version: $fault, both times"
	done
	is "$(database $version)" "$before" "$version: refused joins change nothing in the database"
	faults="replay-devnonce reuse-devnonce"
	[ $version = 1.0.3 ] || faults="$faults old-devnonce"
	for fault in $faults; do
		exits 0 "$version: $fault is refused" attack $version --fault "$fault" --confirmed
		like "$out" '2 joined, 2 refused' "$version: $fault: and the good session lives on"
	done
	exits 0 "$version: an uplink with a wrong MIC is not acknowledged" \
		attack $version --fault bad-uplink-mic --confirmed
	[ $version = 1.0.3 ] && continue
	taken=$(grep -c 'uplink.taken' "$scratch/ns.log")
	exits 0 "$version: repeated uplinks do no harm" \
		attack $version --fault replay-uplink --interval 1200 --uplinks 2
	said ns 'uplink.taken' $((taken + 4))
	is "$(grep -c 'uplink.taken' "$scratch/ns.log")" $((taken + 4)) \
		"$version: a repeated uplink is taken once"
	exits 0 "$version: garbage does not keep devices from joining" \
		attack $version --fault malformed --confirmed
done
stop ns
tap $? "the Network Server is still there to end" "$(tail -3 "$scratch/ns.log")"
stop js
tap $? "and the Join Server too" "$(tail -3 "$scratch/js.log")"
done_testing
