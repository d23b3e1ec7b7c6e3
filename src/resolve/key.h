/* SPDX-License-Identifier: Apache-2.0 */
/*
 * key - a question as the tables know it: lower-case name, type, and a hash of both.
 *
 *   Source     RFC 4343 (names match without case); SipHash-2-4 (Aumasson, Bernstein 2012).
 *   Safety     strangers choose the names we ask for, so the hash is keyed by a secret seed:
 *              nobody can aim all names at one bucket.
 */
#ifndef RESOLVE_KEY_H
#define RESOLVE_KEY_H

#include "resolve/answer.h"

struct key_seed {
	uint64_t k0, k1;
};

struct key {
	struct name name; /* lower case */
	uint16_t type;
	uint64_t hash;
};

void key_of(const struct key_seed *seed, const struct question *q, struct key *out);
uint64_t key_hash(const struct key_seed *seed, struct span octets);

#endif
