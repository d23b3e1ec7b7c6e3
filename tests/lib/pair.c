/* SPDX-License-Identifier: Apache-2.0 */
#include "pair.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void do_nothing(void *arg)
{
	(void)arg;
}

bool pair_open(struct pair *p, struct tls_server *server, struct tls_client *client,
	const struct service_endpoint *endpoint)
{
	memset(p, 0, sizeof *p);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, p->fd))
		abort();
	if (conn_new_server(server, p->fd[1], 1, do_nothing, NULL, &p->server, NULL) == 0 &&
		conn_new_client(client, endpoint, p->fd[0], &p->client, NULL) == 0)
		return true;
	pair_close(p);
	return false;
}

void pair_close(struct pair *p)
{
	conn_free(p->server);
	conn_free(p->client);
	close(p->fd[0]);
	close(p->fd[1]);
	memset(p, 0, sizeof *p);
}

static bool is_over(enum conn_event e)
{
	return e == CONN_READY || e == CONN_REFUSED || e == CONN_CLOSED;
}

/* One octet from the server tells the client that it was let in; an alert that it was not. */
static enum conn_event say(struct pair *p)
{
	/* It outlives connections, as that of a table of links does. */
	static struct buf room;
	enum conn_event e = conn_write(p->server, (struct span){ (const uint8_t *)"k", 1 }, &room);

	return e == CONN_READY ? e : CONN_REFUSED;
}

static enum conn_event turn_client(struct pair *p)
{
	uint8_t octet;
	size_t n;
	enum conn_event e = conn_handshake(p->client);

	return e == CONN_READY ? conn_read(p->client, &octet, 1, &n) : e;
}

static void wait_for_dns(struct resolver *r, int timeout_ms)
{
	struct pollfd poller = { .fd = resolver_fd(r), .events = POLLIN };

	if (poll(&poller, 1, timeout_ms) > 0)
		resolver_dispatch(r);
}

void pair_run(struct pair *p, struct resolver *r)
{
	bool said = false;

	p->at_server = p->at_client = CONN_WANT_READ;
	for (int i = 0; i < 20000 && !(is_over(p->at_server) && is_over(p->at_client)); i++) {
		if (!is_over(p->at_client))
			p->at_client = turn_client(p);
		if (!is_over(p->at_server))
			p->at_server = conn_handshake(p->server);
		if (p->at_server == CONN_READY && !said) {
			said = true;
			p->at_server = say(p);
		}
		/* Whoever gave up hangs up: the other must not wait for ever. */
		if (is_over(p->at_server) && p->at_server != CONN_READY)
			shutdown(p->fd[1], SHUT_WR);
		if (is_over(p->at_client) && p->at_client != CONN_READY)
			shutdown(p->fd[0], SHUT_WR);
		if (p->at_server == CONN_WANT_DNS)
			wait_for_dns(r, 1000);
	}
}

static void no_wake(struct ask *ask)
{
	(void)ask;
}

struct service *pair_find(struct resolver *r, const char *host, uint16_t port, enum tls_mode mode)
{
	struct service_target target = { .start = SERVICE_HOST, .port = port };
	struct service_query *q = NULL;
	struct question question;
	struct service *found;
	unsigned id;

	if (name_of(host, &target.name) || service_query_new(&target, mode, &q, NULL))
		return NULL;
	while (!service_query_is_done(q) && service_query_next(q, &id, &question)) {
		struct ask ask = { .wake = no_wake };
		resolver_ask(r, &question, RESOLVER_SOURCE_SELF, 0, &ask);
		while (!ask.answer)
			wait_for_dns(r, 1000);
		service_query_answer(q, id, ask.answer);
		ask_done(&ask);
	}
	found = service_query_result(q);
	service_query_free(q);
	return found;
}
