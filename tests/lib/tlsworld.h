/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tlsworld - a real knotd with zones of every DNSSEC temper, for tests of handshakes.
 *
 *   example.            signed; the trust anchor
 *   plain.example.      provably unsigned
 *   bogus.example.      signed, but the DS in its parent is of another key
 *   expired.example.    its signatures ran out
 *   silent.example.     its server never answers
 *   broken.example.     its server fails (SERVFAIL)
 *
 *   Ownership  a folder of its own under /tmp; tlsworld_stop ends knotd by its pid and removes
 *              the folder. Failures abort: without the world there is no test.
 */
#ifndef TESTS_LIB_TLSWORLD_H
#define TESTS_LIB_TLSWORLD_H

#include "resolve/resolver.h"

struct tlsworld {
	char folder[64];
	char *zone[4]; /* lines of example, plain, bogus, expired */
	unsigned port; /* of knotd */
	int silent;    /* the socket that never answers */
	int pid;
	unsigned serial;
	char forward[32], mute[32], anchor[96];
	const char *forwards[2];
	struct resolver_stub stubs[3];
};

enum tlsworld_zone { TLSWORLD_SIGNED, TLSWORLD_PLAIN, TLSWORLD_BOGUS, TLSWORLD_EXPIRED };

void tlsworld_init(struct tlsworld *w);

/* A line of the zone, as in zone files, its owner relative to the zone. */
void tlsworld_add(struct tlsworld *w, enum tlsworld_zone zone, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void tlsworld_clear(struct tlsworld *w, enum tlsworld_zone zone);

void tlsworld_start(struct tlsworld *w);
void tlsworld_reload(struct tlsworld *w); /* example. again, with the lines there are now */
void tlsworld_stop(struct tlsworld *w);

/* What a validating resolver of this world needs; borrows from w. */
struct resolver_config tlsworld_resolver(struct tlsworld *w, const char *helper);

#endif
