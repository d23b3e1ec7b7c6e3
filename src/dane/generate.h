/* SPDX-License-Identifier: Apache-2.0 */
/*
 * generate - the TLSA record for a certificate, or for a bare public key.
 *
 *   Source     RFC 6698 section 2.1; RFC 7671 section 5 (3 1 1 is the one to publish).
 *   In         DER: a certificate, or a SubjectPublicKeyInfo.
 *   Ownership  out->data borrows memory, which holds GENERATE_MAX octets or the size of the
 *              input, whichever is larger.
 *   Errors     ERR_FORMAT (not a certificate; a bare key cannot be selector 0), ERR_SPACE,
 *              ERR_ARG (unknown number).
 */
#ifndef DANE_GENERATE_H
#define DANE_GENERATE_H

#include "dane/tlsa.h"

#define GENERATE_MAX 64

int generate_from_certificate(struct span der, enum tlsa_usage usage, enum tlsa_selector selector,
	enum tlsa_matching matching, uint8_t *memory, size_t cap, struct tlsa *out,
	struct err *err);
int generate_from_key(struct span spki_der, enum tlsa_usage usage, enum tlsa_matching matching,
	uint8_t *memory, size_t cap, struct tlsa *out, struct err *err);

#endif
