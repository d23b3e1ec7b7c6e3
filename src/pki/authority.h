/* SPDX-License-Identifier: Apache-2.0 */
/*
 * authority - a certificate authority that is a folder, and what it issues.
 *
 *   Folder     ca.pem and its key: ca-key.pem (0600), or ca-key.uri (0600), which names a key in
 *              a token (pki/token.h); below a root also ca-chain.pem: itself, then its issuers
 *              up to the root. Under another name than ca it is a prefix: "certs/intermediate".
 *              A ca.pem that is a link to another NAME.pem beside it stands for that NAME, key
 *              and chain included: so one authority takes the place of another at once.
 *   Issued     X-key.pem (0600), X.pem (leaf), X-chain.pem (issuers up to the root),
 *              X-combined.pem (leaf and intermediates; leaf and root when there are none).
 *   Source     RFC 5280; RFC 8446 section 4.4.2 (order of a chain).
 *   Ownership  struct authority belongs to the caller: authority_free.
 *   Errors     words name the file and the reason; nothing is written when a file is in the
 *              way and replace is false.
 */
#ifndef PKI_AUTHORITY_H
#define PKI_AUTHORITY_H

#include <limits.h>

#include "pki/password.h"
#include "pki/pemfile.h"
#include "pki/profile.h"

struct authority;

struct authority_place {
	char folder[PATH_MAX]; /* where its records are */
	char prefix[PATH_MAX];
	char cert[PATH_MAX], key[PATH_MAX], uri[PATH_MAX], chain[PATH_MAX];
};

/* where: a folder, or a prefix: PREFIX.pem is its certificate. */
int authority_locate(const char *where, struct authority_place *out, struct err *err);

/* password: for a key that is encrypted or in a token; NULL: there is none. */
int authority_open(const struct authority_place *place, const struct password *password,
	struct authority **out, struct err *err);
int authority_load(const char *where, const struct password *password, struct authority **out,
	struct err *err);
void authority_free(struct authority *a);

X509 *authority_certificate(const struct authority *a);
EVP_PKEY *authority_key(const struct authority *a);
/* Its own certificate first, the root last. */
pemfile_chain *authority_chain(const struct authority *a);

struct authority_order {
	const struct profile *profile;
	/* The key: one of these, or a new one of P-256. */
	const char *key_kind;            /* a new one: one of keykind_read's words */
	const char *key_file;            /* an existing one, certified again */
	const char *key_uri;             /* of an authority: one in a token */
	EVP_PKEY *public_key;            /* of a request: its private half is elsewhere */
	const struct password *password; /* for key_file and key_uri */
	const struct password *encrypt;  /* a new key is written under it; NULL: in clear */
	bool replace;                    /* may overwrite */
	/* Told what was signed, before any of its files is written: when it fails none is. */
	int (*record)(void *arg, X509 *cert, const char *prefix, struct err *err);
	void *record_arg;
};

/* A root in folder, which is made (0700) when absent. */
int authority_init(const char *folder, const struct authority_order *order, struct err *err);

/* An intermediate in folder, issued by parent. */
int authority_extend(const struct authority *parent, const char *folder,
	const struct authority_order *order, struct err *err);

/* Either under a prefix instead of a folder; parent NULL: a root. */
int authority_found(const struct authority *parent, const char *prefix,
	const struct authority_order *order, struct err *err);

/* Any of them, written nowhere: record is told the prefix "". */
int authority_make(const struct authority *parent, const struct authority_order *order, X509 **cert,
	EVP_PKEY **key, struct err *err);

/* A leaf: prefix is X above, a path without the ending. */
int authority_issue(const struct authority *parent, const char *prefix,
	const struct authority_order *order, struct err *err);

/* The files of a certificate whose key is there: what a crash left out. */
int authority_complete(const struct authority *parent, const char *prefix, X509 *cert,
	struct err *err);

#endif
