/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hmac - the HMAC with SHA-2 of octets that lie in several places.
 *
 *   Source     RFC 2104, RFC 6234.
 *   Ownership  writes into the caller's memory; whoever holds the key wipes it.
 *   Errors     ERR_CRYPTO, only when OpenSSL has no memory.
 */
#ifndef CRYPTO_HMAC_H
#define CRYPTO_HMAC_H

#include "base/cursor.h"
#include "core/err.h"

#define HMAC_OCTETS_MAX 64

enum hmac_digest { HMAC_SHA256, HMAC_SHA384, HMAC_SHA512 };

/* Octets of the result: 32, 48 or 64. */
size_t hmac_octets(enum hmac_digest digest);

/* Over the parts one after the other; out holds hmac_octets. */
int hmac_write(enum hmac_digest digest, struct span key, const struct span *parts, size_t count,
	uint8_t *out, struct err *err);

#endif
