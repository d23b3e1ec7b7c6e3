/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdlib.h>

#include "net/link_parts.h"

/* Shares of one turn of the loop (net/pace.h). */
#define REAP_NS   100000
#define EXPIRE_NS 200000

static void turn(uv_timer_t *timer)
{
	/* Only there so that the loop does not sleep over a queue. */
	(void)timer;
}

/* The longest waiting ones, until the time is over, and at least one. */
static void work_off(struct link_queue *q, void (*what)(struct link *l), uint64_t until_ns)
{
	struct link *l = q->first;

	while (l) {
		link_queue_remove(l);
		what(l);
		l = uv_hrtime() < until_ns ? q->first : NULL;
	}
}

/*
 * Before each wait of the loop, and before the handshakes: what is open, then what is closed. A
 * thousand that come at once slow each other, and not those whose connections are open.
 */
static void work(uv_prepare_t *prepare)
{
	struct links *s = prepare->data;

	work_off(&s->busy, link_serve,
		pace_until(s->pace, uv_hrtime(), LINK_SERVE_NS) - s->served_ns);
	work_off(&s->dead, link_reap, pace_until(s->pace, uv_hrtime(), REAP_NS));
	if (s->busy.first || s->dead.first)
		uv_timer_start(&s->kick, turn, 0, 0);
	s->served_ns = 0;
}

/* The sooner of both that are there. */
static int64_t due_ms(const struct link *l)
{
	int64_t ends_ms = l->machine.at == OPEN ? l->ends_ms : 0;

	return !ends_ms || (l->deadline_ms && l->deadline_ms < ends_ms) ? l->deadline_ms : ends_ms;
}

static void look_at(struct link *l, int64_t now)
{
	struct links *s = l->of;
	int64_t due = due_ms(l);

	if (due == 0)
		return;
	if (now < due) {
		wheel_by(&s->wheel, &l->at, now, due);
		return;
	}
	if (due != l->deadline_ms) {
		link_outlived(l);
		return;
	}
	if (l->machine.at < OPEN && !l->ours)
		s->config.counts->silent++;
	if (l->machine.at < OPEN && (l->machine.at != SILENT || l->heard))
		link_say_refused(l, l->deadline_why);
	link_close(l, l->deadline_why);
}

static void expire(struct links *s, int64_t now, uint64_t until_ns)
{
	struct wheel_node *at;

	wheel_turn(&s->wheel, now);
	while ((at = wheel_pop(&s->wheel))) {
		look_at((struct link *)((uint8_t *)at - offsetof(struct link, at)), now);
		if (uv_hrtime() >= until_ns)
			return;
	}
}

/* What there was no time for comes in the next turn. */
static void tick(uv_timer_t *timer)
{
	struct links *s = timer->data;
	uint64_t until_ns = pace_until(s->pace, uv_hrtime(), EXPIRE_NS);
	int64_t now = resolver_now();

	expire(s, now, until_ns);
	if (s->proofs)
		proof_tick(s->proofs, now, until_ns);
	verdict_tick(&s->verdict, now);
	link_table_watch(s);
}

static int64_t soonest(const struct links *s)
{
	int64_t deadline = wheel_next_ms(&s->wheel), owed = verdict_due_ms(&s->verdict);
	int64_t proof = s->proofs ? proof_next_ms(s->proofs) : INT64_MAX;

	deadline = deadline < owed ? deadline : owed;
	return deadline < proof ? deadline : proof;
}

void link_table_watch(struct links *s)
{
	int64_t next = soonest(s), wait;

	if (s->closing || next == INT64_MAX)
		return;
	if (uv_is_active((uv_handle_t *)&s->tick) && s->armed_ms <= next)
		return;
	wait = next - resolver_now();
	s->armed_ms = next;
	/* Never at once: that would be in this very turn. */
	uv_timer_start(&s->tick, tick, wait > 1 ? (uint64_t)wait : 1, 0);
}

static void proof_due(void *arg)
{
	link_table_watch(arg);
}

