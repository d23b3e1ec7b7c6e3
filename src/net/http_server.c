/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http_server.h"

#include <stdlib.h>
#include <sys/socket.h>

#include "net/exchange.h"
#include "net/link.h"
#include "net/listen.h"

#define DRAIN_TICK_MS 10

struct http_server {
	struct listen *listen;
	struct links *links;
	struct exchanges *exchanges;
	uv_timer_t drain;
	int64_t drain_until_ms;
	uint16_t port;
	bool plain, closing;
	void (*done)(void *arg);
	void *done_arg;
};

static void defaults(struct http_server_config *c)
{
	if (c->body_max == 0)
		c->body_max = 32768;
	if (c->connections_max == 0)
		c->connections_max = 4096;
	if (c->handshakes_max == 0)
		c->handshakes_max = 2048;
	if (c->per_source_max == 0)
		c->per_source_max = 1024;
	if (c->handshake_timeout_ms == 0)
		c->handshake_timeout_ms = 10000;
	if (c->request_timeout_ms == 0)
		c->request_timeout_ms = 10000;
	if (c->idle_timeout_ms == 0)
		c->idle_timeout_ms = 120000;
}

static void accepted(void *arg, int fd, const struct sockaddr *from)
{
	struct http_server *s = arg;

	link_accept(s->links, fd, from);
}

static int build(struct http_server *s, const struct http_server_config *c, struct err *err)
{
	struct links_config links = {
		.loop = c->loop,
		.tls = c->tls,
		.resolver = c->resolver,
		.links_max = c->connections_max,
		.half_open_max = c->handshakes_max,
		.per_source_max = c->per_source_max,
		.handshake_timeout_ms = c->handshake_timeout_ms,
		.open = exchange_link_open,
		.input = exchange_link_input,
		.sent = exchange_link_sent,
		.gone = exchange_link_gone,
	};
	int rc = exchange_open(c, &s->exchanges, err);

	if (rc != 0)
		return rc;
	links.arg = s->exchanges;
	rc = link_table_new(&links, &s->links, err);
	if (rc == 0)
		rc = c->fd ? listen_begin(*c->fd, err) : 0;
	if (rc == 0)
		rc = c->fd ? listen_new_on(c->loop, *c->fd, accepted, s, &s->listen, err)
			   : listen_new(c->loop, c->bind, accepted, s, &s->listen, err);
	if (rc != 0) {
		if (s->links)
			link_table_close(s->links, NULL, NULL);
		exchange_close(s->exchanges);
	}
	return rc;
}

int http_server_new(const struct http_server_config *config, struct http_server **out,
	struct err *err)
{
	struct http_server_config c = *config;
	struct sockaddr_storage address = { 0 };
	socklen_t n = sizeof(address);
	struct http_server *s;
	int rc = 0;

	if (!c.fd)
		rc = listen_read_address(c.bind, &address, err);
	else if (getsockname(*c.fd, (struct sockaddr *)&address, &n) != 0)
		rc = err_set(err, ERR_SYSTEM, "listen: no socket");
	if (rc != 0)
		return rc;
	/* Who answers in the clear answers to everybody: only this host may be everybody. */
	if (!c.tls && address.ss_family != AF_UNIX &&
		!listen_is_loopback((const struct sockaddr *)&address))
		return err_set(err, ERR_ARG, "listen on %s: without TLS only on loopback",
			c.fd ? "the socket given" : c.bind);
	defaults(&c);
	s = calloc(1, sizeof(*s));
	if (!s)
		return err_set(err, ERR_NOMEM, "listen on %s: no memory", c.bind);
	rc = build(s, &c, err);
	if (rc != 0) {
		free(s);
		return rc;
	}
	uv_timer_init(c.loop, &s->drain);
	s->drain.data = s;
	s->plain = !c.tls;
	s->port = listen_port(s->listen);
	*out = s;
	return 0;
}

uint16_t http_server_port(const struct http_server *s)
{
	return s->port;
}

static void freed(uv_handle_t *handle)
{
	struct http_server *s = handle->data;

	if (s->done)
		s->done(s->done_arg);
	free(s);
}

static void links_gone(void *arg)
{
	struct http_server *s = arg;

	exchange_close(s->exchanges);
	uv_close((uv_handle_t *)&s->drain, freed);
}

/* A program of this machine that was let in a moment ago is about to ask: the request that is on
 * its way would be answered by a reset. */
static unsigned expected(const struct http_server *s)
{
	return s->plain ? link_table_half_open(s->links) + exchange_fresh(s->exchanges) : 0;
}

static void drained(uv_timer_t *timer)
{
	struct http_server *s = timer->data;

	if (exchange_count(s->exchanges) + link_table_unsent(s->links) + expected(s) > 0 &&
		resolver_now() < s->drain_until_ms)
		return;
	uv_timer_stop(timer);
	link_table_close(s->links, links_gone, s);
}

void http_server_close(struct http_server *s, unsigned drain_ms, void (*done)(void *arg), void *arg)
{
	if (!s || s->closing)
		return;
	s->closing = true;
	s->done = done;
	s->done_arg = arg;
	s->drain_until_ms = resolver_now() + drain_ms;
	listen_free(s->listen);
	exchange_drain(s->exchanges);
	uv_timer_start(&s->drain, drained, 0, DRAIN_TICK_MS);
}

void http_server_answer(struct http_exchange *x, unsigned status, const char *content_type,
	struct span body)
{
	exchange_answer(x, status, content_type, body);
}
