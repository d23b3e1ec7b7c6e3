#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# kill -9 at every system call that makes something durable: what is on the disk afterwards and
# what the ledger and the log say agree.  usage: kill.sh TAP_SH SARDANE; skipped without strace
# shellcheck source=tests/lib/tap.sh
. "$1"
sardane=$2
cd "$scratch" || exit 1
strace -e trace=none true 2>/dev/null || { echo "1..0 # SKIP strace cannot trace here"; exit 0; }
"$sardane" ca init root --name Root >/dev/null

serial() { openssl x509 -in "$1" -noout -serial | cut -d= -f2 | tr A-F a-f; }
# Each certificate that is on the disk is in the ledger, valid, with the key that fits and all files.
agree() { # FILES...
	local file base status
	for file in "$@"; do
		base=${file%.pem}
		case $base in *-key | *-chain | *-combined) continue ;; esac
		[ -e "$file" ] || continue
		[ "$(openssl pkey -in "$base-key.pem" -pubout)" = "$(openssl x509 -in "$file" -noout -pubkey)" ] ||
			{ echo "$file: its key does not fit"; return 1; }
		{ [ -e "$base-chain.pem" ] && [ -e "$base-combined.pem" ]; } || { echo "$file: alone"; return 1; }
		status=$("$sardane" cert show "$(serial "$file")" --ca root | sed -n 's/^status *//p')
		[ "$status" = valid ] || { echo "$file: is '$status'"; return 1; }
	done
}

for call in fsync fdatasync renameat2 rename; do
	killed=0
	for n in $(seq 1 40); do
		strace -f -o /dev/null -e trace=$call -e inject=$call:signal=KILL:when="$n" \
			"$sardane" cert issue --ca root --dns "n$n.example" --out "leaf-$call-$n" >/dev/null 2>&1 && break
		killed=$((killed + 1))
	done
	[ $killed -gt 0 ] || continue
	exits 0 "after $killed kills at $call the next one mends" "$sardane" cert issue --ca root --dns after.example \
		--out "leaf-after-$call"
	exits 0 "files, keys and ledger agree" agree leaf-$call-*.pem leaf-after-$call.pem
	exits 0 "the log is whole" "$sardane" audit verify --state root
	is "$("$sardane" cert list --ca root --json | grep -c unfinished)" 0 "nothing is unfinished"
done
acts=$("$sardane" audit show --state root)
like "$acts" "cert.lost" "what had no key yet was lost, and told"
like "$acts" "cert.complete" "what had its key was completed, and told"
# renewal with a new key: the worst moment is between key and certificate
"$sardane" cert issue --ca root --dns r.example --out leaf-r >/dev/null
for n in $(seq 1 40); do
	strace -f -o /dev/null -e trace=rename -e inject=rename:signal=KILL:when="$n" \
		"$sardane" cert renew leaf-r --ca root --new-key >/dev/null 2>&1 && break
	"$sardane" cert issue --ca root --dns m.example --out leaf-m --force >/dev/null
	agree leaf-r.pem >why || { tap 1 "a renewal killed at rename $n" "$(cat why)"; break; }
done
exits 0 "a renewal killed anywhere leaves a pair that fits, once mended" agree leaf-r.pem
exits 0 "and a log that is whole" "$sardane" audit verify --state root
done_testing
