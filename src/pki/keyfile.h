/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keyfile - a private key in a PEM file that only its owner can read.
 *
 *   Source     RFC 5958 (PKCS#8); RFC 8018 (PBES2: AES-256-CBC under PBKDF2-HMAC-SHA256 of
 *              KEYFILE_ROUNDS rounds). Other PEM keys that OpenSSL knows are read too.
 *   Ownership  the caller frees the key.
 *   Errors     words begin with "key" and the path.
 */
#ifndef PKI_KEYFILE_H
#define PKI_KEYFILE_H

#include "pki/password.h"
#include "pki/pemfile.h"

#define KEYFILE_ROUNDS 600000

/* Refuses a key whose mode grants group or others anything. password: for an encrypted one. */
int keyfile_read(const char *path, const struct password *password, EVP_PKEY **out,
	struct err *err);

/* Appends the key as PEM, in clear; the caller wipes it. */
int keyfile_put(EVP_PKEY *key, struct buf *out, struct err *err);

/* encrypt NULL: in clear. */
int keyfile_write(const char *path, bool replace, EVP_PKEY *key, const struct password *encrypt,
	struct err *err);

/* The key's octets, gone as far as a file system lets them; the file stays. */
void keyfile_overwrite(int folder, const char *file);

#endif
