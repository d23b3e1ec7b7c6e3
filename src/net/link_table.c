/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "net/link_parts.h"

#define TICK_MS 250

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

	work_off(&s->busy, link_serve, pace_until(s->pace, LINK_SERVE_NS) - s->served_ns);
	work_off(&s->dead, link_reap, pace_until(s->pace, REAP_NS));
	if (s->busy.first || s->dead.first)
		uv_timer_start(&s->kick, turn, 0, 0);
	s->served_ns = 0;
}

static void look_at(struct link *l, int64_t now)
{
	if (l->deadline_ms != 0 && now >= l->deadline_ms) {
		if (l->machine.at == SILENT)
			l->of->config.counts->silent++;
		else if (l->machine.at < OPEN)
			link_say_refused(l, l->deadline_why);
		link_close(l, l->deadline_why);
	} else if (l->proof) {
		proof_tick(l->proof, now);
	}
}

/* False: the time was over first; the next call goes on from there. */
static bool expire(struct link_list *list, int64_t now, uint64_t until_ns)
{
	struct link *l = list->at ? list->at : list->first;

	while (l && uv_hrtime() < until_ns) {
		list->at = l->next;
		look_at(l, now);
		l = list->at;
	}
	return !l;
}

static void tick(uv_timer_t *timer)
{
	struct links *s = timer->data;
	uint64_t until_ns = pace_until(s->pace, EXPIRE_NS);
	int64_t now = resolver_now();

	if (!expire(&s->half_open, now, until_ns) || !expire(&s->open, now, until_ns))
		uv_timer_start(timer, tick, 1, TICK_MS);
	verdict_tick(&s->verdict, now);
	if (s->half_open.count + s->open.count == 0)
		uv_timer_stop(timer);
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

void link_table_watch(struct links *s)
{
	if (!uv_is_active((uv_handle_t *)&s->tick))
		uv_timer_start(&s->tick, tick, TICK_MS, TICK_MS);
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

int link_table_new(const struct links_config *config, struct links **out, struct err *err)
{
	struct links *s = calloc(1, sizeof(*s));

	if (!s || !(s->pace = pace_take(config->loop))) {
		free(s);
		return err_set(err, ERR_NOMEM, "connections: no memory");
	}
	s->config = *config;
	if (!s->config.counts)
		s->config.counts = &s->unasked;
	sources_init(&s->sources);
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
