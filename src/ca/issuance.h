/* SPDX-License-Identifier: Apache-2.0 */
/*
 * issuance - certificates made and recorded in one act.
 *
 *   Order      signed; in the ledger and the audit log, on the disk; in its files; done. A crash
 *              at any point is found by the next state_open.
 *   Ownership  nothing changes hands; order->record is ours to set.
 *   Errors     those of pki/authority.h, store/ledger.h and store/audit.h.
 */
#ifndef CA_ISSUANCE_H
#define CA_ISSUANCE_H

#include "ca/state.h"

/* A root, and the records of its folder. */
int issuance_root(const char *folder, const struct authority_order *order, struct err *err);

/* An authority below; the records of its own folder begin too. */
int issuance_below(struct state *state, const char *folder, const struct authority_order *order,
	struct err *err);

/* A leaf, or by its profile an authority, into the files of a prefix. state NULL: a root. */
int issuance_files(struct state *state, const char *prefix, const struct authority_order *order,
	struct err *err);

/* The same, written nowhere: it is the caller's to hand on. */
int issuance_make(struct state *state, const struct authority_order *order, X509 **cert,
	EVP_PKEY **key, struct err *err);

/* For PREFIX-key.pem, which is there, by the authority of a folder. moves: the place is going to
 * be renamed, so it is recorded without its files. */
int issuance_key(const char *where, const char *prefix, const struct profile *profile, bool moves,
	struct err *err);

/* The certificate of prefix once more: same subject, names, usages and length of life. */
struct issuance_renewal {
	bool new_key;         /* else the same */
	const char *key_kind; /* of a new one; NULL: of the kind it has */
	unsigned life_s;      /* 0: as long as the one before */
	const char *former;   /* certificate of the authority that issued it; NULL: this one */
	const struct password *password, *encrypt;
};

/* dropped, when not NULL, is told what of the old certificate the new one has not. */
int issuance_renew(struct state *state, const char *prefix, const struct issuance_renewal *how,
	struct buf *dropped, struct err *err);

#endif