/* A source that has its share may not push out the half-open of others either. */
bool link_table_admit(struct links *s, uint64_t source)
{
	struct counts *counts = s->config.counts;

	if (s->closing)
		return false;
	if (!sources_take(&s->sources, source, s->config.per_source_max)) {
		counts->over_source++;
		return false;
	}
	if (s->half_open.count >= s->config.half_open_max) {
		counts->over_half_open++;
		link_close(s->half_open.first, "too many half-open connections");
	}
	if (link_table_count(s) < s->config.links_max)
		return true;
	counts->over_connections++;
	sources_give(&s->sources, source);
	return false;
}

unsigned link_table_count(const struct links *s)
{
	return s->half_open.count + s->open.count;
}

unsigned link_table_half_open(const struct links *s)
{
	return s->half_open.count;
}

unsigned link_table_unsent(const struct links *s)
{
	unsigned unsent = 0;

	for (const struct link *l = s->open.first; l; l = l->next)
		unsent += l->machine.at == FLUSHING || link_unsent(l) > 0;
	return unsent;
}

static int open_proofs(struct links *s, struct err *err)
{
	const struct proof_config config = { .resolver = s->config.resolver,
		.grace_ms = s->config.grace_ms,
		.due = proof_due,
		.lost = link_lost,
		.arg = s };

	if (!s->config.resolver || (!s->config.tls && !s->config.tls_client))
		return 0;
	return proof_table_new(&config, &s->proofs, err);
}

int link_table_new(const struct links_config *config, struct links **out, struct err *err)
{
	size_t chunk_max = config->chunk_max ? config->chunk_max : LINK_CHUNK;
	struct links *s = calloc(1, sizeof(*s) + chunk_max);
	int rc;

	if (!s)
		return err_set(err, ERR_NOMEM, "connections: no memory");
	s->config = *config;
	s->config.chunk_max = chunk_max;
	rc = open_proofs(s, err);
	if (rc == 0 && !(s->pace = pace_take(config->loop)))
		rc = err_set(err, ERR_NOMEM, "connections: no memory");
	if (rc != 0) {
		proof_table_free(s->proofs);
		free(s);
		return rc;
	}
	if (!s->config.counts)
		s->config.counts = &s->unasked;
	s->verdict.lines_max = config->refusals_logged_max;
	s->verdict.unlogged = &s->config.counts->unlogged;
	sources_init(&s->sources);
	wheel_init(&s->wheel);
	uv_prepare_init(config->loop, &s->prepare);
	uv_timer_init(config->loop, &s->tick);
	uv_timer_init(config->loop, &s->kick);
	s->handles = 3;
	s->prepare.data = s->tick.data = s->kick.data = s;
	uv_prepare_start(&s->prepare, work);
	uv_unref((uv_handle_t *)&s->prepare);
	uv_unref((uv_handle_t *)&s->tick);
	*out = s;
	return 0;
}

static void maybe_done(struct links *s)
{
	if (!s->closing || s->handles > 0 || s->closing_links > 0)
		return;
	sources_done(&s->sources);
	buf_done(&s->room);
	proof_table_free(s->proofs);
	if (s->done)
		s->done(s->done_arg);
	free(s);
}

void link_table_reaped(struct links *s)
{
	s->closing_links--;
	maybe_done(s);
}

static void own_handle_closed(uv_handle_t *handle)
{
	struct links *s = handle->data;

	s->handles--;
	maybe_done(s);
}

void link_table_close(struct links *s, void (*done)(void *arg), void *arg)
{
	s->closing = true;
	s->done = done;
	s->done_arg = arg;
	while (s->half_open.first)
		link_close(s->half_open.first, "shutting down");
	while (s->open.first)
		link_close(s->open.first, "shutting down");
	while (s->dead.first)
		link_reap(s->dead.first);
	pace_give(s->pace);
	uv_close((uv_handle_t *)&s->prepare, own_handle_closed);
	uv_close((uv_handle_t *)&s->tick, own_handle_closed);
	uv_close((uv_handle_t *)&s->kick, own_handle_closed);
}
