/* SPDX-License-Identifier: Apache-2.0 */
/*
 * batch - many certificates issued and recorded in one act: one transaction of the ledger, one
 * line of the audit log.
 *
 *   begin --> add --> add --> ... --> commit --files written--> settle
 *
 *   Order      as in ca/issuance.h: signed; in the ledger and the log, on the disk; then in files.
 *              Nothing of what batch_add gives may be handed on before batch_commit is 0.
 *   Line       cert.issue of the first name: count, first and last serial number, and the SHA-256
 *              of all serial numbers, a line each, in the order of the calls.
 *   Files      with a prefix PREFIX-key.pem may be there, and PREFIX.pem comes next; a crash
 * between is mended by the next state_open (ca/state.h). "" when there will be none: then it is
 *              done with the commit.
 *   Ownership  batch_open gives, batch_close takes, and rolls back what was not committed.
 *   Errors     those of pki/press.h, store/ledger.h, store/audit.h. After one, close it.
 */
#ifndef CA_BATCH_H
#define CA_BATCH_H

#include "ca/state.h"
#include "pki/press.h"

struct batch;

/* profile: of a leaf, without a subject and without names. */
int batch_open(struct state *state, const struct profile *profile, struct batch **out,
	struct err *err);
void batch_close(struct batch *b);

/* *out is good until the next call. */
int batch_add(struct batch *b, const struct name *name, struct span spki, const char *prefix,
	struct press_certificate *out, struct err *err);

/* What was added is on the disk; the next batch_add begins anew. */
int batch_commit(struct batch *b, struct err *err);

/* The files of all that was committed last are there. */
int batch_settle(struct batch *b, struct err *err);

#endif
