/* SPDX-License-Identifier: Apache-2.0 */
#include "resolve/engine.h"

#include "dns/rr.h"
#include "resolve/budget.h"
#include "resolve/cache.h"
#include "resolve/pending.h"
#include "resolve/stale.h"

#include <assert.h>
#include <stdlib.h>

/* How much later a fetched answer must end to be a new one. */
#define FRESHER_MS 2000
/* The upstream counts whole seconds, so its copy ends up to one after ours. */
#define WHOLE_SECOND_MS 1000

/* Made beforehand, so that saying no needs no memory. */
enum refusal {
	REFUSED_MEMORY,
	REFUSED_TOTAL,
	REFUSED_SOURCE,
	REFUSED_DEADLINE,
	REFUSED_CLOSED,
	REFUSED_NAME,
	REFUSALS
};

static const char *const refusal_words[REFUSALS] = {
	[REFUSED_MEMORY] = "out of memory",
	[REFUSED_TOTAL] = "too many open questions",
	[REFUSED_SOURCE] = "too many open questions from this source",
	[REFUSED_DEADLINE] = "no answer before the deadline",
	[REFUSED_NAME] = "no name to ask for",
	[REFUSED_CLOSED] = "the resolver was closed",
};

struct engine {
	struct engine_config config;
	struct cache *cache;
	struct budget *budget;
	struct pendings open;
	struct ask *soonest, *latest; /* open asks by deadline */
	struct ask *ready, **ready_last;
	struct answer *refusal[REFUSALS];
	struct answer *blame; /* for a deadline, while its reason is known; or NULL */
	struct resolver_stats stats;
	bool closed;
};

void engine_free(struct engine *e)
{
	if (!e)
		return;
	assert(!e->soonest && !e->ready);
	for (int i = 0; i < REFUSALS; i++)
		answer_drop(e->refusal[i]);
	answer_drop(e->blame);
	cache_free(e->cache);
	budget_free(e->budget);
	pending_done(&e->open);
	free(e);
}

int engine_new(const struct engine_config *config, struct engine **out, struct err *err)
{
	struct engine *e = calloc(1, sizeof(*e));
	bool whole;

	if (!e)
		return err_set(err, ERR_NOMEM, "resolver: out of memory");
	e->config = *config;
	e->ready_last = &e->ready;
	e->cache = cache_new(config->cache_names_max);
	e->budget = budget_new(&config->seed, config->open_per_source_max);
	whole = e->cache && e->budget && pending_init(&e->open, config->open_max) == 0;
	for (int i = 0; i < REFUSALS; i++) {
		e->refusal[i] = answer_new(ANSWER_FAILED, NULL, 0, refusal_words[i]);
		whole = whole && e->refusal[i];
	}
	if (!whole) {
		engine_free(e);
		return err_set(err, ERR_NOMEM, "resolver: out of memory");
	}
	*out = e;
	return 0;
}

static void link_deadline(struct engine *e, struct ask *ask)
{
	struct ask *before = e->latest;

	while (before && before->deadline_ms > ask->deadline_ms)
		before = before->sooner;
	ask->sooner = before;
	ask->later = before ? before->later : e->soonest;
	*(before ? &before->later : &e->soonest) = ask;
	*(ask->later ? &ask->later->sooner : &e->latest) = ask;
}

static void unlink_deadline(struct engine *e, struct ask *ask)
{
	*(ask->sooner ? &ask->sooner->later : &e->soonest) = ask->later;
	*(ask->later ? &ask->later->sooner : &e->latest) = ask->sooner;
	ask->sooner = ask->later = NULL;
}

static void unlink_ask(struct ask *ask)
{
	*ask->link = ask->next;
	if (ask->next)
		ask->next->link = ask->link;
	ask->next = NULL;
	ask->link = NULL;
}

/* The ask leaves its question; a question without askers leaves the table. */
static void leave(struct engine *e, struct ask *ask)
{
	struct pending *p = ask->pending;

	unlink_ask(ask);
	unlink_deadline(e, ask);
	budget_give(e->budget, ask->source, p->key.hash);
	ask->pending = NULL;
	if (!p->asks)
		pending_remove(&e->open, p);
}

