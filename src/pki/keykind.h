/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keykind - a new private key of one of the kinds we issue for.
 *
 *   Source     RFC 5480 (P-256, P-384), RFC 8410 (Ed25519), RFC 8017 (RSA).
 *   Ownership  the caller frees with EVP_PKEY_free.
 *   Errors     ERR_ARG, ERR_CRYPTO with words.
 */
#ifndef PKI_KEYKIND_H
#define PKI_KEYKIND_H

#include "core/err.h"

#include <openssl/evp.h>

enum keykind {
	KEYKIND_P256,
	KEYKIND_P384,
	KEYKIND_ED25519,
	KEYKIND_RSA2048,
	KEYKIND_RSA3072,
	KEYKIND_RSA4096,
};

/* "p256", "p384", "ed25519", "rsa2048", "rsa3072", "rsa4096". */
int keykind_read(const char *word, enum keykind *out, struct err *err);

int keykind_new(enum keykind kind, EVP_PKEY **out, struct err *err);

/* The digest to sign with: NULL for Ed25519, which brings its own. */
const EVP_MD *keykind_digest(const EVP_PKEY *key);

/* The word of a key that came from elsewhere; ERR_ARG for one we do not certify: any other
 * curve, RSA below 2048 bits. Words begin with "key". */
int keykind_of(const EVP_PKEY *key, const char **out, struct err *err);

#endif
