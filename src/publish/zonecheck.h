/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zonecheck - what in a zone would break us, or soon will: found before a peer finds it.
 *
 *   Zone       no DS, a DS that fits no key, signatures missing or about to expire, algorithms
 *              that are not to be used, NSEC3 iterations, servers that do not answer, are not
 *              authoritative or disagree.
 *   Name       servers that disagree about its TLSA, records that fit none of the certificates
 *              given, a TTL above the time within which a revocation shall work.
 *   Source     RFC 4035 section 5 (chain), RFC 8624 section 3.1 (algorithms), RFC 9276
 *              (iterations), RFC 2181 section 5.2.
 *   Not here   whether the chain holds from the anchor: that is the resolver's word.
 *   Time       seconds since 1970 for now_s; seconds else.
 *   Ownership  the report is the caller's memory.
 *   Errors     ERR_NOMEM, ERR_SYSTEM. What is wrong with the zone is a finding.
 */
#ifndef PUBLISH_ZONECHECK_H
#define PUBLISH_ZONECHECK_H

#include "publish/rrset.h"
#include "servers/delegation.h"

#define ZONECHECK_FINDINGS_MAX 64

enum zonecheck_what {
	ZONECHECK_DS,
	ZONECHECK_SIGNATURE,
	ZONECHECK_ALGORITHM,
	ZONECHECK_ITERATIONS,
	ZONECHECK_SERVER,
	ZONECHECK_DISAGREE,
	ZONECHECK_TTL,
	ZONECHECK_TLSA,
	ZONECHECK_CHAIN, /* of the caller: what its resolver says */
};

/* "ds", "signature", ... */
const char *zonecheck_word(enum zonecheck_what what);

struct zonecheck_finding {
	enum zonecheck_what what;
	bool soon; /* not broken yet */
	char words[240];
};

struct zonecheck_report {
	size_t count; /* of findings; what is above the room is only counted */
	struct zonecheck_finding finding[ZONECHECK_FINDINGS_MAX];
	size_t servers;
	int64_t expires_s; /* earliest end of a signature that was seen; 0: none seen */
};

struct zonecheck_limits {
	int64_t now_s;
	uint32_t margin_s;        /* a signature that ends within it is a finding */
	uint32_t revoke_within_s; /* 0: any TTL will do */
};

/* Adds a finding of the caller's own. */
void zonecheck_find(struct zonecheck_report *r, enum zonecheck_what what, bool soon,
	const char *fmt, ...) __attribute__((format(printf, 4, 5)));

int zonecheck_zone(struct delegation_walk *w, struct delegation *zone,
	const struct zonecheck_limits *limits, struct zonecheck_report *r, struct err *err);

/* known holds the TLSA data that there is a key for; NULL: not judged. */
int zonecheck_name(struct delegation_walk *w, struct delegation *zone, const struct name *owner,
	const struct rrset *known, const struct zonecheck_limits *limits,
	struct zonecheck_report *r, struct err *err);

#endif