/* From open to ready: engine_pop hands it out. Our own askers have nobody to wake. */
static void settle(struct engine *e, struct ask *ask, struct answer *answer)
{
	bool ours = ask == &ask->pending->fetch;

	e->stats.by_status[answer->status]++;
	e->stats.stale += answer->stale && !ours;
	leave(e, ask);
	if (ours)
		return;
	ask->ready = answer_keep(answer);
	ask->link = e->ready_last;
	*e->ready_last = ask;
	e->ready_last = &ask->next;
}

static void settle_all(struct engine *e, struct pending *p, struct answer *answer)
{
	struct ask *ask = p->asks, *next;

	for (; ask; ask = next) {
		next = ask->next;
		settle(e, ask, answer);
	}
}

struct ask *engine_pop(struct engine *e)
{
	struct ask *ask = e->ready;

	if (!ask)
		return NULL;
	if (!ask->next)
		e->ready_last = &e->ready;
	unlink_ask(ask);
	ask->answer = ask->ready;
	ask->ready = NULL;
	ask->engine = NULL;
	return ask;
}

void engine_done(struct ask *ask)
{
	struct engine *e = ask->engine;

	if (e && ask->pending) {
		leave(e, ask);
	} else if (e && ask->ready) {
		if (!ask->next)
			e->ready_last = ask->link;
		unlink_ask(ask);
		answer_drop(ask->ready);
		ask->ready = NULL;
	}
	answer_drop(ask->answer);
	ask->answer = NULL;
	ask->engine = NULL;
}

static void join(struct engine *e, struct pending *p, struct ask *ask)
{
	ask->pending = p;
	ask->next = p->asks;
	ask->link = &p->asks;
	if (p->asks)
		p->asks->link = &ask->next;
	p->asks = ask;
	link_deadline(e, ask);
}

/* Ahead of the end of what is cached: an open question of our own, if there is room. */
static void prefetch(struct engine *e, int64_t now_ms, const struct key *key)
{
	struct pending *p;

	if (pending_find(&e->open, key) || e->open.open >= e->config.open_max / 2)
		return;
	p = pending_add(&e->open, key);
	if (!p)
		return;
	p->fetch = (struct ask){ .engine = e, .deadline_ms = now_ms + ENGINE_DEADLINE_MAX_MS };
	join(e, p, &p->fetch);
	e->stats.prefetched++;
}

static struct answer *look_up(struct engine *e, int64_t now_ms, const struct key *key)
{
	bool near_end;
	struct answer *a = cache_find(e->cache, key, now_ms, &near_end);

	if (a) {
		e->stats.cached++;
		e->stats.stale += a->stale;
	}
	if (near_end)
		prefetch(e, now_ms, key);
	return a;
}

static void say_stale(const struct engine *e, const char *event, const struct key *key,
	const char *what, const char *words)
{
	char name[NAME_TEXT_MAX] = "", type[12];

	name_write_text(&key->name, name, sizeof(name));
	trace_say(&e->config.trace, TRACE_WARNING, event, "name=%s type=%s %s=\"%s\"", name,
		rr_type_word(key->type, type, sizeof(type)), what, words);
}

/* The resolver fails: what is used beyond its end instead, borrowed; NULL: nothing may be. */
static struct answer *instead(struct engine *e, int64_t now_ms, const struct key *key,
	const char *why)
{
	bool unused;
	int64_t until_ms;
	struct answer *a = cache_find(e->cache, key, now_ms, &unused), *old;

	if (a)
		return a->stale ? a : NULL;
	old = cache_find_stale(e->cache, key, now_ms, &until_ms);
	a = old ? stale_copy(old, now_ms, until_ms) : NULL;
	if (!a)
		return NULL;
	/* Once for each name in each outage. */
	if (!old->stale)
		say_stale(e, "resolver.stale", key, "reason", why);
	if (!cache_put(e->cache, key, a, until_ms)) {
		answer_drop(a);
		return NULL;
	}
	answer_drop(a);
	return a;
}

