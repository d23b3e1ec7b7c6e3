/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/serve.h"

#include <stdlib.h>

#include "net/loop.h"
#include "net/resolving.h"
#include "program/log.h"
#include "program/walls.h"
#include "proxy/pass.h"

#define DRAIN_TICK_MS 50

struct serve {
	const struct config *config;
	uv_loop_t loop;
	uv_timer_t drain;
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
		rc = pass_open(&s->loop, s->config, i, s->resolver, &s->pass[i], err);
	return rc;
}

static int listen_all(struct serve *s, const int *fds, struct err *err)
{
	int rc = 0;

	for (unsigned i = 0; i < ends(s) && rc == 0; i++)
		rc = pass_listen(s->pass[i], fds[i], err);
	return rc;
}

static void close_all(struct serve *s)
{
	if (!s->pass)
		return;
	for (unsigned i = 0; i < ends(s); i++)
		pass_close(s->pass[i]);
	if (!uv_is_closing((uv_handle_t *)&s->drain))
		uv_close((uv_handle_t *)&s->drain, NULL);
	loop_watch_free(s->watch);
	resolving_free(s->resolving);
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

	if (open > 0 && resolver_now() < s->drain_until_ms)
		return;
	if (open > 0)
		log_warning("proxy.drained", "left=%u", open);
	close_all(s);
}

static void stop(void *arg)
{
	struct serve *s = arg;

	log_info("proxy.drain", "open=%u for_s=%u", open_now(s), s->config->file->drain);
	for (unsigned i = 0; i < ends(s); i++)
		pass_stop(s->pass[i]);
	s->drain_until_ms = resolver_now() + (int64_t)s->config->file->drain * 1000;
	uv_timer_start(&s->drain, draining, 0, DRAIN_TICK_MS);
}

static int enter_walls(const struct serve *s, struct err *err)
{
	const struct config_file *f = s->config->file;

	return walls_enter(
		&(struct walls){ .user = f->user,
			.wanted = f->sandbox,
			.resolver = s->config->has_resolver ? &s->config->resolver.config : NULL },
		err);
}

static int begin(struct serve *s, const struct config *config, struct err *err)
{
	int rc;

	*s = (struct serve){ .config = config };
	s->pass = calloc(ends(s), sizeof(struct pass *));
	if (!s->pass || uv_loop_init(&s->loop) != 0) {
		free(s->pass);
		s->pass = NULL;
		return err_set(err, ERR_NOMEM, "worker: no memory");
	}
	uv_timer_init(&s->loop, &s->drain);
	s->drain.data = s;
	rc = open_resolver(s, err);
	return rc ? rc : open_passes(s, err);
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
	int rc = begin(&s, config->config, err);

	rc = rc ? rc : loop_watch_new(&s.loop, stop, NULL, &s, &s.watch, err);
	rc = rc ? rc : listen_all(&s, config->fds, err);
	rc = rc ? rc : enter_walls(&s, err);
	if (rc == 0)
		config->ready(config->arg);
	else
		close_all(&s);
	return finish(&s, rc, err);
}

int serve_check(const struct config *config, struct err *err)
{
	struct serve s;
	int rc = begin(&s, config, err);

	close_all(&s);
	return finish(&s, rc, err);
}
