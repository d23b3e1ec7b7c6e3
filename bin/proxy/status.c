/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "net/http_server.h"
#include "net/loop.h"
#include "net/resolving.h"
#include "net/secure.h"
#include "program/log.h"
#include "program/walls.h"
#include "proxy/metrics.h"

#define TICK_MS    500
#define DRAIN_MS   5000  /* for who was let in before a reload */
#define SAMPLE_MS  10000 /* of the workers' answers */
#define CHECK_MS   8000  /* for our own names, when only that is asked */
#define ANSWER_MAX (64u << 20)
#define TEXT_PLAIN "text/plain; version=0.0.4; charset=utf-8"

struct status {
	const struct config *config;
	const struct board_view *view;
	uv_loop_t loop;
	uv_timer_t tick;
	struct resolver *resolver;
	struct resolving *resolving;
	struct loop_watch *watch;
	struct http_server *http;
	struct own_list *own;
	uint64_t answered, failed; /* of all workers, at: */
	int64_t sampled_ms;
	bool dns_dead;
	char why[320];
};

/* Since the last sample questions failed and none was answered. */
static void sample_dns(struct status *s, int64_t now)
{
	struct resolver_stats d = metrics_dns(s->view);
	uint64_t answered = d.by_status[ANSWER_SECURE] + d.by_status[ANSWER_DENIAL] +
		d.by_status[ANSWER_INSECURE];

	if (now - s->sampled_ms < SAMPLE_MS)
		return;
	if (answered > s->answered)
		s->dns_dead = false;
	else if (d.by_status[ANSWER_FAILED] > s->failed)
		s->dns_dead = true;
	s->answered = answered;
	s->failed = d.by_status[ANSWER_FAILED];
	s->sampled_ms = now;
}

static void tick(uv_timer_t *timer)
{
	struct status *s = timer->data;
	int64_t now = resolver_now();

	own_list_tick(s->own, now);
	sample_dns(s, now);
}

static const char *ill(struct status *s, const char *what, const char *why)
{
	snprintf(s->why, sizeof(s->why), "%.100s: %.200s", what, why);
	return s->why;
}

/* NULL: it could serve who comes now. */
static const char *why_not(struct status *s)
{
	if (metrics_turning(s->view, resolver_now()) == 0)
		return ill(s, "workers", "none turns");
	for (unsigned i = 0; i < own_list_count(s->own); i++) {
		const struct own *o = own_list_at(s->own, i);

		if (o->not_after_s <= (int64_t)time(NULL))
			return ill(s, o->cert, "has expired");
		if (o->state == OWN_BAD || o->state == OWN_NO_DNS)
			return ill(s, o->owner, o->why);
	}
	return s->dns_dead ? ill(s, "resolver", "no question of the workers is answered") : NULL;
}

static void answer(struct http_exchange *x, unsigned code, const char *type, struct buf *body)
{
	if (buf_ok(body))
		http_server_answer(x, code, type, buf_span(body));
	else
		http_server_answer(x, 500, TEXT_PLAIN, (struct span){ 0 });
}

static void write_health(const struct metrics *m, struct buf *out)
{
	buf_printf(out, "%s\n", m->why_not ? m->why_not : "ok");
}

static void handle(void *arg, struct http_exchange *x)
{
	static const struct {
		const char *path, *type;
		void (*write)(const struct metrics *m, struct buf *out);
	} pages[] = {
		{ "/healthz", TEXT_PLAIN, write_health },
		{ "/metrics", TEXT_PLAIN, metrics_write_text },
		{ "/status", NULL, metrics_write_json },
		{ "/peers", NULL, metrics_write_peers },
	};
	struct status *s = arg;
	struct metrics m = { s->view, s->own, why_not(s), resolver_now(), (int64_t)time(NULL) };
	struct buf body = { .limit = ANSWER_MAX };

	for (unsigned i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
		if (strcmp(x->path, pages[i].path) != 0)
			continue;
		if (strcmp(x->method, "GET") != 0) {
			http_server_answer(x, 405, TEXT_PLAIN, (struct span){ 0 });
			return;
		}
		pages[i].write(&m, &body);
		answer(x, i == 0 && m.why_not ? 503 : 200, pages[i].type, &body);
		buf_done(&body);
		return;
	}
	http_server_answer(x, 404, TEXT_PLAIN, (struct span){ 0 });
}

static void close_all(struct status *s)
{
	own_list_free(s->own);
	s->own = NULL;
	uv_close((uv_handle_t *)&s->tick, NULL);
	loop_watch_free(s->watch);
	resolving_free(s->resolving);
}

