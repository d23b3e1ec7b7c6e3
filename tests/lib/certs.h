/* SPDX-License-Identifier: Apache-2.0 */
/*
 * certs - certificates for tests, made on the spot: nothing in the tree expires.
 *
 *   Ownership  files live in the folder given; a struct certs_leaf owns its OpenSSL objects,
 *              certs_drop frees them. Failures abort: a test without them is no test.
 */
#ifndef TESTS_LIB_CERTS_H
#define TESTS_LIB_CERTS_H

#include <openssl/x509.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct certs_leaf {
	X509 *cert;
	EVP_PKEY *key;
};

/* What differs from an ordinary leaf that is good for both ends and a week. */
struct certs_wish {
	const char *cn;                  /* NULL: "test" */
	const char *san;                 /* "DNS:a,DNS:b"; NULL: none */
	const char *usage;               /* extendedKeyUsage; NULL: "serverAuth,clientAuth" */
	bool authority;                  /* CA:TRUE */
	bool expired;                    /* a week, a year ago */
	int rsa_bits;                    /* 0: P-256 */
	EVP_PKEY *key;                   /* use this key; NULL: a new one */
	const struct certs_leaf *issuer; /* NULL: self-signed */
};

struct certs_leaf certs_make(const struct certs_wish *wish);
void certs_drop(struct certs_leaf *leaf);

/* PEM files folder/name.pem (the leaf, then the others, ended by NULL) and name-key.pem. */
void certs_write(const char *folder, const char *name, const struct certs_leaf *leaf,
	const struct certs_leaf *const *others);

/* "U S M HEX" of a certificate, in out. */
void certs_tlsa(const struct certs_leaf *leaf, int usage, int selector, int matching, char *out,
	size_t cap);

/* PEM of the chain, ended by NULL, in out; its length comes back. */
size_t certs_pem(const struct certs_leaf *const *chain, char *out, size_t cap);

#endif
