/* SPDX-License-Identifier: Apache-2.0 */
/*
 * batch - many certificates issued and recorded in one act, in parts of BATCH_PART: one
 * transaction of the ledger, one line of the audit log.
 *
 *   orders --issue: a thread signs, the caller's stores--> made --files written--> settle
 *
 *   Parts      while one is being made durable the next is being signed, so that only the last
 *              one is waited for.
 *
 *   Order      as in ca/issuance.h: signed; in the ledger and the log, on the disk; then in files.
 *              batch_issue returns 0 when all are on the disk. After an error parts before may be,
 *              in ledger and log, without anybody having them, as after a crash.
 *   Line       cert.issue of the first name of a part: count, first and last serial number, and
 *              the SHA-256 of all serial numbers, a line each, in the order of the orders.
 *   Files      with a prefix PREFIX-key.pem may be there, and PREFIX.pem comes next; a crash
 *              between is mended by the next state_open (ca/state.h). "" when there will be none:
 *              then it is done with the commit.
 *   Threads    one batch, one thread; within batch_issue the authority's key is used by another,
 *              which is gone when it returns.
 *   Ownership  batch_open gives, batch_close takes; orders are the caller's, and batch_forget
 *              frees what was made for them, also after an error.
 *   Errors     those of pki/press.h, store/ledger.h, store/audit.h. After one, close it.
 */
#ifndef CA_BATCH_H
#define CA_BATCH_H

#include "ca/state.h"
#include "core/buf.h"
#include "pki/press.h"

#define BATCH_PART 1000

struct batch;

/* profile: of a leaf, without a subject and without names. */
int batch_open(struct state *state, const struct profile *profile, struct batch **out,
	struct err *err);
void batch_close(struct batch *b);

struct batch_order {
	struct name name; /* is made lower case */
	struct span spki; /* checked before, as press_make wants it; borrowed, like the prefix */
	const char *prefix;
	/* made, with its octets here */
	struct press_certificate made;
	struct buf der;
};

int batch_issue(struct batch *b, struct batch_order *orders, size_t n, struct err *err);
void batch_forget(struct batch_order *orders, size_t n);

/* The files of all that was issued last are there. */
int batch_settle(struct batch *b, struct err *err);

#endif
