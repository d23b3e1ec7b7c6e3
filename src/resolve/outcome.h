/* SPDX-License-Identifier: Apache-2.0 */
/*
 * outcome - what a DNS message and its DNSSEC judgement come to: the one table.
 *
 *               records    no such type   no such name   other rcode   no message
 *   secure      SECURE     DENIAL         DENIAL         FAILED        FAILED
 *   insecure    INSECURE   INSECURE       INSECURE       FAILED        FAILED
 *   bogus       BOGUS      BOGUS          BOGUS          BOGUS         BOGUS
 *
 *   Source     RFC 4035 section 4.3; RFC 6840 section 5.8 (AD); RFC 2308.
 *   Rule       the rcode is the one in the message, not the one beside it: a validator
 *              reports NXDOMAIN as success. A bogus message has records in it; they are
 *              not even looked for. A message that does not repeat our question, or that
 *              cannot be read to its last octet, is FAILED.
 *   Ownership  out borrows room, why and static words.
 */
#ifndef RESOLVE_OUTCOME_H
#define RESOLVE_OUTCOME_H

#include "resolve/wire.h"

enum outcome_judgement { OUTCOME_INSECURE, OUTCOME_BOGUS, OUTCOME_SECURE };

/* room: WIRE_RDATA_MAX octets for the records. out->id is left alone. */
void outcome_of(struct span message, const struct question *q, enum outcome_judgement judgement,
	const char *why_bogus, struct sink *room, struct wire_answer *out);

/* Seconds that every signature in the message still holds, when they are over the records of this
 * type at owner; 0: one has ended, or none is there. */
uint32_t outcome_signed_for(struct span message, const struct name *owner, uint16_t type,
	uint32_t now_s);

/* No message to look at: why tells, in static or longer-lived words. */
void outcome_failed(const struct question *q, uint16_t rcode, const char *why,
	struct wire_answer *out);

/* "SERVFAIL", "REFUSED", ... or "rcode 23"; the text may live in out, 12 octets are enough. */
const char *outcome_rcode_word(uint16_t rcode, char *out, size_t cap);

#endif
