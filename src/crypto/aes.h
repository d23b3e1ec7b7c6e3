/* SPDX-License-Identifier: Apache-2.0 */
/*
 * aes - OpenSSL's AES-128 behind base/block.h.
 *
 *   Source     FIPS 197, ECB of one block; the modes are in lorawan/.
 *   Ownership  aes_new allocates, aes_free wipes and frees. One thread at a time.
 *   Errors     ERR_NOMEM, ERR_CRYPTO with words.
 */
#ifndef CRYPTO_AES_H
#define CRYPTO_AES_H

#include "base/block.h"
#include "core/err.h"

struct aes;

int aes_new(const uint8_t key[16], struct aes **out, struct err *err);
int aes_rekey(struct aes *a, const uint8_t key[16], struct err *err); /* cheaper than new */
void aes_free(struct aes *a);
struct block aes_block(struct aes *a);

#endif
