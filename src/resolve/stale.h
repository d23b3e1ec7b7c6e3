/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stale - an answer used beyond its end, while the resolver fails and says nothing newer.
 *
 *   secure --TTL over--> asked --deadline, SERVFAIL, helper dead--> used again, STALE_TTL_MIN_S
 *                          |anything else                             and then asked again: later
 *                          `--> that counts, and this is forgotten    each time, STALE_TTL_MAX_S
 *
 *   Source     RFC 8767, within stricter bounds. Off by default.
 *   Rule       only what was secure, with its signatures known. A denial, an insecure or a bogus
 *              answer ends it, and so does a failure of another kind (a spent budget is ours, and
 *              a peer may bring it about).
 *   Bounds     serve_stale_s from the end of the TTL, and never beyond the first end of a
 *              signature over the records. The clock goes on while the machine sleeps.
 *   TTL 0      is how a cache repeats a copy in its last second: the newest word, that has ended.
 *              Records published with it have no time here (dns/message: signed_until).
 *   AD         a resolver that is trusted for AD says SERVFAIL for what is bogus: not with it.
 *   Ownership  stale_copy is the caller's.
 */
#ifndef RESOLVE_STALE_H
#define RESOLVE_STALE_H

#include "core/err.h"
#include "resolve/resolver.h"
#include "resolve/wire.h"

#define STALE_MAX_S     86400
#define STALE_TTL_MIN_S 5
#define STALE_TTL_MAX_S 30 /* RFC 8767 section 4 */

/* Is what the configuration says about it possible? ERR_ARG. */
int stale_check(const struct resolver_config *config, struct err *err);

/* Does this answer say that the resolver failed, and nothing about the name? */
bool stale_is_outage(const struct wire_answer *a);

/* Until when a may be used at the utmost; 0: not beyond its end. */
int64_t stale_until(const struct answer *a, int64_t now_ms, uint32_t signed_for_s,
	unsigned serve_stale_s);

/* The same records for a moment more, until until_ms at most. NULL: no memory. */
struct answer *stale_copy(const struct answer *old, int64_t now_ms, int64_t until_ms);

#endif
