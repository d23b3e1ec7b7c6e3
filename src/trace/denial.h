/* SPDX-License-Identifier: Apache-2.0 */
/*
 * denial - do the NSEC or NSEC3 records of an answer prove that something is not there?
 *
 *   Source     RFC 4035 section 5.4, RFC 5155 section 8, RFC 6840 sections 4.1 to 4.4 (what an
 *              ancestor's NSEC may not prove), RFC 9276 section 3.2 (iterations).
 *   In         the authority section, the zone's keys. Only records whose signatures are good
 *              count; one that is not spoils the proof.
 *   Iterations above DENIAL_ITERATIONS_MAX a proof is taken for none, and the name for unsigned,
 *              as validators do.
 */
#ifndef TRACE_DENIAL_H
#define TRACE_DENIAL_H

#include "trace/signature.h"

#define DENIAL_ITERATIONS_MAX 150

enum denial_of { DENIAL_OF_NAME, DENIAL_OF_TYPE, DENIAL_OF_CLOSER };

enum denial_outcome {
	DENIAL_PROVED,
	DENIAL_OPEN,  /* opt-out, or too many iterations: it may be there unsigned */
	DENIAL_WRONG, /* nothing is proved; why */
};

struct denial_question {
	enum denial_of of;
	struct name name;
	uint16_t type;  /* DENIAL_OF_TYPE */
	uint8_t labels; /* DENIAL_OF_CLOSER: of the wildcard's parent, as the RRSIG says */
	struct name zone;
	const ldns_rr_list *keys;
	int64_t now;
};

struct denial {
	enum denial_outcome outcome;
	bool delegation; /* DENIAL_OF_TYPE: the proof says that a zone cut is at name */
	unsigned iterations;
	int64_t until;
	struct signature_verdict signature; /* of one of the records */
	char why[160];
};

void denial_judge(const struct denial_question *q, const ldns_rr_list *authority,
	struct denial *out);

#endif
