#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# tap - test lines for shell scripts: source it, call is/succeeds/fails..., end with done_testing.
#
#   scratch     a folder of this test, removed at its end with all in it
#   at_end CMD  runs at the end, also when the test is interrupted; last given, first run
#   exits N "what" CMD...   CMD exits N; its output is in $out (standard error included)
tap_n=0 tap_failed=0 tap_end=:
scratch=$(mktemp -d /tmp/sardane-test-XXXXXX)

tap_finish() { eval "$tap_end"; rm -rf "$scratch"; }
trap tap_finish EXIT
trap 'exit 130' INT TERM HUP
at_end() { tap_end="$*; $tap_end"; }

tap() { # OUTCOME WHAT [NOTE]
	tap_n=$((tap_n + 1))
	if [ "$1" = 0 ]; then
		echo "ok $tap_n - $2"
	else
		echo "not ok $tap_n - $2"
		tap_failed=1
		[ -z "${3-}" ] || printf '%s\n' "$3" | sed 's/^/# /'
	fi
}
is() { # GOT EXPECTED WHAT
	[ "$1" = "$2" ]
	tap $? "$3" "got '$1', not '$2'"
}
like() { # TEXT PATTERN WHAT
	printf '%s\n' "$1" | grep -qE -- "$2"
	tap $? "$3" "'$1' is not like '$2'"
}
exits() { # STATUS WHAT CMD...
	local expected=$1 what=$2 got
	shift 2
	out=$("$@" 2>&1)
	got=$?
	[ "$got" = "$expected" ]
	tap $? "$what" "exit $got, not $expected: $out"
}
done_testing() {
	echo "1..$tap_n"
	exit "$tap_failed"
}
