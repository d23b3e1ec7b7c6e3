/* SPDX-License-Identifier: Apache-2.0 */
/*
 * effect - what a planned change means for the memory of what is ours: the parts that
 * identity/publication.h, for one name, and identity/publications.h, for many, have in common.
 *
 *   Ownership  sets are the struct's: effect_memory_done, effect_done.
 *   Errors     of names and rrset; ERR_ARG for what was revoked.
 */
#ifndef IDENTITY_EFFECT_H
#define IDENTITY_EFFECT_H

#include "publish/change.h"
#include "store/names.h"

/* The owner as names.db has it. */
int effect_owner(const struct name *owner, char out[NAME_TEXT_MAX], struct err *err);

/* What is remembered of a name, which of it no server is known to have, and what was revoked
 * there, whose it ever was. */
struct effect_memory {
	struct rrset owned;
	struct rrset coming;
	struct rrset revoked;
};

int effect_recall(struct names *names, const struct name *owner, uint16_t type,
	struct effect_memory *m, struct err *err);
void effect_memory_done(struct effect_memory *m);

/* Refuses to bring back what was revoked, and takes it out where somebody else did. */
int effect_plan(const struct rrset *now, const struct effect_memory *m, const struct rrset *wanted,
	struct change *out, struct err *err);

/* What a plan means for the memory: each set is of ours only. */
struct effect {
	struct rrset coming;  /* new to us, and added */
	struct rrset staying; /* owned and wanted, or coming */
	struct rrset going;   /* owned and not wanted, or revoked and there */
	struct rrset told;    /* for the audit log: added, now or by a call that was interrupted */
	char ttl[40];         /* likewise: "3600 to 300"; "" as it was */
};

int effect_of(const struct change *c, const struct effect_memory *m, const struct rrset *wanted,
	struct effect *e, struct err *err);
void effect_done(struct effect *e);

/* Puts each record of the set into a state; with drop it is forgotten. What is revoked stays so. */
int effect_remember(struct names *names, const struct rrset *set, enum names_state state, bool drop,
	struct err *err);

#endif
