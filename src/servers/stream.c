/* SPDX-License-Identifier: Apache-2.0 */
#include "servers/stream.h"

#include "core/buf.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define LANES_A_SERVER 2
#define LANES_MAX      (LANES_A_SERVER * QUERY_SERVERS_MAX)
#define READ_OCTETS    65536

_Static_assert(STREAM_WINDOW == 128, "a place in the window is seven bits of the identifier");

struct place {
	bool busy;
	uint16_t id;
	size_t name; /* its index */
};

struct lane {
	size_t server, next, end; /* names from next to end are still to be asked about */
	int fd;
	bool connecting;
	unsigned tries; /* connections since the last answer */
	double heard;   /* when the last answer came, or the connection began */
	size_t flying;
	uint16_t turn; /* of identifiers */
	struct place place[STREAM_WINDOW];
	struct buf out, in;
	size_t sent; /* octets of out */
	const char *why;
};

struct stream {
	const struct stream_order *order;
	unsigned timeout_ms;
	size_t count;
	struct lane *lane;
};

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static bool is_done(const struct lane *l)
{
	return l->next == l->end && l->flying == 0;
}

static void put_question(const struct stream_order *o, struct lane *l, const struct place *p)
{
	uint8_t octets[2 + QUERY_OCTETS_MAX];
	struct sink s = sink_into(octets + 2, QUERY_OCTETS_MAX);

	query_write(&s, p->id, &o->names[p->name], o->type);
	octets[0] = (uint8_t)(s.n >> 8);
	octets[1] = (uint8_t)s.n;
	buf_put(&l->out, (struct span){ octets, 2 + s.n });
}

/* Seven bits of the identifier are the place, the others differ from those it had before. */
static void fill_window(const struct stream_order *o, struct lane *l)
{
	for (size_t i = 0; i < STREAM_WINDOW && l->next < l->end; i++) {
		struct place *p = &l->place[i];

		if (p->busy)
			continue;
		l->turn += STREAM_WINDOW;
		*p = (struct place){ true, (uint16_t)(l->turn | i), l->next++ };
		l->flying++;
		put_question(o, l, p);
	}
}

static void disconnect(struct lane *l, const char *why)
{
	if (l->fd >= 0)
		close(l->fd);
	l->fd = -1;
	l->why = why;
}

/* What was not answered on the connection before is asked again on this one. */
static void connect_lane(const struct stream *s, struct lane *l)
{
	struct sockaddr_storage at;
	socklen_t n = address_socket(&s->order->to[l->server], &at);

	l->tries++;
	l->heard = now_ms();
	l->out.n = l->in.n = l->sent = 0;
	for (size_t i = 0; i < STREAM_WINDOW; i++)
		if (l->place[i].busy)
			put_question(s->order, l, &l->place[i]);
	l->fd = socket(at.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	l->connecting = true;
	if (l->fd < 0 || (connect(l->fd, (struct sockaddr *)&at, n) != 0 && errno != EINPROGRESS))
		disconnect(l, strerror(errno));
}

/* One whole message of the lane; false: it is no answer to anything asked. */
static bool take_message(const struct stream *s, struct lane *l, struct span octets, int *rc,
	struct err *err)
{
	struct stream_answer a = { .outcome = QUERY_ANSWERED };
	struct place *p;

	if (message_read(octets, &a.message) != 0 || !a.message.response)
		return false;
	p = &l->place[a.message.id % STREAM_WINDOW];
	if (!p->busy || p->id != a.message.id || a.message.truncated ||
		!message_asks(&a.message, &s->order->names[p->name], s->order->type))
		return false;
	p->busy = false;
	l->flying--;
	l->tries = 0;
	l->heard = now_ms();
	*rc = s->order->take(s->order->arg, l->server, p->name, &a, err);
	return true;
}

static int take_messages(const struct stream *s, struct lane *l, struct err *err)
{
	size_t at = 0;
	int rc = 0;

	while (rc == 0 && l->in.n - at >= 2) {
		size_t n = (size_t)l->in.p[at] << 8 | l->in.p[at + 1];

		if (l->in.n - at - 2 < n)
			break;
		if (!take_message(s, l, (struct span){ l->in.p + at + 2, n }, &rc, err)) {
			disconnect(l, "what it answers is no answer to a question of ours");
			return 0;
		}
		at += 2 + n;
	}
	buf_drop(&l->in, at);
	return rc;
}

static int receive_some(const struct stream *s, struct lane *l, struct err *err)
{
	const size_t before = l->in.n;
	uint8_t *room = buf_extend(&l->in, READ_OCTETS);
	ssize_t n;

	if (!room)
		return err_set(err, ERR_NOMEM, "answers: out of memory");
	n = recv(l->fd, room, READ_OCTETS, 0);
	l->in.n = before + (n > 0 ? (size_t)n : 0);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0) {
		disconnect(l, n < 0 ? strerror(errno) : "it closed the connection");
		return 0;
	}
	return take_messages(s, l, err);
}

