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

#define TLSA_DATA_MAX 65532 /* of an RDATA of 65535 octets */

int tlsa_read(struct span rdata, struct tlsa *out, struct err *err);

/* The RDATA again; ERR_SPACE. */
int tlsa_write(const struct tlsa *tlsa, uint8_t *out, size_t cap, size_t *n, struct err *err);

/* "3 1 1 0D6F...": numbers, then hex that may be parted by blanks and round brackets, as in
 * zone files. The data is put in memory, which must outlive *out. */
int tlsa_read_text(struct span text, uint8_t *memory, size_t cap, struct tlsa *out,
	struct err *err);

/* "3 1 1 0d6f..." and a final zero; needs 12 + 2 * data.n characters. ERR_SPACE. */
int tlsa_write_text(const struct tlsa *tlsa, char *out, size_t cap, struct err *err);

/* NULL when this software can use the record, or in words why not (RFC 6698 section 4.1:
 * such a record is as if it were not there). */
const char *tlsa_unusable(const struct tlsa *tlsa);

/* "DANE-EE", "SPKI", "SHA2-256", of RFC 7218; "?" for numbers it does not name. */
const char *tlsa_usage_word(int usage);
const char *tlsa_selector_word(int selector);
const char *tlsa_matching_word(int matching);

#endif
