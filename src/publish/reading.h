/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reading - what an authoritative answer says of one record set: its records, and what signs them.
 *
 *   Source     RFC 4034 section 3.1 (RRSIG), RFC 4035 section 5.3.4 (made from a wildcard).
 *   Nobody     is believed: no signature is verified here.
 *   Ownership  the set is the caller's: rrset_done. Signatures lie in the struct.
 *   Errors     ERR_PEER: refused, without authority, or an alias stands there; ERR_FORMAT;
 *              ERR_SPACE (more signatures than anyone needs); ERR_NOMEM. *out only on success.
 */
#ifndef PUBLISH_READING_H
#define PUBLISH_READING_H

#include "dns/message.h"
#include "publish/rrset.h"

#define READING_SIGNATURES_MAX 8
#define READING_OCTETS_MAX     8192

struct reading {
	struct rrset set; /* empty: there is none */
	bool expanded;    /* a signature says that a wildcard made it */
	size_t signatures;
	struct span rrsig[READING_SIGNATURES_MAX]; /* data of those over the type */
	uint32_t expires[READING_SIGNATURES_MAX];  /* RFC 4034 section 3.1.5 */
	uint8_t octets[READING_OCTETS_MAX];        /* where they lie */
};

int reading_take(const struct message *m, const struct name *owner, uint16_t type,
	struct reading *out, struct err *err);

#endif
