/* SPDX-License-Identifier: Apache-2.0 */
/*
 * saying - what one server said to one question: which kind of answer, and is it proved?
 *
 *   Source     RFC 4035 section 5.3 and 5.4, RFC 6672 section 5.3.1 (a CNAME made from a DNAME is
 *              not signed, the DNAME is), RFC 4592 (wildcards).
 *   Keys       of a zone that is secure; NULL: the zone is not, nothing can be proved, and the
 *              answer is worth what the zone is.
 */
#ifndef TRACE_SAYING_H
#define TRACE_SAYING_H

#include "trace/trust.h"

struct saying_question {
	struct name name;
	uint16_t type;
	struct name zone;
	enum trust trust; /* of the zone */
	const ldns_rr_list *keys;
	int64_t now;
};

/* *sig: of what carries the answer. */
void saying_judge(const struct saying_question *q, const struct asked_said *said,
	struct trust_said *out, struct signature_verdict *sig);

/* The same up to its kind: did it answer, with authority? True when it did. */
bool saying_begin(const struct asked_said *said, struct trust_said *out);

/* A number for the data of a set, whatever its order. */
uint32_t saying_digest(const ldns_rr_list *rrset);

#endif
