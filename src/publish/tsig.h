/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tsig - a DNS message signed with a shared secret, and its answer held against it.
 *
 *   Source     RFC 8945 sections 4.2 (the record), 4.3 (what is signed), 5.3 and 5.4.
 *   Why here   ldns of Debian 12 writes hmac-sha384 as "hmac-shac384", so it speaks it with
 *              nobody, and it does not look at the time of an answer.
 *   Time       seconds since 1970; clocks may differ by 300 s.
 *   Ownership  the caller's memory.
 *   Errors     ERR_FORMAT (a name does not parse), ERR_CRYPTO, ERR_NOMEM; ERR_PEER: the
 *              answer is not proved, and the words say why.
 */
#ifndef PUBLISH_TSIG_H
#define PUBLISH_TSIG_H

#include "core/buf.h"
#include "publish/tsigkey.h"

struct tsig_mac {
	uint8_t octets[HMAC_OCTETS_MAX];
	size_t n;
};

/* Appends the record to a message that has none; *mac is for tsig_verify. */
int tsig_sign(struct buf *message, const struct tsigkey *key, int64_t now_s, struct tsig_mac *mac,
	struct err *err);

/* Is this the answer to the request that has this MAC, from one who knows the secret? */
int tsig_verify(struct span answer, const struct tsigkey *key, int64_t now_s,
	const struct tsig_mac *request, struct err *err);

#endif
