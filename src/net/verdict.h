/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verdict - the log line that says who was believed, or why not.
 *
 *   tls.accept peer=_ns-client.ns.a.example tlsa=_ns-client.ns.a.example usage="3 1 1"
 *     dnssec=secure took_ms=12 from=127.0.0.1:40312
 *   tls.refuse peer=... tlsa=... dnssec=bogus took_ms=8 from=... reason="..."
 *
 *   Bound      at most lines_max refusals a second are written, then a count of the rest: who
 *              floods the listener shall not fill the disk.
 */
#ifndef NET_VERDICT_H
#define NET_VERDICT_H

#include <sys/socket.h>

#include "core/trace.h"
#include "tls/peer.h"

#define VERDICT_LINES_MAX 100

struct verdict {
	int64_t second_ms; /* start of the second that is counted */
	unsigned written, left_out, dropped;
	unsigned lines_max; /* each second; 0 is VERDICT_LINES_MAX */
	uint64_t *unlogged; /* counts all that were left out; NULL: nobody does */
};

void verdict_accepted(const struct peer *peer, const struct sockaddr *from, int64_t took_ms,
	enum trace_level level);
void verdict_refused(struct verdict *v, const struct peer *peer, const struct sockaddr *from,
	int64_t took_ms, const char *why);

/* A connection closed before it was looked at: over a limit. */
void verdict_dropped(struct verdict *v);
void verdict_tick(struct verdict *v, int64_t now_ms);
/* When a count of those not written is to be written by verdict_tick; INT64_MAX: there is none. */
int64_t verdict_due_ms(const struct verdict *v);

/* "peer=... tlsa=... usage=\"3 1 1\" dnssec=secure" of a peer; a static buffer. */
const char *verdict_words(const struct peer *peer);
/* The same without the name. */
const char *verdict_proof(const struct peer *peer);

#endif
