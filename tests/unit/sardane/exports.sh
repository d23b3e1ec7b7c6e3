#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Both libraries show sardane_* and nothing else, and every function the headers declare.
# usage: exports.sh LIBRARY.so LIBRARY.a HEADER_FOLDER
shared=$(nm -D --defined-only "$1" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' | sort)
static=$(nm -g --defined-only "$2" 2>/dev/null | awk 'NF == 3 { print $3 }' | sort)
declared=$(grep -oh 'sardane_[a-z0-9_]*(' "$3"/*.h | tr -d '(' | sort -u)
echo 1..3
n=0
report() {
	n=$((n + 1))
	if [ -z "$2" ]; then
		echo "ok $n - $1"
	else
		echo "not ok $n - $1"
		echo "$2" | sed 's/^/# /'
	fi
}
report "nothing_but_sardane_is_visible" "$(printf '%s\n' "$shared" "$static" | grep -v '^sardane_')"
report "both_libraries_show_the_same" "$([ "$shared" = "$static" ] || echo "they differ")"
report "every_declared_function_is_there" \
	"$(echo "$declared" | while read -r f; do echo "$shared" | grep -qx "$f" || echo "$f"; done)"
