/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http_client.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/buf.h"
#include "dane/tlsaset.h"
#include "net/find.h"
#include "net/target.h"
#include "net/transfer.h"
#include "program/log.h"

#define DESTINATIONS_MAX 256
#define TICK_MS          50
#define CONNECT_MIN_MS   250

struct destination;

/* Transfers, and their place in the list of those whose finding is no more. */
struct carrier {
	struct carrier *next;
	struct transfers *transfers;
};

struct post {
	struct post *next; /* in the destination's queue */
	struct destination *to;
	struct buf body;
	int64_t start_ms, found_ms, deadline_ms;
	unsigned endpoint, address; /* of the attempt to make next */
	char why[256];              /* of the last attempt that failed */
	http_client_done *done;
	void *arg;
};

/*
 * Where posts go. Expired, or never found: find runs and the queue waits. Found: transfers
 * carry the posts until expires_ms.
 */
struct destination {
	struct destination *next;
	struct http_client *of;
	struct target target;
	struct find *find;
	struct service *service;
	struct carrier *carrier;
	int64_t expires_ms, refresh_ms, used_ms;
	struct post *queue, **queue_end;
	unsigned running;
	bool nowhere; /* why its queue fails: there is no such service */
};

struct http_client {
	struct http_client_config config;
	struct destination *destinations;
	unsigned destination_count, posts;
	struct carrier *retired; /* until their last attempt ends */
	unsigned depth;          /* of calls that may call done: no destination is freed inside */
	uv_timer_t tick, made;
	struct pace *pace;
	unsigned handles;
	bool closing;
};

static void destination_go(struct destination *d);
static void attempt_next(struct post *p);

/* --- ends --- */

static void fail_now(http_client_done *done, void *arg, const char *why)
{
	struct http_result r = { .why = why };

	done(arg, &r);
}

static void post_end(struct post *p, const struct http_result *result)
{
	p->to->of->posts--;
	p->done(p->arg, result);
	buf_done(&p->body);
	free(p);
}

static void post_fail(struct post *p, const char *why)
{
	int64_t now = resolver_now();
	struct http_result r = {
		.why = why,
		.nowhere = p->to->nowhere,
		.total_ms = (unsigned)(now - p->start_ms),
		.dns_ms = (unsigned)((p->found_ms ? p->found_ms : now) - p->start_ms),
	};

	post_end(p, &r);
}

static struct post *queue_take(struct destination *d)
{
	struct post *p = d->queue;

	d->queue = p->next;
	if (!d->queue)
		d->queue_end = &d->queue;
	p->next = NULL;
	return p;
}

static void queue_fail(struct destination *d, const char *why)
{
	char words[256];
	struct post *p = d->queue, *next;

	snprintf(words, sizeof(words), "%s", why);
	/* Posts made by a done begin a queue of their own. */
	d->queue = NULL;
	d->queue_end = &d->queue;
	for (; p; p = next) {
		next = p->next;
		post_fail(p, words);
	}
}

/* --- finding --- */

static bool endpoint_is_usable(const struct service_endpoint *e)
{
	return e->proof != SERVICE_REFUSED && e->address_count > 0;
}

/* Of sets: servers and caches turn the order of records around as they like. */
static bool answers_same(const struct answer *a, const struct answer *b)
{
	uint8_t x[32], y[32];

	if (!a || !b)
		return a == b;
	return a->status == b->status && tlsaset_hash(a->rdata, a->count, x, NULL) == 0 &&
		tlsaset_hash(b->rdata, b->count, y, NULL) == 0 && memcmp(x, y, sizeof(x)) == 0;
}

static bool addresses_same(const struct service_endpoint *a, const struct service_endpoint *b)
{
	unsigned found = 0;

	for (unsigned i = 0; i < a->address_count; i++)
		for (unsigned j = 0; j < b->address_count; j++)
			if (memcmp(a->address[i], b->address[j], sizeof(a->address[i])) == 0) {
				found++;
				break;
			}
	return found == a->address_count && a->address_count == b->address_count;
}

/* Would a connection made by the one finding be made by the other, and be held to the same? */
static bool services_same(const struct service *a, const struct service *b)
{
	if (!a || a->count != b->count)
		return false;
	for (unsigned i = 0; i < a->count; i++) {
		const struct service_endpoint *x = &a->endpoint[i], *y = &b->endpoint[i];

		if (x->port != y->port || x->proof != y->proof || !name_equal(&x->host, &y->host) ||
			!name_equal(&x->tlsa_owner, &y->tlsa_owner) || !addresses_same(x, y) ||
			x->reference_count != y->reference_count || !answers_same(x->tlsa, y->tlsa))
			return false;
		for (unsigned r = 0; r < x->reference_count; r++)
			if (!name_equal(&x->reference[r], &y->reference[r]))
				return false;
	}
	return true;
}

