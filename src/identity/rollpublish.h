/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rollpublish - the records of a rollover: planned, published, and asked for, at every owner.
 *
 *   Sets       bits of enum rollover_credential.
 *   Private    as rolltasks.h.
 *   Ownership  sets that come out are the caller's.
 */
#ifndef IDENTITY_ROLLPUBLISH_H
#define IDENTITY_ROLLPUBLISH_H

#include "identity/rolltasks.h"

/* Those of a set that are on the disk: one never made, or erased, has no records to ask for. */
unsigned rollpublish_there(const struct rolling *r, unsigned credentials);

/* What of ours an owner shall have: these credentials, none of our others, and whatever else we
 * have published there, as the key of another server of the same name. */
int rollpublish_plan(struct rolling *r, const struct name *owner, unsigned wanted,
	struct rrset *out, struct err *err);

int rollpublish_all(struct rolling *r, unsigned wanted, bool *changed, struct err *err);

/* Does every server serve wanted, and nothing banned? */
int rollpublish_ask(struct rolling *r, unsigned wanted, unsigned banned, struct rollover_outcome *o,
	struct err *err);

#endif