static void http_closed(void *arg)
{
	close_all(arg);
}

static void stop(void *arg)
{
	struct status *s = arg;

	http_server_close(s->http, DRAIN_MS, http_closed, s);
	s->http = NULL;
}

/* Told to retire, and maybe to stop after that. */
static void stop_once(void *arg)
{
	struct status *s = arg;

	if (s->http)
		stop(s);
}

static int begin(struct status *s, const struct config *config, struct err *err)
{
	int rc;

	*s = (struct status){ .config = config };
	if (uv_loop_init(&s->loop) != 0)
		return err_set(err, ERR_NOMEM, "status: no memory");
	uv_timer_init(&s->loop, &s->tick);
	s->tick.data = s;
	rc = config->has_resolver ? resolver_new(&config->resolver.config, &s->resolver, err) : 0;
	if (rc == 0 && s->resolver)
		rc = resolving_new(&s->loop, s->resolver, &s->resolving, err);
	return rc ? rc : own_list_new(config, s->resolver, &s->own, err);
}

static int finish(struct status *s, int rc, struct err *err)
{
	struct err closing;
	int closed;

	uv_run(&s->loop, UV_RUN_DEFAULT);
	resolver_free(s->resolver);
	closed = loop_close(&s->loop, &closing);
	if (rc == 0 && closed != 0)
		*err = closing;
	return rc ? rc : closed;
}

static int enter_walls(const struct config *c, struct err *err)
{
	return walls_enter(&(struct walls){ .user = c->file->user,
				   .wanted = c->file->sandbox,
				   .resolver = c->has_resolver ? &c->resolver.config : NULL },
		err);
}

/* What the workers write is for reading. */
static void seal(const struct board_view *v)
{
	for (unsigned i = 0; i < v->count; i++)
		mprotect((void *)v->board[i], v->board[i]->octets, PROT_READ);
	mprotect(v->tally, sizeof(*v->tally), PROT_READ);
}

int status_run(const struct status_config *config, struct err *err)
{
	const struct http_server_config http = { .fd = &config->fd, .handle = handle };
	struct http_server_config c = http;
	struct status s;
	int rc = begin(&s, config->config, err);

	c.loop = &s.loop;
	c.arg = &s;
	s.view = config->view;
	seal(s.view);
	rc = rc ? rc : loop_watch_new(&s.loop, stop_once, stop_once, &s, &s.watch, err);
	rc = rc ? rc : enter_walls(config->config, err);
	rc = rc ? rc : http_server_new(&c, &s.http, err);
	if (rc == 0) {
		uv_timer_start(&s.tick, tick, 0, TICK_MS);
		uv_unref((uv_handle_t *)&s.tick);
		config->ready(config->arg);
	} else {
		close_all(&s);
	}
	return finish(&s, rc, err);
}

/* Who sends a name may ask for any that a wildcard stands for: there is no one record. */
static void say_unasked(const struct own *o)
{
	if (o->listener && secure_mode(&o->end->tls) != TLS_PKIX)
		log_info("proxy.own", "at=%s tlsa=unasked reason=%s", log_value(o->end->name),
			log_value("neither the certificate and the port nor tlsa_name say "
				  "one name to ask for"));
}

static void checking(uv_timer_t *timer)
{
	struct status *s = timer->data;
	int64_t now = resolver_now();

	own_list_tick(s->own, now);
	if (!own_list_is_known(s->own) && now < s->sampled_ms + CHECK_MS)
		return;
	for (unsigned i = 0; i < own_list_count(s->own); i++) {
		const struct own *o = own_list_at(s->own, i);

		if (!o->owner[0])
			say_unasked(o);
		if (!o->owner[0] || !s->resolver)
			continue;
		if (o->state == OWN_GOOD)
			log_info("proxy.own", "at=%s name=%s tlsa=good", log_value(o->end->name),
				log_value(o->owner));
		else
			log_error("proxy.own", "at=%s name=%s reason=%s", log_value(o->end->name),
				log_value(o->owner),
				log_value(
					o->state == OWN_UNKNOWN ? "DNS does not answer" : o->why));
		s->failed += o->state != OWN_GOOD;
	}
	close_all(s);
}

int status_check(const struct config *config, unsigned *bad, struct err *err)
{
	struct status s;
	int rc = begin(&s, config, err);

	s.sampled_ms = resolver_now();
	if (rc == 0)
		uv_timer_start(&s.tick, checking, 0, 50);
	else
		close_all(&s);
	rc = finish(&s, rc, err);
	*bad = (unsigned)s.failed;
	return rc;
}