static void retire(struct destination *d)
{
	if (d->service)
		service_drop(d->service);
	d->service = NULL;
	if (!d->carrier)
		return;
	d->carrier->next = d->of->retired;
	d->of->retired = d->carrier;
	d->carrier = NULL;
}

static void connection_made(void *arg);

static int carrier_for(struct destination *d, struct service *service, struct err *err)
{
	struct transfer_config config = {
		.loop = d->of->config.loop,
		.pace = d->of->pace,
		.tls = service ? d->of->config.tls : NULL,
		.service = service,
		.connections_max = d->of->config.connections_max,
		.body_max = d->of->config.body_max,
		.made = connection_made,
		.arg = d->of,
	};
	struct carrier *c = calloc(1, sizeof(*c));
	int rc;

	if (!c)
		return err_set(err, ERR_NOMEM, "HTTP client: no memory");
	rc = transfer_open(&config, &c->transfers, err);
	if (rc != 0)
		free(c);
	else
		d->carrier = c;
	return rc;
}

/* 0 when some endpoint may be tried; words otherwise. */
static int service_judge(const struct service *s, int64_t *expires_ms, char *why, size_t cap)
{
	int64_t expires = INT64_MAX;

	snprintf(why, cap, "%s", s->why[0] ? s->why : "no endpoint");
	for (unsigned i = 0; i < s->count; i++) {
		const struct service_endpoint *e = &s->endpoint[i];

		if (e->expires_ms != 0 && e->expires_ms < expires)
			expires = e->expires_ms;
		if (!endpoint_is_usable(e))
			snprintf(why, cap, "%s", e->why[0] ? e->why : "no address");
	}
	*expires_ms = expires;
	for (unsigned i = 0; i < s->count; i++)
		if (endpoint_is_usable(&s->endpoint[i]))
			return 0;
	return ERR_PEER;
}

static bool service_is_absent(const struct service *s)
{
	bool absent = s->count > 0 || s->absent;

	for (unsigned i = 0; i < s->count; i++)
		absent &= s->endpoint[i].absent;
	return absent;
}

/* Whoever may write the records of an id would otherwise choose whom we speak with. */
static void hold_hosts(const struct destination *d, struct service *service)
{
	const struct http_client_config *c = &d->of->config;

	if (!c->admit || d->target.service.start != SERVICE_NAPTR)
		return;
	for (unsigned i = 0; i < service->count; i++) {
		struct service_endpoint *e = &service->endpoint[i];

		if (c->admit(c->arg, &e->host))
			continue;
		e->proof = SERVICE_REFUSED;
		snprintf(e->why, sizeof(e->why), "no rule allows the host that DNS names");
	}
}

static void take_service(struct destination *d, struct service *service)
{
	int64_t now = resolver_now(), expires;
	char why[200];
	struct err err = { 0 };

	hold_hosts(d, service);
	if (service_judge(service, &expires, why, sizeof(why)) != 0) {
		d->nowhere = service_is_absent(service);
		retire(d);
		service_drop(service);
		log_info("service.refuse", "target=%s reason=%s", log_value(d->target.key),
			log_value(why));
		queue_fail(d, why);
		d->nowhere = false;
		return;
	}
	if (services_same(d->service, service) && d->carrier) {
		/* Connections that are open stay; new ones rest on what DNS says now. */
		service_drop(d->service);
		d->service = service;
	} else {
		retire(d);
		if (carrier_for(d, service, &err) != 0) {
			service_drop(service);
			queue_fail(d, err.msg);
			return;
		}
		d->service = service;
	}
	/* A TTL of zero is for whoever waits now. */
	d->expires_ms = expires > now ? expires : now + 1;
	d->refresh_ms = d->expires_ms - (d->expires_ms - now) / 5;
	destination_go(d);
}

static void found(void *arg, struct service *service)
{
	struct destination *d = arg;
	struct http_client *c = d->of;

	c->depth++;
	find_free(d->find);
	d->find = NULL;
	take_service(d, service);
	c->depth--;
}

static bool destination_find(struct destination *d)
{
	struct err err = { 0 };

	if (d->find)
		return true;
	if (!d->of->config.tls || !d->of->config.resolver) {
		queue_fail(d, "https needs TLS and a resolver in the configuration");
		return false;
	}
	if (find_new(d->of->pace, d->of->config.resolver, &d->target.service, d->of->config.mode,
		    found, d, &d->find, &err) != 0) {
		queue_fail(d, err.msg);
		return false;
	}
	return true;
}

/* --- attempts --- */

