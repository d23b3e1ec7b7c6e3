/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rollusers - who rests on an authority: owners with TLSA records of it, and the certificates
 * it issued for the names these owners speak for.
 *
 *   Owners     those of names.db with a record of usage 2 (DANE-TA) that says one of the
 *              authorities. Usage 0 is left alone: it also needs the stores of relying parties.
 *   Leaves     of the ledger: issued by the authority, good, not revoked, with a name that an
 *              owner speaks for; in their files still, or not issued again since by the other
 *              one, for the same names and into the same files. A name whose own key is
 *              published too (enrolled, rolled) does not rest on the authority.
 *   Time       seconds since 1970.
 *   Ownership  lists are the caller's: cover_done, rollusers_done.
 *   Errors     of names and ledger; ERR_NOMEM.
 */
#ifndef IDENTITY_ROLLUSERS_H
#define IDENTITY_ROLLUSERS_H

#include "core/buf.h"
#include "publish/rrset.h"
#include "rollover/agility.h"
#include "rollover/cover.h"
#include "store/ledger.h"
#include "store/names.h"

#define ROLLUSERS_AUTHORITIES 3 /* current, next, standby */

struct rollusers_authorities {
	size_t count;
	struct buf der[ROLLUSERS_AUTHORITIES];
};

/* Those of these generations that are there. */
int rollusers_read(const char *state, const char *const generation[ROLLUSERS_AUTHORITIES],
	struct rollusers_authorities *out, struct err *err);
void rollusers_forget(struct rollusers_authorities *a);

/* The owners, sorted for cover_find. */
int rollusers_owners(struct names *names, const struct rollusers_authorities *a, struct cover *out,
	struct err *err);

/* The forms of usage 2 in which any of them stands in a set; agility_done. */
int rollusers_forms(const struct rrset *set, const struct rollusers_authorities *a,
	struct agility *out, struct err *err);

struct rollusers_leaf {
	char *names, *prefix; /* prefix "": its files are elsewhere */
	int64_t issued_at, not_after;
	bool here; /* what stands at its prefix is this very certificate */
};

struct rollusers {
	size_t count, cap;
	struct rollusers_leaf *leaf;
};

struct rollusers_question {
	const char *state; /* folder of the state */
	struct ledger *ledger;
	struct names *names;
	const struct cover *owners;
	const char *issuer; /* key identifier of the authority they rest on */
	const char *heir;   /* of the one that issues them again */
	int64_t now_s;
};

int rollusers_find(const struct rollusers_question *q, struct rollusers *out, struct err *err);
void rollusers_done(struct rollusers *u);

/* The first word of its names. */
void rollusers_name(const struct rollusers_leaf *leaf, char *out, size_t cap);

#endif
