/* SPDX-License-Identifier: Apache-2.0 */
/*
 * answer - what DNS said to one question, and how far that may be believed.
 *
 *   Source     RFC 4035 section 4.3: secure, insecure, bogus, indeterminate.
 *   Rule       only ANSWER_SECURE opens a door. ANSWER_DENIAL is the proof that there is
 *              no such record. Everything else proves nothing.
 *   Time       ms of the clock the resolver uses (resolver_now).
 *   Ownership  counted and never changed once made: answer_keep, answer_drop.
 */
#ifndef RESOLVE_ANSWER_H
#define RESOLVE_ANSWER_H

#include "dns/name.h"

enum answer_status {
	ANSWER_FAILED,   /* no answer: timeout, SERVFAIL, budget, resolver gone; see why */
	ANSWER_SECURE,   /* records, validated */
	ANSWER_DENIAL,   /* validated: no such name, or no such type at it */
	ANSWER_INSECURE, /* from a provably unsigned zone; records, or none */
	ANSWER_BOGUS,    /* validation failed; see why; never carries records */
};

#define ANSWER_WHY_MAX 160

struct question {
	struct name name;
	uint16_t type; /* RR type, RR_... of dns/rr.h */
};

struct answer {
	unsigned refs;
	enum answer_status status;
	bool nxdomain;
	uint8_t rcode;
	uint16_t count;     /* records */
	uint32_t ttl_s;     /* as received, clamped: seconds */
	int64_t expires_ms; /* no use after this moment */
	bool stale;         /* its TTL is over; used since the resolver fails (resolve/stale.h) */
	struct name final;  /* owner of the records once CNAMEs were followed */
	bool aliased;       /* final differs from the name asked */
	struct span *rdata; /* count of them, uncompressed, inside this answer's memory */
	const char *why;    /* words for BOGUS and FAILED; "" otherwise; never NULL */
};

/* One allocation holds it all. Records are copied. NULL when memory is out. */
struct answer *answer_new(enum answer_status status, const struct span *rdata, uint16_t count,
	const char *why);
struct answer *answer_keep(struct answer *a);
void answer_drop(struct answer *a);

/* Memory it takes, in octets. */
size_t answer_octets(const struct answer *a);

/* "secure", "secure-denial", "insecure", "bogus", "failed": for logs and JSON. */
const char *answer_status_word(enum answer_status status);

#endif
