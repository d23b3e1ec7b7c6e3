/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keypair - a new private key of one of the kinds we issue for.
 *
 *   Source     RFC 5480 (P-256), RFC 8410 (Ed25519), RFC 8017 (RSA).
 *   Ownership  the caller frees with EVP_PKEY_free.
 *   Errors     ERR_ARG, ERR_CRYPTO with words.
 */
#ifndef PKI_KEYPAIR_H
#define PKI_KEYPAIR_H

#include "core/err.h"

#include <openssl/evp.h>

enum keypair_kind { KEYPAIR_P256, KEYPAIR_ED25519, KEYPAIR_RSA2048, KEYPAIR_RSA3072 };

/* "p256", "ed25519", "rsa2048", "rsa3072". */
int keypair_read_kind(const char *word, enum keypair_kind *out, struct err *err);

int keypair_new(enum keypair_kind kind, EVP_PKEY **out, struct err *err);

/* The digest to sign with: NULL for Ed25519, which brings its own. */
const EVP_MD *keypair_digest(const EVP_PKEY *key);

#endif
