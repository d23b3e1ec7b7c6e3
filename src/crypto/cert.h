/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cert - the parts of a certificate that TLSA records speak of.
 *
 *   Source     RFC 5280 section 4.1; RFC 6698 section 2.1.2.
 *   In         DER of one certificate, nothing behind it.
 *   Errors     ERR_FORMAT, ERR_SPACE, ERR_NOMEM.
 */
#ifndef CRYPTO_CERT_H
#define CRYPTO_CERT_H

#include "base/cursor.h"
#include "core/err.h"

/* The SubjectPublicKeyInfo, as its octets stand in the certificate. */
int cert_read_spki(struct span der, uint8_t *out, size_t cap, size_t *n, struct err *err);

/* Checks that the octets are one SubjectPublicKeyInfo with a key OpenSSL knows. */
int cert_check_spki(struct span der, struct err *err);

#endif
