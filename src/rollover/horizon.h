/* SPDX-License-Identifier: Apache-2.0 */
/*
 * horizon - the latest moment at which any relying party may still accept what was revoked.
 *
 *   last server stops serving it --TTL--> caches are empty --> whoever follows DNS refuses
 *   |<-- a secondary out of reach: SOA expire -->|
 *   signatures end -----------------------------------------> nobody can be told it any more
 *
 *   Source     RFC 1035 section 3.3.13 (expire), RFC 4035 section 5.3.3 (no TTL outlives its
 *              signature) and section 4.5; RFC 2308.
 *   Two ends   follows: nobody on the path replays old answers. replayed: somebody does; then
 *              only the end of the signatures ends it, which is the latest of all.
 *   Not DNS    a relying party that falls back on PKIX (mode dane-or-pkix) goes on accepting a
 *              certificate whose authority it trusts until the CRL or the certificate says no.
 *   Time       ms since 1970; 0: does not apply.
 *   Ownership  nothing is owned.
 */
#ifndef ROLLOVER_HORIZON_H
#define ROLLOVER_HORIZON_H

#include "core/buf.h"

#include <stdint.h>

struct horizon_facts {
	int64_t removed_ms; /* the primary took the change */
	int64_t all_ms;     /* every server was seen to serve it no more; 0: some still do */
	int64_t now_ms;
	uint32_t ttl_s;          /* of the set as it was served */
	uint32_t refresh_s;      /* of the SOA */
	uint32_t expire_s;       /* likewise */
	int64_t signed_until_ms; /* the latest end of a signature over it; 0: not known */
	uint32_t margin_s;       /* clocks of relying parties, resolvers that stretch a TTL */
	/* Sardane's own */
	uint32_t ttl_min_s; /* resolver.ttl_min_s: they stretch a shorter TTL */
	uint32_t stale_s;   /* serve_stale_s of those that have the longest; 0: none has it */
	/* PKIX, when an authority issued it; 0: none did */
	int64_t crl_ms; /* it stands in the CRL from then on, which all have by crl_next_ms */
	int64_t crl_next_ms;
	int64_t certificate_ms; /* the certificate's end */
};

enum horizon_word {
	HORIZON_SERVERS,     /* the last server stops */
	HORIZON_CACHES,      /* resolvers */
	HORIZON_OURS,        /* the caches of Sardane's programs */
	HORIZON_TICKETS,     /* session tickets */
	HORIZON_CONNECTIONS, /* open ones */
	HORIZON_OUTAGE,      /* Sardane's, where the resolver fails meanwhile (resolve/stale.h) */
	HORIZON_SIGNATURES,  /* replay */
	HORIZON_PKIX,        /* fallback */
};

#define HORIZON_TERMS (HORIZON_PKIX + 1)

struct horizon {
	int64_t term_ms[HORIZON_TERMS];
	int64_t ours_ms;     /* servers and clients of Sardane that can ask DNS */
	int64_t follows_ms;  /* any relying party that follows DNS, and can ask it */
	int64_t replayed_ms; /* the latest of all, short of PKIX */
	int64_t latest_ms;   /* of any relying party, whatever it goes by */
	bool bounded;        /* replayed_ms and latest_ms are known */
};

void horizon_compute(const struct horizon_facts *f, struct horizon *out);

const char *horizon_word(enum horizon_word term); /* "caches" */
/* One line a term with its moment and its reason, then the two ends; UTC. */
void horizon_write(const struct horizon_facts *f, const struct horizon *h, struct buf *out);

#endif
