/* SPDX-License-Identifier: Apache-2.0 */
/*
 * press - many certificates of one form: what they have in common is encoded once.
 *
 *   model, by pki/issue.h        what is cut out of it        what each has of its own
 *   version, algorithm, issuer,  copied                       serial number, public key,
 *   validity, subject,                                        subjectKeyIdentifier,
 *   extensions                                                subjectAltName, signature
 *
 *   So a certificate says what the ordinary way would have said, as the model was made by it: one
 *   for RSA keys, whose keyUsage differs, and one for all others.
 *   Source     RFC 5280 sections 4.1 and 4.2; X.690 (DER).
 *   Serials    16 octets: 38 bits of the time in ms, so that a ledger finds room for those that
 *              are made together in one place, and 88 random bits.
 *   Names      constraints of the issuers are kept: ERR_ARG for a name outside of them.
 *   Ownership  press_new borrows all but the profile's names, and must be freed first; what
 *              press_make gives is good until its next call.
 *   Threads    one press, one thread.
 *   Errors     ERR_ARG, ERR_FORMAT (a key that is none), ERR_CRYPTO, ERR_NOMEM with words.
 */
#ifndef PKI_PRESS_H
#define PKI_PRESS_H

#include "pki/facts.h"
#include "pki/pemfile.h"
#include "pki/profile.h"

struct press;

/* profile: of a leaf, without names. issuers: the authority's own certificate first. now_s:
 * when its life begins. */
int press_new(const struct profile *profile, pemfile_chain *issuers, EVP_PKEY *issuer_key,
	time_t now_s, struct press **out, struct err *err);
void press_free(struct press *p);

struct press_certificate {
	struct span der;
	char serial[FACTS_SERIAL_MAX];
	const char *issuer; /* its key identifier, as in struct facts */
	int64_t not_before, not_after;
};

/* For this name and a SubjectPublicKeyInfo that was checked before: cert_check_spki. */
int press_make(struct press *p, const struct name *name, struct span spki,
	struct press_certificate *out, struct err *err);

#endif
