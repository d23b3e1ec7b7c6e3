/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rollleaves - the certificates that rest on an authority whose rollover is under way: which
 * they are, and each issued again and its program told.
 *
 *   One leaf   its prefix is kept in the rollfile; issued again by keep, with the same key, into
 *              its files; what lies there must be accepted by every owner that speaks for it;
 *              the reload command; the prefix is forgotten. A kill between any two of these is
 *              finished by rollleaves_finish, or the leaf is found again.
 *   Private    as rolltasks.h.
 *   Ownership  rollleaves_open fills the caller's memory, rollleaves_done empties it.
 */
#ifndef IDENTITY_ROLLLEAVES_H
#define IDENTITY_ROLLLEAVES_H

#include "ca/state.h"
#include "identity/rolltasks.h"
#include "identity/rollusers.h"

struct rollleaves {
	struct rolling *r;
	struct state *state; /* of keep */
	struct cover owners;
	char former[PATH_MAX]; /* certificate of the other */
	char issuer[FACTS_KEYID_MAX], heir[FACTS_KEYID_MAX];
};

/* with_key: keep is to sign. */
int rollleaves_open(struct rolling *r, bool with_key, struct rollleaves *out, struct err *err);
void rollleaves_done(struct rollleaves *in);

/* Those that rest on the other one still. */
int rollleaves_find(const struct rollleaves *in, struct rollusers *out, struct err *err);

/* Those with files here; ERR_ARG when others remain, but in an emergency. */
int rollleaves_switch(struct rollleaves *in, struct err *err);

/* Whom a kill, or rollleaves_tell_again, has left to be told. */
int rollleaves_finish(struct rollleaves *in, struct err *err);

/* A service that presents the old chain still: if its leaf is one of keep's. */
int rollleaves_tell_again(struct rolling *r, const char *host, struct err *err);

#endif
