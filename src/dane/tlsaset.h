/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tlsaset - the TLSA records of one owner, judged as a whole.
 *
 *   Source     RFC 6698 section 4.1 (unusable records), RFC 7671 section 9 (digest agility):
 *              of the usable records with equal usage and selector only those with the
 *              strongest digest count; Full(0) always counts.
 *   Why here   OpenSSL applies agility to certificates but not to raw public keys; done
 *              before it sees the records, both behave alike.
 *   Bounds     TLSASET_MAX records; what comes beyond is set aside, with that reason.
 *   Ownership  borrows the octets given.
 */
#ifndef DANE_TLSASET_H
#define DANE_TLSASET_H

#include "dane/tlsa.h"

#define TLSASET_MAX 64

struct tlsaset_record {
	struct tlsa tlsa;
	struct span rdata;
	const char *why; /* NULL: counts; or why it was set aside */
};

struct tlsaset {
	uint16_t count;  /* records held, set aside or not */
	uint16_t usable; /* of them, those that count */
	uint16_t beyond; /* records not held for want of room */
	struct tlsaset_record record[TLSASET_MAX];
};

void tlsaset_read(const struct span *rdata, size_t count, struct tlsaset *out);

/* One number for what the set says, whatever the order of its records: SHA-256 over the
 * sorted RDATA, each behind its length. Includes what was set aside. ERR_CRYPTO. */
int tlsaset_hash(const struct span *rdata, size_t count, uint8_t out[32], struct err *err);

/* "2 records, 1 set aside (3 1 7 ...: unknown matching type)": for a log line. */
void tlsaset_words(const struct tlsaset *set, char *out, size_t cap);

#endif
