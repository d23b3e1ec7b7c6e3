/* SPDX-License-Identifier: Apache-2.0 */
/*
 * publication - what of ours a record set shall hold, made so, and remembered.
 *
 *   remembered --+
 *   served now --+--> plan --empty--> settled
 *   wanted ------+      |
 *                   remember what comes and goes --> tell the server --> settle
 *                       ^                                  |
 *                       +------- another writer came between: at most 5 times
 *
 *   Owned      what names.db holds for the owner, in any state: a record is remembered before
 *              a server is told of it, so what a crash leaves is still known as ours. A record
 *              that is wanted and there already without us stays another's.
 *   Revoked    a record that was (sardane revoke) is not published again, by whatever command, and
 *              goes where somebody else put it back: ERR_ARG for who wants it.
 *   Ours alone wanted is all of ours at that name: what else we published there goes.
 *   Audit      a line, tlsa.publish, tlsa.withdraw or tlsa.ttl, before it is settled: a call that
 *              goes on after a crash writes the one that is missing.
 *   Lock       one process at a time for a state directory; other writers are noticed by the back
 *              end (see publish/via.h).
 *   Ownership  the result owns its change: publication_done.
 *   Errors     of via and names; ERR_PEER when others change the set all the time. After an error
 *              the same call goes on where it was.
 */
#ifndef IDENTITY_PUBLICATION_H
#define IDENTITY_PUBLICATION_H

#include "publish/via.h"
#include "store/audit.h"
#include "store/names.h"

struct publication {
	struct names *names;
	struct audit *audit;
	struct via *via;
};

struct publication_result {
	bool changed;
	struct change change; /* the last one planned: what is served now, and what shall be */
	struct rrset removed; /* of ours, by this call */
	unsigned attempts;
};

/* What would change; nothing is. */
int publication_plan(const struct publication *p, const struct rrset *wanted, struct change *out,
	struct err *err);

int publication_set(const struct publication *p, const struct rrset *wanted,
	struct publication_result *out, struct err *err);
void publication_done(struct publication_result *r);

/* The records of ours at a name, as remembered, and those that were revoked there; *out is the
 * caller's. */
int publication_owned(struct names *names, const struct name *owner, uint16_t type,
	struct rrset *out, struct err *err);
int publication_revoked(struct names *names, const struct name *owner, uint16_t type,
	struct rrset *out, struct err *err);

#endif
