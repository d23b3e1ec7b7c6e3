/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/serve.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net/loop.h"
#include "net/pace.h"
#include "net/resolving.h"
#include "program/log.h"
#include "program/walls.h"
#include "proxy/pass.h"

#define DRAIN_TICK_MS   50
#define RETIRED_TICK_MS 250
#define BEAT_MS         250

struct serve {
	const struct config *config;
	uv_loop_t loop;
	uv_timer_t drain, beat;
	struct board_slot *slot;          /* NULL: nobody looks */
	struct resolver_stats dns_before; /* of the workers that had the slot before */
	struct resolver *resolver;
	struct resolving *resolving;
	struct loop_watch *watch;
	struct pass **pass; /* one for each end; NULL: not open */
	int64_t drain_until_ms;
};

static unsigned ends(const struct serve *s)
{
	return config_ends(s->config);
}

static int open_resolver(struct serve *s, struct err *err)
{
	int rc;

	if (!s->config->has_resolver)
		return 0;
	rc = resolver_new(&s->config->resolver.config, &s->resolver, err);
	return rc ? rc : resolving_new(&s->loop, s->resolver, &s->resolving, err);
}

static int open_passes(struct serve *s, struct err *err)
{
	int rc = 0;

	for (unsigned i = 0; i < ends(s) && rc == 0; i++)
		rc = pass_open(&(struct pass_config){ .loop = &s->loop,
				       .config = s->config,
				       .end = i,
				       .resolver = s->resolver,
				       .slot = s->slot },
			&s->pass[i], err);
	return rc;
}

static int listen_all(struct serve *s, const struct serve_config *c, struct err *err)
{
	int rc = 0;

	for (unsigned i = 0; i < c->sockets_count && rc == 0; i++)
		rc = pass_listen(s->pass[c->sockets[i].end], c->sockets[i].fd, err);
	return rc;
}

/* For who looks on: that we turn, and what no table counts by itself. */
static void beat(uv_timer_t *timer)
{
	struct serve *s = timer->data;
	struct resolver_stats dns;

	for (unsigned i = 0; i < ends(s); i++)
		pass_set_gauges(s->pass[i]);
	if (s->resolver) {
		resolver_stats(s->resolver, &dns);
		board_set_dns(s->slot, &s->dns_before, &dns);
	}
	atomic_store(&s->slot->beat_ms, resolver_now());
}

static void close_all(struct serve *s)
{
	if (!s->pass)
		return;
	for (unsigned i = 0; i < ends(s); i++)
		pass_close(s->pass[i]);
	if (uv_is_closing((uv_handle_t *)&s->drain))
		return;
	uv_close((uv_handle_t *)&s->drain, NULL);
	uv_close((uv_handle_t *)&s->beat, NULL);
	loop_watch_free(s->watch);
	resolving_free(s->resolving);
}

/* Also those that are not proved yet. */
static unsigned here_now(const struct serve *s)
{
	unsigned n = 0;

	for (unsigned i = 0; i < ends(s); i++)
		n += pass_fronts(s->pass[i]);
	return n;
}

static unsigned open_now(const struct serve *s)
{
	unsigned n = 0;

	for (unsigned i = 0; i < ends(s); i++)
		n += pass_count(s->pass[i]);
	return n;
}

static void draining(uv_timer_t *timer)
{
	struct serve *s = timer->data;
	unsigned open = open_now(s);

	if (here_now(s) > 0 && resolver_now() < s->drain_until_ms)
		return;
	if (open > 0)
		log_warning("proxy.drained", "left=%u", open);
	for (unsigned i = 0; i < ends(s); i++)
		pass_count_drained(s->pass[i]);
	close_all(s);
}

static void drain(struct serve *s, int64_t until_ms, unsigned tick_ms)
{
	for (unsigned i = 0; i < ends(s); i++)
		pass_stop(s->pass[i]);
	s->drain_until_ms = until_ms;
	uv_timer_start(&s->drain, draining, 0, tick_ms);
}

