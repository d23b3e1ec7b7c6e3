/* SPDX-License-Identifier: Apache-2.0 */
/*
 * authority - a certificate authority that is a folder, and what it issues.
 *
 *   Folder     ca.pem, ca-key.pem (0600); below a root also ca-chain.pem: itself, then its
 *              issuers up to the root.
 *   Issued     X-key.pem (0600), X.pem (leaf), X-chain.pem (issuers up to the root),
 *              X-combined.pem (leaf and intermediates; leaf and root when there are none).
 *   Source     RFC 5280; RFC 8446 section 4.4.2 (order of a chain).
 *   Ownership  struct authority belongs to the caller: authority_free.
 *   Errors     words name the file and the reason; nothing is written when a file is in the
 *              way and replace is false.
 */
#ifndef PKI_AUTHORITY_H
#define PKI_AUTHORITY_H

#include "pki/profile.h"

struct authority;

int authority_load(const char *folder, struct authority **out, struct err *err);
void authority_free(struct authority *a);

/* How to make the key: kind is one of keykind_read's words, NULL for P-256. */
struct authority_order {
	const struct profile *profile;
	const char *key_kind;
	const char *key_file; /* an existing key to certify again; NULL: make a new one */
	bool replace;         /* may overwrite */
};

/* A root in folder, which is made (0700) when absent. */
int authority_init(const char *folder, const struct authority_order *order, struct err *err);

/* An intermediate in folder, issued by parent. */
int authority_extend(const struct authority *parent, const char *folder,
	const struct authority_order *order, struct err *err);

/* A leaf: prefix is X above, a path without the ending. */
int authority_issue(const struct authority *parent, const char *prefix,
	const struct authority_order *order, struct err *err);

#endif
