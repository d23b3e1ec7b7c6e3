# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034,SC2154
# world - a lab with organisation A's Network Server and B's Join Server; source it after tap.sh.
#
#   world SARDANE JOIND NETWORKD RESOLVERD   sets dir, the lab's variables, and the functions:
#   start NAME PROGRAM [ARGS]   runs it with $scratch/NAME.yaml, log in $scratch/NAME.log
#   stop NAME                   ends it and waits
#   said NAME PATTERN [TIMES]   waits up to 60 s for so many such lines of its log
#   udp_port NAME               of a Network Server that listens on any port

world() {
	sardane=$1 joind=$2 networkd=$3
	dir=$scratch/lab
	at_end "'$sardane' lab down --dir '$dir' >/dev/null 2>&1"
	"$sardane" lab up --dir "$dir" --ttl 5 >"$scratch/lab.out" 2>&1 || return 1
	# shellcheck disable=SC1091
	. "$dir/lab.env"
	resolver="resolver:
  helper: $4
  deadline_ms: 4000
  trust_anchor_file: $LAB_ANCHOR
  forward: [\"$LAB_DNS_ADDRESS@$LAB_DNS_PORT\"]"
	declare -gA running=()
	at_end stop_all
}

start() {
	local name=$1
	shift
	"$@" --config "$scratch/$name.yaml" 2>"$scratch/$name.log" &
	running[$name]=$!
}

stop() {
	[ -n "${running[$1]-}" ] || return 0
	kill "${running[$1]}" 2>/dev/null
	wait "${running[$1]}"
	local status=$?
	unset "running[$1]"
	return $status
}

stop_all() {
	local name
	for name in "${!running[@]}"; do stop "$name"; done
}

said() {
	for _ in $(seq 600); do
		[ "$(grep -cE -- "$2" "$scratch/$1.log" 2>/dev/null)" -ge "${3-1}" ] && return 0
		sleep 0.1
	done
	return 1
}

# The last one: the log of a program started again goes on in a new file.
udp_port() {
	said "$1" 'networkd.ready' || return 1
	grep 'networkd.ready' "$scratch/$1.log" | tail -1 | sed 's/.* port=\([0-9]*\) .*/\1/'
}

js_config() {
	cat >"$scratch/js.yaml" <<X
database: $scratch/js.db
join_server:
  bind: $B_JS_ADDRESS:$B_JS_PORT
  tls_cert: $B_JS_SERVER.pem
  tls_key: $B_JS_SERVER-key.pem
clients:
  - name: $A_NS_CLIENT_NAME
    net_id: "$A_NET_ID"
  - name: $B_AS_CLIENT_NAME
    as_id: $B_AS_HOST
$resolver
X
}

ns_config() {
	cat >"$scratch/ns.yaml" <<X
net_id: "$A_NET_ID"
database: $scratch/ns.db
semtech_udp:
  bind: 127.0.0.1:0
network:
  device_status_interval: 0s
join_server:
  tls_cert: $A_NS_CLIENT.pem
  tls_key: $A_NS_CLIENT-key.pem
  dane_client_name: $A_NS_CLIENT_NAME
  resolve_join_eui_domain_suffix: $LAB_JOIN_EUI_SUFFIX
api:
  bind: $A_NS_ADDRESS:$A_NS_PORT
  tls_cert: $A_NS_SERVER.pem
  tls_key: $A_NS_SERVER-key.pem
devices:
  - dev_eui: 70b3d57ed00000aa
    dev_addr: 26000001
    nwk_s_key: 2b7e151628aed2a6abf7158809cf4f3c
$resolver
X
}
