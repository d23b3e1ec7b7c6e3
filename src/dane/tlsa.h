/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tlsa - one TLSA record: which certificate or key a name may present.
 *
 *   Source     RFC 6698 section 2.1 (wire form) and 2.2 (text), RFC 7218 (names of the
 *              numbers).
 *   In         RDATA octets, after DNSSEC validation; this file does not ask whether
 *              they were signed (see resolve/answer.h).
 *   Ownership  struct tlsa borrows its data from the octets given to tlsa_read.
 *   Errors     ERR_FORMAT with words; *out is written only on success.
 */
#ifndef DANE_TLSA_H
#define DANE_TLSA_H

#include "base/cursor.h"
#include "core/err.h"

enum tlsa_usage { TLSA_PKIX_TA = 0, TLSA_PKIX_EE = 1, TLSA_DANE_TA = 2, TLSA_DANE_EE = 3 };
enum tlsa_selector { TLSA_CERT = 0, TLSA_SPKI = 1 };
enum tlsa_matching { TLSA_FULL = 0, TLSA_SHA256 = 1, TLSA_SHA512 = 2 };

struct tlsa {
	uint8_t usage;    /* enum tlsa_usage, or a number we do not know */
	uint8_t selector; /* enum tlsa_selector, likewise */
	uint8_t matching; /* enum tlsa_matching, likewise */
	struct span data; /* borrowed; 32 octets for SHA-256, 64 for SHA-512 */
};

int tlsa_read(struct span rdata, struct tlsa *out, struct err *err);

#endif
