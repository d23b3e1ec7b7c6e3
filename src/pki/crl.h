/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crl - a list of what an authority has revoked.
 *
 *   Source     RFC 5280 section 5: version 2, CRL number, authority key identifier, reasons.
 *   Time       seconds since 1970.
 *   Ownership  crl_new gives, crl_free takes.
 *   Errors     ERR_CRYPTO, ERR_FORMAT with words.
 */
#ifndef PKI_CRL_H
#define PKI_CRL_H

#include "core/buf.h"
#include "core/err.h"

#include <openssl/evp.h>
#include <openssl/x509.h>

struct crl;

int crl_new(struct crl **out, struct err *err);
void crl_free(struct crl *crl);

/* What a list in a file, PEM or DER, says of a certificate in a file: when it was made, when the
 * next one is due (0: it does not say), whether the certificate is on it. ERR_ARG when it is
 * another authority's. */
struct crl_word {
	int64_t this_update, next_update;
	bool lists;
};

int crl_look_up(const char *list, const char *certificate, struct crl_word *out, struct err *err);

/* serial in hexadecimal; reason 0 is left out, as the RFC wants. */
int crl_add(struct crl *crl, const char *serial, int64_t revoked_at, int reason, struct err *err);

/* Signs it and appends PEM. */
int crl_write(struct crl *crl, X509 *issuer, EVP_PKEY *key, uint64_t number, int64_t this_update,
	int64_t next_update, struct buf *out, struct err *err);

#endif
