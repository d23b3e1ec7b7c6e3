/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zonetrust - one zone: does its parent vouch for a key, and does that key sign the zone's keys?
 *
 *   parent secure --DS set signed?--> DS --digest--> DNSKEY --signs the DNSKEY set?--> secure
 *                  `--its absence proved?--> insecure           otherwise --> bogus
 *
 *   Source     RFC 4035 section 5.2, RFC 4509, RFC 6840 sections 5.2 and 5.11 (one good way is
 *              enough).
 */
#ifndef TRACE_ZONETRUST_H
#define TRACE_ZONETRUST_H

#include "trace/saying.h"

/* parent NULL: d is the root. */
void zonetrust_judge(const struct delegation *d, const struct trust_zone *parent,
	const ldns_rr_list *anchors, int64_t now, struct trust_zone *out);

/* Each server's answer by itself, and the best of them. */
void zonetrust_judge_set(const struct saying_question *q, const struct asked *asked,
	struct trust_set *out);

#endif
