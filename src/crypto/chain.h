/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chain - certificates read from PEM, in the order of the text.
 *
 *   Source     RFC 7468 section 5.
 *   Bounds     one certificate or more, CHAIN_MAX at most; one that does not parse refuses all.
 *   Ownership  the caller frees what comes out.
 *   Errors     ERR_FORMAT, ERR_NOMEM.
 */
#ifndef CRYPTO_CHAIN_H
#define CRYPTO_CHAIN_H

#include <openssl/x509.h>

#include "base/cursor.h"
#include "core/err.h"
#include "core/own.h"

#define CHAIN_MAX 16

typedef STACK_OF(X509) x509_chain;

void chain_free(x509_chain *c);
OWNED_TYPE(x509_chain, chain_free)

/* what is how words begin: "certificate 'a.pem'". */
int chain_read(const char *what, struct span pem, x509_chain **out, struct err *err);

#endif
