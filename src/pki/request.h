/* SPDX-License-Identifier: Apache-2.0 */
/*
 * request - PKCS#10: asking an authority for a certificate without giving it the key.
 *
 *   Source     RFC 2986; the names stand in an extensionRequest (RFC 2985 section 5.4.2).
 *   Trust      of a request only its public key and its names count, after its signature, which
 *              proves possession of the key, was checked; the profile decides the rest.
 *   Ownership  the caller frees what comes out.
 *   Errors     words begin with "request" and the file where there is one.
 */
#ifndef PKI_REQUEST_H
#define PKI_REQUEST_H

#include "core/buf.h"
#include "pki/pemfile.h"
#include "pki/profile.h"

/* Appends PEM. Subject and names are the profile's. */
int request_write(const struct profile *profile, EVP_PKEY *key, struct buf *out, struct err *err);

/* Where the texts of a subject lie that a profile borrows. */
struct request_subject {
	char text[6][PROFILE_TEXT_MAX + 1];
};

/* PEM or DER. Adds its dNSNames and iPAddresses to the profile; other kinds are refused.
 * subject NULL: its subject does not count. */
int request_read(struct span text, struct profile *into, struct request_subject *subject,
	EVP_PKEY **key, struct err *err);
/* Only its public key, as SubjectPublicKeyInfo; it may ask for this name and no other. */
int request_read_key(struct span text, const struct name *only, struct buf *spki, struct err *err);
int request_load(const char *path, struct profile *into, struct request_subject *subject,
	EVP_PKEY **key, struct err *err);

/* Subject and names of a certificate: a renewal asks for the same. */
int request_again(X509 *cert, struct profile *into, struct request_subject *subject,
	struct err *err);

#endif