static void attempt_done(void *arg, const struct transfer_result *t)
{
	struct post *p = arg;
	struct destination *d = p->to;
	int64_t now = resolver_now();
	struct http_result r = {
		.ok = t->ok,
		.status = t->status,
		.body = t->body,
		.why = t->why,
		.peer = t->peer,
		.reused = t->reused,
		.connect_ms = t->connect_ms,
		.dns_ms = (unsigned)(p->found_ms - p->start_ms),
		.total_ms = (unsigned)(now - p->start_ms),
	};

	d->of->depth++;
	d->running--;
	if (!t->ok && t->unsent && !d->of->closing && now < p->deadline_ms) {
		snprintf(p->why, sizeof(p->why), "%s", t->why);
		p->address++;
		attempt_next(p);
	} else {
		post_end(p, &r);
		destination_go(d);
	}
	d->of->depth--;
}

/* Moves to the next address that may be tried; *left counts those after it. */
static const struct service_endpoint *candidate(struct post *p, unsigned *left)
{
	const struct service *s = p->to->service;
	const struct service_endpoint *e = NULL;

	*left = 0;
	for (; s && p->endpoint < s->count; p->endpoint++, p->address = 0) {
		e = &s->endpoint[p->endpoint];
		if (endpoint_is_usable(e) && p->address < e->address_count)
			break;
	}
	if (!s || p->endpoint == s->count)
		return NULL;
	*left = e->address_count - p->address - 1U;
	for (unsigned i = p->endpoint + 1; i < s->count; i++)
		*left += endpoint_is_usable(&s->endpoint[i]) ? s->endpoint[i].address_count : 0;
	return e;
}

static void attempt_next(struct post *p)
{
	struct destination *d = p->to;
	int64_t left_ms = p->deadline_ms - resolver_now();
	struct transfer_attempt a = { .url = d->target.url, .body = buf_span(&p->body) };
	unsigned left = 0;

	a.service = d->target.plain ? NULL : d->service;
	a.endpoint = d->target.plain ? NULL : candidate(p, &left);
	a.address = p->address;
	if (left_ms <= 0 || !d->carrier || (d->target.plain ? p->address > 0 : !a.endpoint)) {
		post_fail(p,
			left_ms <= 0        ? "the deadline passed"
				: p->why[0] ? p->why
					    : "no address is left to try");
		destination_go(d);
		return;
	}
	a.timeout_ms = (unsigned)left_ms;
	/* A dead address may not take the time of those after it. */
	a.connect_timeout_ms = (unsigned)(left > 0 ? left_ms / 2 : left_ms);
	if (a.connect_timeout_ms < CONNECT_MIN_MS)
		a.connect_timeout_ms = CONNECT_MIN_MS;
	d->running++;
	transfer_start(d->carrier->transfers, &a, attempt_done, p);
}

static bool destination_is_ready(struct destination *d, int64_t now)
{
	struct err err = { 0 };

	if (d->target.plain) {
		if (!d->carrier && carrier_for(d, NULL, &err) != 0)
			queue_fail(d, err.msg);
		return d->carrier != NULL;
	}
	if (d->carrier && now < d->expires_ms) {
		if (now >= d->refresh_ms)
			(void)destination_find(d);
		return true;
	}
	(void)destination_find(d);
	return false;
}

static void destination_go(struct destination *d)
{
	int64_t now = resolver_now();

	while (d->queue && !d->of->closing && destination_is_ready(d, now) && d->queue &&
		d->running < d->of->config.connections_max &&
		transfer_may_start(d->carrier->transfers)) {
		struct post *p = queue_take(d);

		p->found_ms = now;
		attempt_next(p);
	}
}

/* --- posts --- */

static void destination_free(struct destination *d)
{
	struct destination **at = &d->of->destinations;

	while (*at != d)
		at = &(*at)->next;
	*at = d->next;
	d->of->destination_count--;
	find_free(d->find);
	retire(d);
	free(d);
}

static bool destination_is_idle(const struct destination *d)
{
	return !d->queue && d->running == 0;
}

/* The one idle for longest gives way. */
static bool make_room(struct http_client *c)
{
	struct destination *oldest = NULL;

	/* Inside of a done the bound is that of the posts, until the next post from outside. */
	if (c->destination_count < DESTINATIONS_MAX || c->depth > 0)
		return true;
	for (struct destination *d = c->destinations; d; d = d->next)
		if (destination_is_idle(d) && (!oldest || d->used_ms < oldest->used_ms))
			oldest = d;
	if (oldest)
		destination_free(oldest);
	return oldest != NULL;
}

static struct destination *destination_for(struct http_client *c, const struct target *t)
{
	struct destination *d = c->destinations;

