/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rollremain - what an authority's rollover still has before it: owners, certificates, and the
 * authorities that only sign their CRL any more. From what is remembered; nobody is asked.
 *
 *   Owners     until SWITCH those without the next one's record; from WITHDRAW on those with a
 *              record that is to go.
 *   Leaves     those that rest on the one that is not kept.
 *   Time       seconds since 1970.
 *   Ownership  rollremain_read fills the caller's memory, rollremain_done empties it.
 *   Errors     of names, ledger and succession.
 */
#ifndef IDENTITY_ROLLREMAIN_H
#define IDENTITY_ROLLREMAIN_H

#include "identity/rollfile.h"
#include "identity/rollusers.h"

#define ROLLREMAIN_RETIRED_MAX 64

struct rollremain_retired {
	char generation[KEYRING_GENERATION_MAX];
	int64_t until_s;
};

struct rollremain {
	struct cover owners;  /* all */
	struct cover waiting; /* those of them that remain */
	struct rollusers leaves;
	size_t retired_count;
	struct rollremain_retired retired[ROLLREMAIN_RETIRED_MAX];
};

int rollremain_read(const char *state, const struct rollfile *f, int64_t now_s,
	struct rollremain *out, struct err *err);
void rollremain_done(struct rollremain *r);

#endif