const struct answer *engine_cached(struct engine *e, int64_t now_ms, const struct question *q,
	bool *fetching)
{
	uint64_t before = e->stats.prefetched;
	const struct answer *a;
	struct key key;

	key_of(&e->config.seed, q, &key);
	a = look_up(e, now_ms, &key);
	*fetching = e->stats.prefetched != before;
	return a;
}

void engine_forget(struct engine *e, const struct question *q)
{
	struct key key;

	key_of(&e->config.seed, q, &key);
	cache_remove(e->cache, &key);
}

static unsigned timeout_of(const struct engine *e, unsigned timeout_ms)
{
	if (timeout_ms == 0)
		timeout_ms = e->config.deadline_ms;
	return timeout_ms < ENGINE_DEADLINE_MAX_MS ? timeout_ms : ENGINE_DEADLINE_MAX_MS;
}

/* The question to join, new or open already; REFUSALS when that went well. */
static enum refusal admit(struct engine *e, const struct key *key, uint64_t source,
	struct pending **out)
{
	struct pending *p = pending_find(&e->open, key);
	unsigned kept = source == RESOLVER_SOURCE_SELF ? 0 : e->config.open_max / 8;

	if (e->closed)
		return REFUSED_CLOSED;
	if (key->name.n == 0)
		return REFUSED_NAME;
	if (!p && e->open.open + kept >= e->config.open_max)
		return REFUSED_TOTAL;
	/* Joining what is open takes no room, so it is never scarce. */
	switch (budget_take(e->budget, source, key->hash,
		!p && e->open.open >= e->config.open_max / 2)) {
	case BUDGET_TAKEN: break;
	case BUDGET_OVER: return REFUSED_SOURCE;
	case BUDGET_NO_MEMORY: return REFUSED_MEMORY;
	}
	if (p && p->parked)
		pending_return(&e->open, p, false);
	if (p)
		e->stats.coalesced++;
	else
		p = pending_add(&e->open, key);
	if (!p) {
		budget_give(e->budget, source, key->hash);
		return REFUSED_MEMORY;
	}
	*out = p;
	return REFUSALS;
}

static void answer_at_once(struct engine *e, struct ask *ask, struct answer *answer)
{
	e->stats.by_status[answer->status]++;
	ask->answer = answer_keep(answer);
	ask->engine = NULL;
}

void engine_ask(struct engine *e, int64_t now_ms, const struct question *q, uint64_t source,
	unsigned timeout_ms, struct ask *ask)
{
	struct pending *p = NULL;
	struct answer *cached;
	enum refusal refusal;
	struct key key;

	*ask = (struct ask){ .wake = ask->wake, .arg = ask->arg, .engine = e, .source = source };
	e->stats.asked++;
	key_of(&e->config.seed, q, &key);
	cached = e->closed ? NULL : look_up(e, now_ms, &key);
	if (cached) {
		answer_at_once(e, ask, cached);
		return;
	}
	refusal = admit(e, &key, source, &p);
	if (refusal != REFUSALS) {
		e->stats.refused_budget++;
		trace_say(&e->config.trace, TRACE_DEBUG, "resolver.refuse", "reason=\"%s\"",
			refusal_words[refusal]);
		answer_at_once(e, ask, e->refusal[refusal]);
		return;
	}
	ask->deadline_ms = now_ms + timeout_of(e, timeout_ms);
	join(e, p, ask);
}

bool engine_send(struct engine *e, struct wire_question *out)
{
	struct pending *p = pending_take(&e->open);

	if (!p)
		return false;
	out->id = p->id;
	out->question = (struct question){ .name = p->key.name, .type = p->key.type };
	e->stats.sent++;
	return true;
}

void engine_unsend(struct engine *e, uint32_t id)
{
	struct pending *p = pending_of_id(&e->open, id);

	if (!p || !p->sent)
		return;
	e->stats.sent--;
	p->tries--;
	pending_return(&e->open, p, true);
}

