/* SPDX-License-Identifier: Apache-2.0 */
/*
 * digest - SHA-2 of octets in hand.
 *
 *   Source     FIPS 180-4.      Errors     ERR_CRYPTO, only when OpenSSL has no memory.
 */
#ifndef CRYPTO_DIGEST_H
#define CRYPTO_DIGEST_H

#include "base/cursor.h"
#include "core/err.h"

int digest_sha256(struct span octets, uint8_t out[32], struct err *err);
int digest_sha512(struct span octets, uint8_t out[64], struct err *err);

#endif
