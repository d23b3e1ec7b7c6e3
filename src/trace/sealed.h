/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sealed - is the record set in a message signed by keys that are trusted already? For many
 * names of one zone, whose keys were judged once (trace/trust.h).
 *
 *   Source     RFC 4035 section 5.3.
 *   In         an answer to the question of owner and type, whole.
 *   Wildcards  the signature of a set made from one is judged, and labels tells; that nothing
 *              closer exists (RFC 4035 section 5.3.4) is not looked at.
 *   Errors     that it is not signed is a verdict; so is an answer there was no memory for.
 */
#ifndef TRACE_SEALED_H
#define TRACE_SEALED_H

#include "core/buf.h"
#include "core/err.h"
#include "trace/signature.h"

void sealed_judge(struct span message, const struct name *owner, uint16_t type,
	const ldns_rr_list *keys, const struct name *zone, int64_t now,
	struct signature_verdict *out);

/* Appends the keys in wire form, in their order: the same keys give the same octets. */
int sealed_put_keys(const ldns_rr_list *keys, struct buf *out, struct err *err);

#endif