/* Where nothing can be sent any more, answers may still wait to be read. */
static int send_some(const struct stream *s, struct lane *l, struct err *err)
{
	ssize_t n = send(l->fd, l->out.p + l->sent, l->out.n - l->sent, MSG_NOSIGNAL);
	const int error = errno;
	int rc = 0;

	l->connecting = false;
	if (n < 0 && error != EAGAIN && error != EINTR) {
		rc = receive_some(s, l, err);
		if (l->fd >= 0)
			disconnect(l, strerror(error));
	}
	l->sent += n > 0 ? (size_t)n : 0;
	if (l->sent == l->out.n)
		l->out.n = l->sent = 0;
	return rc;
}

/* Nobody answers there: all that is left is told so. */
static int give_up(const struct stream *s, struct lane *l, struct err *err)
{
	const struct stream_answer a = { .outcome = QUERY_SILENT, .why = l->why };
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < STREAM_WINDOW; i++) {
		if (!l->place[i].busy)
			continue;
		l->place[i].busy = false;
		l->flying--;
		rc = s->order->take(s->order->arg, l->server, l->place[i].name, &a, err);
	}
	while (rc == 0 && l->next < l->end)
		rc = s->order->take(s->order->arg, l->server, l->next++, &a, err);
	return rc;
}

/* Connected, with all in flight that may be. */
static int keep_going(const struct stream *s, struct lane *l, struct err *err)
{
	if (l->fd >= 0 && now_ms() - l->heard > s->timeout_ms)
		disconnect(l, "no answer");
	while (l->fd < 0 && l->tries < STREAM_TRIES)
		connect_lane(s, l);
	if (l->fd < 0)
		return give_up(s, l, err);
	/* an idle lane starts to count when it asks again */
	if (l->flying == 0)
		l->heard = now_ms();
	fill_window(s->order, l);
	return buf_ok(&l->out) ? 0 : err_set(err, ERR_NOMEM, "questions: out of memory");
}

static int turn(const struct stream *s, bool *left, struct err *err)
{
	struct pollfd fds[LANES_MAX];
	int rc = 0;

	*left = false;
	for (size_t i = 0; rc == 0 && i < s->count; i++) {
		struct lane *l = &s->lane[i];

		if (!is_done(l))
			rc = keep_going(s, l, err);
		fds[i] = (struct pollfd){ .fd = is_done(l) ? -1 : l->fd,
			.events = (short)(POLLIN | (l->connecting || l->out.n ? POLLOUT : 0)) };
		*left = *left || !is_done(l);
	}
	if (rc != 0 || !*left)
		return rc;
	poll(fds, s->count, (int)(s->timeout_ms / 4) + 1);
	for (size_t i = 0; rc == 0 && i < s->count; i++) {
		if (fds[i].fd < 0)
			continue;
		/* what came before an end is read before the end is noticed */
		if (fds[i].revents & (POLLIN | POLLHUP))
			rc = receive_some(s, &s->lane[i], err);
		if (rc == 0 && s->lane[i].fd >= 0 && fds[i].revents & POLLOUT)
			rc = send_some(s, &s->lane[i], err);
	}
	return rc;
}

static int open_lanes(struct stream *s, struct err *err)
{
	const struct stream_order *o = s->order;
	const size_t half = (o->count + 1) / LANES_A_SERVER;

	s->lane = calloc(o->servers * LANES_A_SERVER + 1, sizeof(*s->lane));
	if (!s->lane)
		return err_set(err, ERR_NOMEM, "questions: out of memory");
	for (size_t i = 0; i < o->servers * LANES_A_SERVER; i++) {
		struct lane *l = &s->lane[s->count++];

		l->fd = -1;
		l->server = i / LANES_A_SERVER;
		l->next = i % LANES_A_SERVER ? half : 0;
		l->end = i % LANES_A_SERVER ? o->count : half;
		l->why = "no answer";
		if (getrandom(&l->turn, sizeof(l->turn), 0) != sizeof(l->turn))
			return err_set(err, ERR_SYSTEM, "question: no random octets");
		l->turn -= l->turn % STREAM_WINDOW;
	}
	return 0;
}

int stream_run(const struct stream_order *order, struct err *err)
{
	struct stream s = { .order = order,
		.timeout_ms = order->timeout_ms ? order->timeout_ms : QUERY_TIMEOUT_MS };
	bool left = true;
	int rc;

	if (order->servers > QUERY_SERVERS_MAX)
		return err_set(err, ERR_ARG, "question: more than %d servers", QUERY_SERVERS_MAX);
	rc = open_lanes(&s, err);
	while (rc == 0 && left)
		rc = turn(&s, &left, err);
	for (size_t i = 0; i < s.count; i++) {
		disconnect(&s.lane[i], NULL);
		buf_done(&s.lane[i].in);
		buf_done(&s.lane[i].out);
	}
	free(s.lane);
	return rc;
}
