/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tlsa - TLSA records: which certificate or key a name may present.
 *
 *   Source     RFC 6698, RFC 7218, RFC 7671.
 *   Ownership  struct sardane_tlsa borrows its data from the octets given.
 *   Errors     SARDANE_FORMAT, SARDANE_SPACE, SARDANE_ARG; *out only on success.
 */
#ifndef SARDANE_TLSA_H
#define SARDANE_TLSA_H

#include <stddef.h>
#include <stdint.h>

#include "sardane/err.h"

#ifdef __cplusplus
extern "C" {
#endif

struct sardane_tlsa {
	uint8_t usage, selector, matching;
	const uint8_t *data;
	size_t n;
};

/* RDATA octets, and back. */
int sardane_tlsa_read(const uint8_t *rdata, size_t n, struct sardane_tlsa *out,
	struct sardane_err *err);
int sardane_tlsa_write(const struct sardane_tlsa *tlsa, uint8_t *out, size_t cap, size_t *n,
	struct sardane_err *err);

/* "3 1 1 hex", as in zone files; the data is put into memory. */
int sardane_tlsa_read_text(const char *text, uint8_t *memory, size_t cap, struct sardane_tlsa *out,
	struct sardane_err *err);
int sardane_tlsa_write_text(const struct sardane_tlsa *tlsa, char *out, size_t cap,
	struct sardane_err *err);

/* NULL when the record can be used, else why not (RFC 6698 section 4.1). */
const char *sardane_tlsa_unusable(const struct sardane_tlsa *tlsa);

/* From DER of a certificate, or of a bare public key (SubjectPublicKeyInfo; selector 1).
 * memory needs 64 octets, or the size of the DER for matching type 0. */
int sardane_tlsa_of_certificate(const uint8_t *der, size_t n, int usage, int selector, int matching,
	uint8_t *memory, size_t cap, struct sardane_tlsa *out, struct sardane_err *err);
int sardane_tlsa_of_key(const uint8_t *der, size_t n, int usage, int matching, uint8_t *memory,
	size_t cap, struct sardane_tlsa *out, struct sardane_err *err);

#ifdef __cplusplus
}
#endif

#endif