bool engine_is_open(const struct engine *e, uint32_t id)
{
	return pending_of_id(&e->open, id) != NULL;
}

static uint32_t clamp(uint32_t v, uint32_t least, uint32_t most)
{
	return v < least ? least : v > most ? most : v;
}

static uint32_t ttl_of(const struct engine *e, const struct wire_answer *a)
{
	switch (a->status) {
	case ANSWER_FAILED: return ENGINE_FAILED_TTL_S;
	case ANSWER_BOGUS: return ENGINE_BOGUS_TTL_S;
	case ANSWER_SECURE:
	case ANSWER_INSECURE:
		if (a->count)
			return clamp(a->ttl_s, e->config.ttl_min_s, e->config.ttl_max_s);
		break;
	case ANSWER_DENIAL: break;
	}
	/* RFC 2308 section 5: a limit on how long a denial is believed. */
	return clamp(a->ttl_s, 0, e->config.negative_ttl_max_s);
}

static struct answer *build(const struct engine *e, int64_t now_ms, const struct key *key,
	const struct wire_answer *w)
{
	struct answer *a = answer_new(w->status, w->rdata, w->count, w->why);

	if (!a)
		return NULL;
	a->nxdomain = w->nxdomain;
	a->rcode = (uint8_t)(w->rcode < 255 ? w->rcode : 255);
	a->ttl_s = ttl_of(e, w);
	a->expires_ms = now_ms + (int64_t)a->ttl_s * 1000;
	a->final = w->final;
	a->aliased = !name_equal(&w->final, &key->name);
	return a;
}

static bool proves_nothing(const struct answer *a)
{
	return a->status == ANSWER_FAILED || a->status == ANSWER_BOGUS;
}

static void move_deadline(struct engine *e, struct ask *ask, int64_t deadline_ms)
{
	unlink_deadline(e, ask);
	ask->deadline_ms = deadline_ms;
	link_deadline(e, ask);
}

/*
 * The upstream has a cache too, and may repeat what we know instead of asking: no later end
 * than ours means that. Then the moment to ask is that end, and not before.
 */
static bool park(struct engine *e, int64_t now_ms, struct pending *p, const struct answer *a)
{
	const struct answer *old;
	bool unused;

	if (p->asks != &p->fetch || p->fetch.next || p->tries > 1)
		return false;
	old = cache_find(e->cache, &p->key, now_ms, &unused);
	if (!old || old->stale || old->status != a->status ||
		a->expires_ms >= old->expires_ms + FRESHER_MS)
		return false;
	pending_park(p);
	move_deadline(e, &p->fetch, old->expires_ms + WHOLE_SECOND_MS);
	return true;
}

static void unpark(struct engine *e, int64_t now_ms, struct pending *p)
{
	pending_return(&e->open, p, false);
	move_deadline(e, &p->fetch, now_ms + ENGINE_DEADLINE_MAX_MS);
}

/* It spoke of the name, or failed in another way: nothing older is used any more. */
static void end_stale(struct engine *e, const struct key *key, const struct wire_answer *w)
{
	if (!cache_spoil(e->cache, key))
		return;
	say_stale(e, "resolver.stale_end", key, "status", answer_status_word(w->status));
	cache_remove(e->cache, key);
}

/* What has ended already is kept for an outage alone. A failed prefetch must not throw away what is
 * validated and still good, nor may a copy that the upstream repeats in its last second. */
static void remember(struct engine *e, int64_t now_ms, const struct key *key, struct answer *a,
	uint32_t signed_for_s)
{
	int64_t until_ms = stale_until(a, now_ms, signed_for_s, e->config.serve_stale_s);
	bool unused;

	if (a->ttl_s == 0 && until_ms <= now_ms)
		return;
	if ((a->ttl_s == 0 || proves_nothing(a)) && cache_find(e->cache, key, now_ms, &unused))
		return;
	cache_put(e->cache, key, a, until_ms);
}

