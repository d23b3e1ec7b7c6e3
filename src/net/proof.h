/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proof - the TLSA that open connections rest on, asked for again when it expires.
 *
 *   HOLDS --expired--> ASKED --secure, and still there--> HOLDS
 *     ^                  |else
 *     +--asked again--- LOST --grace is over--> GONE: lost is called for each who holds it
 *
 *   Shared       by all connections whose verdict rests on the same: TLSA owner, key, and set of
 *                records. Ten thousand of one name cost one question when it expires. Another
 *                key of that name, or another set, is another proof; one that is lost takes
 *                nobody in any more.
 *   Still there  the same set of records as the handshake relied on, in any order, or a
 *                record "3 1 1" of this peer's key that RFC 7671 section 9 lets count.
 *   No answer    is asked for again for two seconds, and then a loss.
 *   Source       RFC 6698 section 4.1 (TTL); architecture: open connections live no longer
 *                than the TLSA they rest on. The soonest end of all who hold it counts.
 *   Time         ms of resolver_now, handed in.
 *   Ownership    a hold lies in its owner's memory, zeroed, and is given back before that goes.
 */
#ifndef NET_PROOF_H
#define NET_PROOF_H

#include "resolve/resolver.h"
#include "tls/peer.h"

struct proof;
struct proofs;

struct proof_hold {
	struct proof *of; /* NULL: it rests on nothing that expires */
	struct proof_hold *next, **at;
};

struct proof_config {
	struct resolver *resolver;
	unsigned grace_ms; /* how long it may be lost before lost is called */
	/* There is something to do sooner than proof_next_ms said. */
	void (*due)(void *arg);
	/* The hold is given back already; its owner may go, and others with it. silent: DNS did not
	 * answer, so nothing is known to be gone. */
	void (*lost)(void *arg, struct proof_hold *h, bool silent, const char *why);
	void *arg;
};

int proof_table_new(const struct proof_config *config, struct proofs **out, struct err *err);
void proof_table_free(struct proofs *s); /* nobody holds one */
unsigned proof_table_count(const struct proofs *s);

/* What the peer was proved by; nothing when that does not expire. source: for whom it is asked.
 * ERR_NOMEM. */
int proof_take(struct proofs *s, int64_t now_ms, const struct peer *peer, uint64_t source,
	struct proof_hold *h);
void proof_give(struct proof_hold *h); /* NULL or nothing held: nothing */

/* What is due, and at least one, until the time of uv_hrtime; may call lost. */
void proof_tick(struct proofs *s, int64_t now_ms, uint64_t until_ns);
int64_t proof_next_ms(const struct proofs *s); /* INT64_MAX: nothing */

#endif
