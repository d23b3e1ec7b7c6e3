# SPDX-License-Identifier: Apache-2.0
# The door for people. The build itself is meson; every line here is one you could type.
#   make demo    the experiment as a story          make check   everything CI runs
#   make         build                              make lint    the style suite alone
#   make asan    tests under sanitizers             make fuzz    every parser, a minute in all
#   make bench   figures, as ratios                 make fmt     format the sources
#   make bench-pki   of them, what a PKI in DNS costs: a fleet of 100,000, issuing, a trace
#   make bench-proxy     our proxy beside nginx, haproxy, hitch and stunnel
#   make prove-attacks   each defence taken out in turn: does its test fail?
#   make prove-zones     broken zones: our verdict beside those of delv, drill and dnsviz
#   make package         Debian packages, looked at by lintian
#   make prove-proxy     the proxy under floods, without descriptors, through reloads and a day
#   make prove-rollover  50 rollovers under load, the tool killed at random: is anybody locked out?
DESTDIR ?=

all: build/build.ninja
	ninja -C build
build/build.ninja:
	scripts/setup build
	meson setup build
demo: ; scripts/demo
check: ; scripts/check
lint: all ; scripts/check lint
asan: ; scripts/check asan
fuzz: ; scripts/check fuzz
bench: ; scripts/bench
bench-pki: ; scripts/bench pki
bench-proxy: ; scripts/bench-proxy
prove-attacks: ; scripts/prove-attacks --jobs 2
prove-zones: all ; scripts/setup prove && scripts/prove-zones
prove-proxy: ; scripts/prove-proxy
prove-rollover: all ; scripts/prove-rollover
package: all ; scripts/setup package && scripts/package
install: all ; DESTDIR=$(DESTDIR) meson install -C build --no-rebuild
fmt: ; git ls-files '*.c' '*.h' | xargs clang-format -i
clean: ; rm -rf build build-*
.PHONY: package all demo check lint asan fuzz bench bench-pki bench-proxy prove-attacks prove-zones prove-rollover \
	prove-proxy install fmt clean
