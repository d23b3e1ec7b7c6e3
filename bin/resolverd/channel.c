/* SPDX-License-Identifier: Apache-2.0 */
#include "resolverd/channel.h"

#include <errno.h>
#include <event2/event.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONFIG_WAIT_MS     10000
#define QUESTIONS_PER_TURN 64

struct waiting {
	struct waiting *next;
	size_t n;
	uint8_t octets[];
};

struct channel {
	struct event *readable, *writable;
	channel_question *on_question;
	void *arg;
	struct waiting *first, **last;
	size_t queued;
	uint8_t packet[WIRE_PACKET_MAX];
};

bool channel_is_there(void)
{
	int type = 0;
	socklen_t n = sizeof(type);

	return getsockopt(CHANNEL_FD, SOL_SOCKET, SO_TYPE, &type, &n) == 0 &&
		type == SOCK_SEQPACKET;
}

static ssize_t receive(uint8_t packet[WIRE_PACKET_MAX])
{
	ssize_t n;

	do
		n = recv(CHANNEL_FD, packet, WIRE_PACKET_MAX, MSG_TRUNC);
	while (n < 0 && errno == EINTR);
	return n;
}

/* A program is older than what is on the disk until it is started again. */
static int refuse_version(unsigned theirs, struct err *err)
{
	return err_set(err, ERR_PEER,
		"speaks version %d of its protocol, the program that started it %u: %s",
		WIRE_VERSION, theirs,
		theirs < WIRE_VERSION ? "start that program again"
				      : "install the sardane-resolverd of that program");
}

int channel_read_config(uint8_t packet[WIRE_PACKET_MAX], struct wire_config *config,
	struct err *err)
{
	struct pollfd fd = { .fd = CHANNEL_FD, .events = POLLIN };
	struct span got;
	ssize_t n;

	if (poll(&fd, 1, CONFIG_WAIT_MS) <= 0)
		return err_set(err, ERR_TIMEOUT, "no configuration came");
	n = receive(packet);
	if (n <= 0 || n > WIRE_PACKET_MAX)
		return err_set(err, ERR_PEER, "the configuration cannot be read");
	got = (struct span){ packet, (size_t)n };
	if (wire_kind(got) == WIRE_CONFIG && wire_version(got) != WIRE_VERSION)
		return refuse_version(wire_version(got), err);
	if (wire_read_config(got, config))
		return err_set(err, ERR_PEER, "the configuration cannot be read");
	return 0;
}

void channel_send_ready(bool ok, const char *words)
{
	struct wire_ready ready = { .ok = ok, .words = words };
	uint8_t packet[WIRE_TEXT_MAX + 16];
	struct sink s = sink_into(packet, sizeof(packet));

	if (wire_write_ready(&ready, &s) == 0)
		(void)!send(CHANNEL_FD, s.p, s.n, MSG_NOSIGNAL);
}

static void leave(void)
{
	_exit(0);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct channel *c = arg;
	struct wire_question q;

	(void)fd;
	(void)what;
	for (int i = 0; i < QUESTIONS_PER_TURN; i++) {
		ssize_t n = receive(c->packet);

		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return;
		if (n <= 0 || n > WIRE_PACKET_MAX ||
			wire_read_question((struct span){ c->packet, (size_t)n }, &q))
			leave();
		c->on_question(c->arg, &q);
	}
}

static bool try_send(struct span packet)
{
	ssize_t n = send(CHANNEL_FD, packet.p, packet.n, MSG_NOSIGNAL);

	if (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != ENOBUFS)
		leave();
	return n >= 0;
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct channel *c = arg;

	(void)fd;
	(void)what;
	while (c->first) {
		struct waiting *w = c->first;

		if (!try_send((struct span){ w->octets, w->n })) {
			event_add(c->writable, NULL);
			return;
		}
		c->queued -= w->n;
		c->first = w->next;
		if (!c->first)
			c->last = &c->first;
		free(w);
	}
}

static void enqueue(struct channel *c, struct span packet)
{
	struct waiting *w;

	if (c->queued + packet.n > CHANNEL_QUEUE_MAX)
		return;
	w = malloc(sizeof(*w) + packet.n);
	if (!w)
		return;
	w->next = NULL;
	w->n = packet.n;
	memcpy(w->octets, packet.p, packet.n);
	*c->last = w;
	c->last = &w->next;
	c->queued += packet.n;
	event_add(c->writable, NULL);
}

void channel_send(struct channel *c, const struct wire_answer *answer)
{
	static uint8_t packet[WIRE_PACKET_MAX];
	struct sink s = sink_into(packet, sizeof(packet));

	if (wire_write_answer(answer, &s))
		return;
	if (c->first || !try_send(sink_span(&s)))
		enqueue(c, sink_span(&s));
}

int channel_new(struct event_base *base, channel_question *on_question, void *arg,
	struct channel **out, struct err *err)
{
	struct channel *c = calloc(1, sizeof(*c));

	if (!c)
		return err_set(err, ERR_NOMEM, "out of memory");
	c->on_question = on_question;
	c->arg = arg;
	c->last = &c->first;
	c->readable = event_new(base, CHANNEL_FD, EV_READ | EV_PERSIST, on_readable, c);
	c->writable = event_new(base, CHANNEL_FD, EV_WRITE, on_writable, c);
	if (!c->readable || !c->writable || evutil_make_socket_nonblocking(CHANNEL_FD) ||
		event_add(c->readable, NULL))
		return err_set(err, ERR_SYSTEM, "the socket pair cannot be watched");
	*out = c;
	return 0;
}
