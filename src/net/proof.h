/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proof - the TLSA an open connection rests on, asked for again when it expires.
 *
 *   HOLDS --expired--> ASKED --secure, and still there--> HOLDS
 *                        |else
 *                        +--> lost is called, once
 *
 *   Still there  the same set of records as the handshake relied on, in any order, or a
 *                record "3 1 1" of this peer's key that RFC 7671 section 9 lets count.
 *   No answer    is asked for again for two seconds, and then a loss.
 *   Source       RFC 6698 section 4.1 (TTL); architecture: open connections live no longer
 *                than the TLSA they rest on.
 *   Cost         nothing until it expires; then one question, most often answered by the
 *                cache, which other connections of the same name keep fresh.
 */
#ifndef NET_PROOF_H
#define NET_PROOF_H

#include "resolve/resolver.h"
#include "tls/peer.h"

struct proof;

/* grace_ms: how long it may be lost before lost is called; it is asked for all the while.
 * NULL when the peer rests on nothing that expires, or memory is out and lost was called. */
struct proof *proof_new(struct resolver *r, const struct peer *peer, uint64_t source,
	unsigned grace_ms, void (*lost)(void *arg, const char *why), void *arg);
void proof_free(struct proof *p);

/* Now and then; may call lost, in which case the proof may be gone on return. */
void proof_tick(struct proof *p, int64_t now_ms);

#endif