static void stop(void *arg)
{
	struct serve *s = arg;
	unsigned for_s = s->config->file->drain;

	log_info("proxy.drain", "open=%u for_s=%u", open_now(s), for_s);
	drain(s, resolver_now() + (int64_t)for_s * 1000, DRAIN_TICK_MS);
}

/* Others serve from now on; what we have takes the time it takes. */
static void retire(void *arg)
{
	struct serve *s = arg;

	log_info("proxy.retire", "open=%u", open_now(s));
	drain(s, INT64_MAX, RETIRED_TICK_MS);
}

static int enter_walls(const struct serve *s, struct err *err)
{
	const struct config_file *f = s->config->file;
	char token[PATH_MAX];

	snprintf(token, sizeof(token), "%s/.", f->token_folder ? f->token_folder : "");
	return walls_enter(
		&(struct walls){ .user = f->user,
			.wanted = f->sandbox,
			.resolver = s->config->has_resolver ? &s->config->resolver.config : NULL,
			.files = { f->token_folder ? token : NULL } },
		err);
}

static int begin(struct serve *s, const struct config *config, struct board_slot *slot,
	struct err *err)
{
	*s = (struct serve){ .config = config, .slot = slot };
	s->pass = calloc(ends(s), sizeof(struct pass *));
	if (!s->pass || uv_loop_init(&s->loop) != 0) {
		free(s->pass);
		s->pass = NULL;
		return err_set(err, ERR_NOMEM, "worker: no memory");
	}
	uv_timer_init(&s->loop, &s->drain);
	uv_timer_init(&s->loop, &s->beat);
	s->drain.data = s->beat.data = s;
	return open_resolver(s, err);
}

/* A worker that dies gives its turn up. */
static int open_passes_in_turn(struct serve *s, int turn_fd, struct err *err)
{
	int rc;

	if (lockf(turn_fd, F_LOCK, 0) != 0)
		return err_set(err, ERR_SYSTEM, "waiting for a turn: %s", strerror(errno));
	rc = open_passes(s, err);
	if (lockf(turn_fd, F_ULOCK, 0) != 0 && rc == 0)
		rc = err_set(err, ERR_SYSTEM, "ending a turn: %s", strerror(errno));
	return rc;
}

static int finish(struct serve *s, int rc, struct err *err)
{
	struct err closing;
	int closed;

	if (!s->pass)
		return rc;
	uv_run(&s->loop, UV_RUN_DEFAULT);
	resolver_free(s->resolver);
	free(s->pass);
	closed = loop_close(&s->loop, &closing);
	if (rc == 0 && closed != 0)
		*err = closing;
	return rc ? rc : closed;
}

int serve_run(const struct serve_config *config, struct err *err)
{
	struct serve s;
	int rc;

	board_begin(config->slot);
	rc = begin(&s, config->config, config->slot, err);
	rc = rc ? rc : open_passes_in_turn(&s, config->turn_fd, err);
	s.dns_before = config->slot->dns;
	rc = rc ? rc : loop_watch_new(&s.loop, stop, retire, &s, &s.watch, err);
	rc = rc ? rc : enter_walls(&s, err);
	rc = rc ? rc : listen_all(&s, config, err);
	if (rc == 0) {
		pace_spin(&s.loop, config_spin_us(s.config));
		uv_timer_start(&s.beat, beat, 0, BEAT_MS);
		uv_unref((uv_handle_t *)&s.beat);
		config->ready(config->arg);
	} else {
		close_all(&s);
	}
	return finish(&s, rc, err);
}

int serve_check(const struct config *config, struct err *err)
{
	struct serve s;
	int rc = begin(&s, config, NULL, err);

	rc = rc ? rc : open_passes(&s, err);
	close_all(&s);
	return finish(&s, rc, err);
}
