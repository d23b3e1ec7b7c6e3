/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lifetime - for how long what the servers of a zone say may be held, and told again.
 *
 *   Source     RFC 2181 section 8 (TTL), RFC 4034 section 3.1 (original TTL, expiration), RFC
 *              2308 section 5 (negative TTL: the lesser of the SOA's TTL and its minimum), RFC
 *              1035 section 3.3.13 (refresh, expire).
 *   Servers    every one that answers; the longest counts. Whether all serve what they should is
 *              confirm's question.
 *   Units      seconds; a moment in seconds since 1970.
 *   Ownership  nothing is owned.
 *   Errors     ERR_NOMEM, ERR_SYSTEM; ERR_PEER when no server has a SOA for the zone.
 */
#ifndef PUBLISH_LIFETIME_H
#define PUBLISH_LIFETIME_H

#include "servers/delegation.h"

struct lifetime {
	uint32_t ttl_s; /* of the set, also as its signature has it; 0: nobody serves one */
	uint32_t negative_s;
	uint32_t refresh_s, expire_s;
	int64_t signed_until_s; /* the latest end of a signature over the set; 0: none */
};

int lifetime_ask(struct delegation_walk *w, const struct name *owner, uint16_t type,
	struct lifetime *out, struct err *err);

#endif
