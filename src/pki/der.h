/* SPDX-License-Identifier: Apache-2.0 */
/*
 * der - the octets a TLSA record is made from, out of the files people have.
 *
 *   In         a certificate: PEM (the first of the file) or DER. A key: PEM "PUBLIC KEY" or
 *              a private key, whose public half is taken, or DER SubjectPublicKeyInfo.
 *   Ownership  appends to the caller's buf.
 *   Errors     ERR_SYSTEM, ERR_FORMAT, ERR_NOMEM; words name the file.
 */
#ifndef PKI_DER_H
#define PKI_DER_H

#include "core/buf.h"
#include "core/err.h"

#include <openssl/evp.h>

int der_read_certificate(const char *path, struct buf *out, struct err *err);
/* The same of octets that are here; what is how words begin. */
int der_of_certificate(const char *what, struct span octets, struct buf *out, struct err *err);
/* From when to when the certificate is good, seconds since 1970, and whether it issued itself. */
struct der_life {
	int64_t from_s, until_s;
	bool self_signed;
};
int der_read_life(const char *path, struct der_life *out, struct err *err);
/* Of DER that is here: may it sign other certificates? */
bool der_is_authority(struct span der);

int der_read_key(const char *path, struct buf *out, struct err *err);
/* The public half of a key, as SubjectPublicKeyInfo. */
int der_put_key(EVP_PKEY *key, struct buf *out, struct err *err);
/* A public key that is here, of a kind that is certified: pki/keykind.h. Words say why not. */
int der_of_public_key(struct span octets, struct buf *out, struct err *err);

#endif
