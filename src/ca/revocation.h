/* SPDX-License-Identifier: Apache-2.0 */
/*
 * revocation - certificates taken back, and the list that says so.
 *
 *   Source     RFC 5280 section 5. An entry stays until it was on a list made after its
 *              certificate's end (section 3.3).
 *   Ownership  nothing changes hands.
 *   Errors     those of store/ledger.h, store/audit.h and pki/crl.h.
 */
#ifndef CA_REVOCATION_H
#define CA_REVOCATION_H

#include "ca/state.h"

/* The state may be without its key. */
int revocation_add(struct state *state, const char *serial, int reason, enum ledger_answer *out,
	struct err *err);

/* The serial of the certificate in a file. One that the authority signed before its ledger began,
 * or that was made elsewhere with its key, enters the ledger, so that it can be revoked too.
 * *ours false: another authority has issued it. */
int revocation_adopt(struct state *state, const char *path, char serial[FACTS_SERIAL_MAX],
	bool *ours, struct err *err);

struct revocation_list {
	uint64_t number;
	size_t entries;
	int64_t this_update, next_update;
};

/* Signs a new list and writes it whole to path. */
int revocation_publish(struct state *state, const char *path, unsigned life_s,
	struct revocation_list *out, struct err *err);

#endif