/* What the askers get, a reference of the caller's. */
static struct answer *take(struct engine *e, int64_t now_ms, const struct key *key,
	const struct wire_answer *w, struct answer *a)
{
	struct answer *old = NULL;

	if (stale_is_outage(w))
		old = instead(e, now_ms, key, w->why);
	else
		end_stale(e, key, w);
	if (old) {
		answer_drop(a);
		return answer_keep(old);
	}
	if (!a)
		return answer_keep(e->refusal[REFUSED_MEMORY]);
	remember(e, now_ms, key, a, w->signed_for_s);
	return a;
}

void engine_answer(struct engine *e, int64_t now_ms, const struct wire_answer *w)
{
	struct pending *p = pending_of_id(&e->open, w->id);
	char name[NAME_TEXT_MAX] = "", type[12];
	struct answer *a;

	if (!p || !p->sent)
		return;
	name_write_text(&p->key.name, name, sizeof(name));
	trace_say(&e->config.trace, w->status == ANSWER_BOGUS ? TRACE_WARNING : TRACE_DEBUG,
		"resolver.answer", "name=%s type=%s status=%s records=%u ttl=%u reason=\"%s\"",
		name, rr_type_word(p->key.type, type, sizeof(type)), answer_status_word(w->status),
		w->count, w->ttl_s, w->why);
	a = build(e, now_ms, &p->key, w);
	if (a && park(e, now_ms, p, a)) {
		answer_drop(a);
		return;
	}
	a = take(e, now_ms, &p->key, w, a);
	settle_all(e, p, a);
	answer_drop(a);
}

static void give_up(struct engine *e, int64_t now_ms, struct pending *p)
{
	static const char why[] = "the resolver died on this question";
	struct answer *a = instead(e, now_ms, &p->key, why);

	a = a ? answer_keep(a) : answer_new(ANSWER_FAILED, NULL, 0, why);
	if (!a)
		a = answer_keep(e->refusal[REFUSED_MEMORY]);
	settle_all(e, p, a);
	answer_drop(a);
}

void engine_lost(struct engine *e, int64_t now_ms)
{
	engine_expire(e, now_ms);
	for (unsigned slot = 0; slot < e->open.open_max; slot++) {
		struct pending *p = e->open.slots[slot];

		if (!p || !p->sent)
			continue;
		if (p->tries >= ENGINE_TRIES)
			give_up(e, now_ms, p);
		else
			pending_return(&e->open, p, false);
	}
}

void engine_blame(struct engine *e, const char *why)
{
	answer_drop(e->blame);
	e->blame = why ? answer_new(ANSWER_FAILED, NULL, 0, why) : NULL;
}

/* Nobody but us waits for a prefetch, and what it is for is still there. */
static void time_out(struct engine *e, int64_t now_ms, struct ask *ask)
{
	struct pending *p = ask->pending;
	struct answer *refusal = e->blame ? e->blame : e->refusal[REFUSED_DEADLINE],
		      *a = ask == &p->fetch ? NULL : instead(e, now_ms, &p->key, refusal->why);

	e->stats.timed_out++;
	settle(e, ask, a ? a : refusal);
}

void engine_expire(struct engine *e, int64_t now_ms)
{
	while (e->soonest && e->soonest->deadline_ms <= now_ms) {
		if (e->soonest->pending->parked) {
			unpark(e, now_ms, e->soonest->pending);
			continue;
		}
		time_out(e, now_ms, e->soonest);
	}
}

void engine_close(struct engine *e)
{
	e->closed = true;
	while (e->soonest)
		settle(e, e->soonest, e->refusal[REFUSED_CLOSED]);
}

bool engine_waits(const struct engine *e)
{
	return e->open.first != NULL;
}

int64_t engine_deadline(const struct engine *e)
{
	if (e->ready)
		return 0;
	return e->soonest ? e->soonest->deadline_ms : INT64_MAX;
}

void engine_stats(const struct engine *e, struct resolver_stats *out)
{
	*out = e->stats;
	out->open = e->open.open;
	out->names = cache_names(e->cache);
	out->cache_octets = cache_octets(e->cache);
}
