/* SPDX-License-Identifier: Apache-2.0 */
/*
 * issue - from a profile and a key to a signed certificate.
 *
 *   Source     RFC 5280 sections 4.1 and 4.2: version 3, serial of 127 random bits,
 *              basicConstraints, keyUsage, extendedKeyUsage, subjectAltName, key identifiers.
 *   Time       now_s is seconds since 1970; the certificate ends with its issuer at the latest.
 *   Ownership  the caller frees the certificate.
 *   Errors     ERR_ARG, ERR_CRYPTO, ERR_NOMEM with words.
 */
#ifndef PKI_ISSUE_H
#define PKI_ISSUE_H

#include "core/err.h"
#include "core/own.h"
#include "pki/profile.h"

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <time.h>

/* The certificate's key is in its octets; X509_get0_pubkey of a leaf as it comes out may be NULL.
 * issuer NULL: self-signed, a root or a leaf, and issuer_key must be key. */
int issue_certificate(const struct profile *profile, EVP_PKEY *key, X509 *issuer,
	EVP_PKEY *issuer_key, time_t now_s, X509 **out, struct err *err);

/* Adds the subject of a profile. */
int issue_subject(X509_NAME *name, const struct profile *profile, struct err *err);

/* The subjectAltName of a profile. */
int issue_names(const struct profile *profile, GENERAL_NAMES **out, struct err *err);

OWNED_TYPE(GENERAL_NAMES, GENERAL_NAMES_free)

#endif