	while (d && strcmp(d->target.key, t->key) != 0)
		d = d->next;
	if (d || !make_room(c))
		return d;
	d = calloc(1, sizeof(*d));
	if (!d)
		return NULL;
	d->of = c;
	d->target = *t;
	d->queue_end = &d->queue;
	d->next = c->destinations;
	c->destinations = d;
	c->destination_count++;
	return d;
}

/* What waited for a connection to be made may begin the next one. */
static void go_on(uv_timer_t *timer)
{
	struct http_client *c = timer->data;

	c->depth++;
	for (struct destination *d = c->destinations; d; d = d->next)
		destination_go(d);
	c->depth--;
}

static void connection_made(void *arg)
{
	struct http_client *c = arg;

	if (!c->closing)
		uv_timer_start(&c->made, go_on, 0, 0);
}

static void expire_posts(struct destination *d, int64_t now)
{
	while (d->queue && now >= d->queue->deadline_ms)
		post_fail(queue_take(d),
			d->find ? "the deadline passed while DNS was asked"
				: "the deadline passed in the queue");
}

static void close_retired(struct http_client *c, bool all)
{
	struct carrier **at = &c->retired;

	while (*at) {
		struct carrier *r = *at;

		if (!all && transfer_count(r->transfers) > 0) {
			at = &r->next;
			continue;
		}
		*at = r->next;
		transfer_close(r->transfers);
		free(r);
	}
}

static void tick(uv_timer_t *timer)
{
	struct http_client *c = timer->data;
	int64_t now = resolver_now();

	c->depth++;
	for (struct destination *d = c->destinations, *next; d; d = next) {
		next = d->next;
		expire_posts(d, now);
	}
	c->depth--;
	close_retired(c, false);
	if (c->posts == 0 && !c->retired)
		uv_timer_stop(timer);
}

void http_client_post(struct http_client *c, const struct http_target *target, struct span body,
	http_client_done *done, void *arg)
{
	struct destination *d;
	struct err err = { 0 };
	struct target t;
	struct post *p;

	if (c->closing || c->posts >= c->config.waiting_max) {
		fail_now(done, arg, c->closing ? "closing" : "too many posts are waiting");
		return;
	}
	if (target_read(target, &t, &err) != 0) {
		fail_now(done, arg, err.msg);
		return;
	}
	d = destination_for(c, &t);
	p = d ? calloc(1, sizeof(*p)) : NULL;
	if (p)
		buf_put(&p->body, body);
	if (!p || !buf_ok(&p->body)) {
		free(p);
		fail_now(done, arg, d ? "no memory" : "too many destinations");
		return;
	}
	p->to = d;
	p->start_ms = d->used_ms = resolver_now();
	p->deadline_ms = p->start_ms + c->config.timeout_ms;
	p->done = done;
	p->arg = arg;
	*d->queue_end = p;
	d->queue_end = &p->next;
	c->posts++;
	if (!uv_is_active((uv_handle_t *)&c->tick))
		uv_timer_start(&c->tick, tick, TICK_MS, TICK_MS);
	c->depth++;
	destination_go(d);
	c->depth--;
}

int http_client_new(const struct http_client_config *config, struct http_client **out,
	struct err *err)
{
	struct http_client *c = calloc(1, sizeof(*c));

	if (!c || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		free(c);
		return err_set(err, ERR_NOMEM, "HTTP client: no memory");
	}
	c->pace = pace_take(config->loop);
	if (!c->pace) {
		curl_global_cleanup();
		free(c);
		return err_set(err, ERR_NOMEM, "HTTP client: no memory");
	}
	c->config = *config;
	if (c->config.timeout_ms == 0)
		c->config.timeout_ms = 4000;
	if (c->config.waiting_max == 0)
		c->config.waiting_max = 1024;
	if (c->config.connections_max == 0)
		c->config.connections_max = 8;
	if (c->config.body_max == 0)
		c->config.body_max = 65536;
	uv_timer_init(config->loop, &c->tick);
	uv_timer_init(config->loop, &c->made);
	c->handles = 2;
	c->tick.data = c->made.data = c;
	*out = c;
	return 0;
}

static void timer_closed(uv_handle_t *handle)
{
	struct http_client *c = handle->data;

	if (--c->handles > 0)
		return;
	free(c);
	curl_global_cleanup();
}

void http_client_free(struct http_client *c)
{
	if (!c)
		return;
	c->closing = true;
	c->depth++;
	for (struct destination *d = c->destinations; d; d = d->next)
		queue_fail(d, "closing");
	for (struct destination *d = c->destinations; d; d = d->next)
		retire(d);
	close_retired(c, true);
	while (c->destinations)
		destination_free(c->destinations);
	pace_give(c->pace);
	uv_close((uv_handle_t *)&c->tick, timer_closed);
	uv_close((uv_handle_t *)&c->made, timer_closed);
}
