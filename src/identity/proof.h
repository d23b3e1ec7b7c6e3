/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proof - would a peer that asks DNS now believe the certificate in a file? Decided by the
 * resolver and the code of the handshake, without a connection.
 *
 *   Time       ms; asked again every half second, past our own cache, until it would or the time
 *              is over. Caches further up may still hold an older answer for its TTL.
 *   Ownership  the caller's memory.
 *   Errors     ERR_SYSTEM, ERR_FORMAT, ERR_NOMEM, ERR_TIMEOUT (a resolver that says nothing at
 *              all). That it would not be believed is a verdict.
 */
#ifndef IDENTITY_PROOF_H
#define IDENTITY_PROOF_H

#include "resolve/resolver.h"
#include "tls/verify.h"

struct proof {
	bool holds;
	enum answer_status dnssec;
	uint32_t ttl_s;
	char why[200]; /* how it matched, or why not */
};

/* Waits for the answer of one question, whatever it is; the caller calls ask_done. */
int proof_ask(struct resolver *r, const struct question *q, struct ask *ask, struct err *err);

int proof_wait(struct resolver *r, const struct name *owner, const struct name *identity,
	enum verify_role role, const char *certificate, unsigned deadline_ms, struct proof *out,
	struct err *err);

#endif
