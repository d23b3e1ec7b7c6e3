/* SPDX-License-Identifier: Apache-2.0 */
/*
 * facts - what a certificate says, as text and numbers for records and lists.
 *
 *   Source     RFC 5280 section 4.1; subjects as RFC 2253 writes them.
 *   Units      seconds since 1970; serials and key identifiers in lower-case hexadecimal, two
 *              digits an octet.
 *   Ownership  facts_read gives; facts_done takes back.
 *   Errors     ERR_FORMAT (a serial of more than 20 octets), ERR_NOMEM with words.
 */
#ifndef PKI_FACTS_H
#define PKI_FACTS_H

#include "core/buf.h"
#include "core/err.h"

#include <openssl/x509.h>

#define FACTS_SERIAL_MAX 41 /* RFC 5280 section 4.1.2.2: 20 octets; and the final zero */
#define FACTS_KEYID_MAX  65

struct facts {
	char serial[FACTS_SERIAL_MAX];
	char issuer[FACTS_KEYID_MAX]; /* the key identifier of its issuer; its own when self-signed
				       */
	char own[FACTS_KEYID_MAX];    /* its own key identifier; "" when it has none */
	struct buf subject, names;    /* names: parted by blanks */
	int64_t not_before, not_after;
	bool self_signed;
	int path_len;    /* -1: none */
	const char *key; /* keykind's word, "other" for a kind we do not certify */
};

int facts_read(X509 *cert, struct facts *out, struct err *err);
/* Of the first certificate of a PEM file. */
int facts_load(const char *path, struct facts *out, struct err *err);
void facts_done(struct facts *facts);

/* The same form of a serial that a person wrote: colons, upper case and a leading 0x are fine. */
int facts_serial(const char *text, char out[FACTS_SERIAL_MAX], struct err *err);

/* "keyCompromise" and its number: the reasons of RFC 5280 section 5.3.1 that a certificate of
 * ours may be revoked for. NULL for a number that is none. */
const char *facts_reason_word(int reason);
int facts_read_reason(const char *word, int *out, struct err *err);

#endif
