/* SPDX-License-Identifier: Apache-2.0 */
/*
 * signature - is one RRset signed by a key of its zone, at one moment, and until when?
 *
 *   Source     RFC 4034 section 3, RFC 4035 section 5.3, RFC 6840 section 5.4 (any good signature
 *              is enough), RFC 8624 (algorithms).
 *   Time       seconds since 1970, given; RRSIG times are read around it (RFC 1982).
 *   Ownership  borrows records; struct signature_verdict is a value.
 *   Bounds     SIGNATURE_MAX signatures of a set are tried, against SIGNATURE_TRIES_MAX keys in
 *              all: more of either than anyone needs is somebody wearing us out.
 */
#ifndef TRACE_SIGNATURE_H
#define TRACE_SIGNATURE_H

#include "dns/name.h"

#include <ldns/ldns.h>

#define SIGNATURE_MAX       8
#define SIGNATURE_TRIES_MAX 16

enum signature_state {
	SIGNATURE_GOOD,
	SIGNATURE_EXPIRED,
	SIGNATURE_EARLY,   /* its inception is still to come */
	SIGNATURE_KEYLESS, /* the zone has no key with its tag and algorithm */
	SIGNATURE_FOREIGN, /* its signer is not the zone */
	SIGNATURE_UNKNOWN, /* its algorithm */
	SIGNATURE_WRONG,   /* the octets do not verify */
};

struct signature {
	enum signature_state state;
	uint16_t tag;
	uint8_t algorithm;
	uint8_t labels;
	int64_t inception, expiration;
};

struct signature_verdict {
	bool good;
	int64_t until;  /* when good: the latest expiration among the good ones */
	uint8_t labels; /* of that one; fewer than the owner has: a wildcard was expanded */
	size_t count;
	struct signature sig[SIGNATURE_MAX];
	char why[120]; /* when not good */
};

/* The records of owner and type in a section, as a list of its own that borrows the records:
 * ldns_rr_list_free. NULL: there are none, or no memory. */
ldns_rr_list *signature_rrset(const ldns_rr_list *section, const struct name *owner, uint16_t type);

/* rrset is not empty; its signatures are looked for in section. */
void signature_judge(const ldns_rr_list *rrset, const ldns_rr_list *section,
	const ldns_rr_list *keys, const struct name *zone, int64_t now,
	struct signature_verdict *out);

/* True when a signature over this many labels stands for an owner made from a wildcard. The "*"
 * of a wildcard itself is not counted: RFC 4034 section 3.1.3. */
bool signature_is_expanded(uint8_t labels, const struct name *owner);

bool signature_knows_algorithm(uint8_t algorithm);
const char *signature_state_word(enum signature_state state);

/* "ECDSAP256SHA256", or "algorithm 123". */
void signature_algorithm_text(uint8_t algorithm, char *out, size_t cap);

/* "2026-12-01 10:00:00 UTC" */
#define SIGNATURE_TIME_MAX 40
void signature_time_text(int64_t at, char out[SIGNATURE_TIME_MAX]);

#endif
