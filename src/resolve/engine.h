/* SPDX-License-Identifier: Apache-2.0 */
/*
 * engine - every decision of a resolver: cache, budget, open questions, deadlines.
 *
 *   engine_ask --> cached? --> answer at once          upstream:
 *       |no                                            engine_send --> WAITING becomes SENT
 *       |--> budget spent? --> FAILED at once          engine_answer --> settles the asks
 *       |--> the same open? --> joins its askers       engine_lost --> SENT becomes WAITING
 *       `--> WAITING                                   engine_expire --> FAILED by deadline
 *   engine_pop: the next asker to be woken
 *
 *   Engine     no socket, no clock, no process: the replay tests drive it with a fake clock.
 *   Time       ms; the caller says what time it is.
 *   Bounds     open_max open questions, an eighth of them kept for ourselves (source 0);
 *              open_per_source_max different questions of one source, an eighth of that for a
 *              new one while half of open_max is taken: few sources cannot take it all. A
 *              question is sent at most ENGINE_TRIES times, so one that kills its resolver
 *              does not do so for ever.
 *   Failures   FAILED from upstream is cached 1 s (RFC 9520 section 3.2), a passed deadline
 *              never, BOGUS 5 s (long enough to stop a storm, short enough that a repaired zone
 *              is back at once). Neither takes the place of a validated answer still good.
 *   Stale      with serve_stale_s, what ended and cannot be had again since the resolver fails
 *              is given all the same, within the bounds of resolve/stale.h.
 */
#ifndef RESOLVE_ENGINE_H
#define RESOLVE_ENGINE_H

#include "resolve/key.h"
#include "resolve/resolver.h"
#include "resolve/wire.h"

#define ENGINE_DEADLINE_MS     2000
#define ENGINE_DEADLINE_MAX_MS 4000
#define ENGINE_TRIES           4
#define ENGINE_FAILED_TTL_S    1
#define ENGINE_BOGUS_TTL_S     5

struct engine_config {
	unsigned deadline_ms, open_max, open_per_source_max;
	size_t cache_names_max;
	unsigned ttl_min_s, ttl_max_s, negative_ttl_max_s;
	unsigned serve_stale_s;
	struct key_seed seed;
	struct trace trace;
};

struct engine;

/* Takes the numbers as they are: resolver_new fills in the defaults. */
int engine_new(const struct engine_config *config, struct engine **out, struct err *err);
void engine_free(struct engine *e); /* nobody may be open or ready: engine_close, engine_pop */

void engine_ask(struct engine *e, int64_t now_ms, const struct question *q, uint64_t source,
	unsigned timeout_ms, struct ask *ask);
void engine_done(struct ask *ask);
/* *fetching: a prefetch was started and waits to be sent. */
const struct answer *engine_cached(struct engine *e, int64_t now_ms, const struct question *q,
	bool *fetching);
void engine_forget(struct engine *e, const struct question *q);

/* The next question to send, in the order asked: false when none waits. */
bool engine_send(struct engine *e, struct wire_question *out);
void engine_unsend(struct engine *e, uint32_t id); /* could not: it waits again, first */
bool engine_waits(const struct engine *e);         /* is there one to send? */
bool engine_is_open(const struct engine *e, uint32_t id);
void engine_answer(struct engine *e, int64_t now_ms, const struct wire_answer *a);
void engine_lost(struct engine *e, int64_t now_ms);
/* What those hear whose deadline passes; NULL: no more than that. Copied. */
void engine_blame(struct engine *e, const char *why);
void engine_expire(struct engine *e, int64_t now_ms);

/* Every open question FAILED, and every later one at once. */
void engine_close(struct engine *e);

/* The next asker to wake; its answer is set. NULL when none is left. */
struct ask *engine_pop(struct engine *e);

/* 0: somebody is to be woken now; INT64_MAX: nothing to wait for. */
int64_t engine_deadline(const struct engine *e);
void engine_stats(const struct engine *e, struct resolver_stats *out);

#endif
