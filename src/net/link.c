/* SPDX-License-Identifier: Apache-2.0 */
#include "net/link.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/machine.h"
#include "net/listen.h"
#include "net/proof.h"
#include "net/sources.h"
#include "net/verdict.h"
#include "program/log.h"

#define CHUNK         16384 /* octets: one TLS record */
#define TICK_MS       250
#define HANDSHAKES_NS 1000000 /* of one turn of the loop: less than two of them */
#define FLUSH_MS      5000    /* for the last octets to leave */
#define LINGER_MS     1000    /* for the peer to read them and close */

enum state { SILENT, HANDSHAKE, ASKING_DNS, OPEN, FLUSHING, LINGERING, CLOSED };

static const struct machine_state states[] = {
	[SILENT] = { "silent", 1 << HANDSHAKE | 1 << OPEN | 1 << CLOSED },
	[HANDSHAKE] = { "handshake", 1 << ASKING_DNS | 1 << OPEN | 1 << LINGERING | 1 << CLOSED },
	[ASKING_DNS] = { "asking-dns", 1 << HANDSHAKE | 1 << CLOSED },
	[OPEN] = { "open", 1 << FLUSHING | 1 << CLOSED },
	[FLUSHING] = { "flushing", 1 << LINGERING | 1 << CLOSED },
	[LINGERING] = { "lingering", 1 << CLOSED },
	[CLOSED] = { "closed", 0 },
};

/* One way of the pump: what was read from one side and not yet written to the other. */
struct way {
	uint16_t from, to;
	uint8_t octets[CHUNK];
};

struct link {
	struct links *of;
	struct link *next, *prev; /* among the half-open, or among the open */
	struct machine machine;
	uv_poll_t tcp, pipe;
	unsigned handles; /* not closed yet */
	int tcp_fd, pipe_fd;
	int tcp_events; /* as asked of uv, so as not to ask again */
	int pipe_events;
	struct conn *conn;    /* NULL while silent and when plain */
	struct way *in, *out; /* peer to owner, owner to peer; while open */
	bool taken;           /* the owner said true and will be told */
	bool due;             /* on the list of links whose DNS answer came */
	bool want_write;      /* TLS must write before it can read */
	struct link *next_due;
	int64_t start_ms, deadline_ms; /* deadline 0: none */
	const char *deadline_why;
	struct proof *proof; /* what the open link rests on; NULL: nothing that expires */
	void *owner;
	struct sockaddr_in6 from; /* holds an IPv4 one too */
	uint64_t source;
};

struct list {
	struct link *first, *last;
	unsigned count;
};

struct links {
	struct links_config config;
	struct list half_open, open;
	struct link *due, **due_end;
	struct sources sources;
	struct verdict verdict;
	uv_prepare_t prepare;
	uv_timer_t tick, kick;
	unsigned handles, closing_links;
	bool closing;
	void (*done)(void *arg);
	void *done_arg;
};

static const struct peer nobody = { .usage = -1, .selector = -1, .matching = -1, .depth = -1 };

static void tcp_ready(uv_poll_t *poll, int status, int events);
static void pipe_ready(uv_poll_t *poll, int status, int events);

static void list_add(struct list *list, struct link *l)
{
	l->next = NULL;
	l->prev = list->last;
	*(list->last ? &list->last->next : &list->first) = l;
	list->last = l;
	list->count++;
}

static void list_remove(struct list *list, struct link *l)
{
	*(l->prev ? &l->prev->next : &list->first) = l->next;
	*(l->next ? &l->next->prev : &list->last) = l->prev;
	list->count--;
}

static struct list *list_of(struct link *l)
{
	return l->machine.at < OPEN ? &l->of->half_open : &l->of->open;
}

static void maybe_done(struct links *s);

static void handle_closed(uv_handle_t *handle)
{
	struct link *l = handle->data;
	struct links *s = l->of;

	if (--l->handles > 0)
		return;
	free(l);
	s->closing_links--;
	maybe_done(s);
}

static void poll_tcp(struct link *l, int events)
{
	if (events == l->tcp_events)
		return;
	l->tcp_events = events;
	if (events == 0)
		uv_poll_stop(&l->tcp);
	else
		uv_poll_start(&l->tcp, events, tcp_ready);
}

static void poll_pipe(struct link *l, int events)
{
	if (events == l->pipe_events)
		return;
	l->pipe_events = events;
	if (events == 0)
		uv_poll_stop(&l->pipe);
	else
		uv_poll_start(&l->pipe, events, pipe_ready);
}

static void due_add(struct link *l)
{
	struct links *s = l->of;

	if (l->due || l->machine.at >= OPEN)
		return;
	l->due = true;
	l->next_due = NULL;
	*s->due_end = l;
	s->due_end = &l->next_due;
}

static void due_remove(struct link *l)
{
	struct links *s = l->of;
	struct link **at = &s->due;

	if (!l->due)
		return;
	while (*at != l)
		at = &(*at)->next_due;
	*at = l->next_due;
	if (!*at)
		s->due_end = at;
	l->due = false;
}

void link_close(struct link *l, const char *why)
{
	struct links *s = l->of;

	if (l->machine.at == CLOSED)
		return;
	log_debug("link.close", "from=%s was=%s reason=%s", link_address(l, (char[64]){ 0 }, 64),
		states[l->machine.at].name, log_value(why));
	list_remove(list_of(l), l);
	machine_go(&l->machine, CLOSED);
	due_remove(l);
	if (l->taken)
		s->config.gone(s->config.arg, l);
	proof_free(l->proof);
	conn_free(l->conn);
	free(l->in);
	free(l->out);
	sources_give(&s->sources, l->source);
	s->closing_links++;
	uv_close((uv_handle_t *)&l->tcp, handle_closed);
	close(l->tcp_fd);
	if (l->pipe_fd >= 0) {
		uv_close((uv_handle_t *)&l->pipe, handle_closed);
		close(l->pipe_fd);
	}
}

const struct peer *link_peer(const struct link *l)
{
	return l->conn ? conn_peer(l->conn) : &nobody;
}

const char *link_address(const struct link *l, char *out, size_t cap)
{
	return listen_write_address((const struct sockaddr *)&l->from, out, cap);
}

void link_deadline(struct link *l, unsigned ms, const char *why)
{
	l->deadline_ms = ms ? resolver_now() + ms : 0;
	l->deadline_why = why;
}

void link_set_owner(struct link *l, void *owner)
{
	l->owner = owner;
}

void *link_owner(const struct link *l)
{
	return l->owner;
}

/* From the connection into the way to the owner: 1 octets came, 0 none yet, -1 closed. */
static int connection_read(struct link *l)
{
	ssize_t n;
	size_t got = 0;

	if (!l->conn) {
		n = read(l->tcp_fd, l->in->octets, CHUNK);
		if (n > 0)
			l->in->to = (uint16_t)n;
		return n > 0 ? 1 : n < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
	}
	switch (conn_read(l->conn, l->in->octets, CHUNK, &got)) {
	case CONN_READY: l->in->to = (uint16_t)got; return 1;
	case CONN_WANT_WRITE: l->want_write = true; return 0;
	case CONN_WANT_READ:
	case CONN_WANT_DNS: return 0;
	case CONN_CLOSED:
	case CONN_REFUSED: return -1;
	}
	return -1;
}

/* From the way to the peer onto the connection: octets taken, 0 none yet, -1 closed. */
static ssize_t connection_write(struct link *l)
{
	const uint8_t *p = l->out->octets + l->out->from;
	size_t n = (size_t)(l->out->to - l->out->from), taken = 0;
	ssize_t rc;

	if (!l->conn) {
		rc = send(l->tcp_fd, p, n, MSG_NOSIGNAL);
		return rc >= 0 ? rc : errno == EAGAIN || errno == EINTR ? 0 : -1;
	}
	switch (conn_write(l->conn, p, n, &taken)) {
	case CONN_READY: return (ssize_t)taken;
	case CONN_WANT_READ:
	case CONN_WANT_WRITE:
	case CONN_WANT_DNS: return 0;
	case CONN_CLOSED:
	case CONN_REFUSED: return -1;
	}
	return -1;
}

static bool way_is_empty(const struct way *w)
{
	return w->from == w->to;
}

/* Peer to owner, until the peer has said all for now or the owner's end is full. */
static bool pump_in(struct link *l)
{
	bool any = false;

	for (;;) {
		int rc;

		while (!way_is_empty(l->in)) {
			ssize_t n = send(l->pipe_fd, l->in->octets + l->in->from,
				(size_t)(l->in->to - l->in->from), MSG_NOSIGNAL);

			/* The owner will hear no more, but may have said something last. */
			if (n < 0 && errno != EAGAIN && errno != EINTR)
				n = l->in->to - l->in->from;
			if (n <= 0)
				goto out;
			l->in->from = (uint16_t)(l->in->from + n);
			any = true;
		}
		l->in->from = l->in->to = 0;
		rc = connection_read(l);
		if (rc < 0)
			return false;
		if (rc == 0)
			break;
	}
out:
	if (any)
		l->of->config.input(l->of->config.arg, l);
	return l->machine.at != CLOSED;
}

/* Owner to peer; false when the connection broke. The end of the owner's stream: FLUSHING. */
static bool pump_out(struct link *l)
{
	bool drained = false;

	for (;;) {
		ssize_t n;

		while (!way_is_empty(l->out)) {
			n = connection_write(l);
			if (n < 0)
				return false;
			if (n == 0)
				return true;
			l->out->from = (uint16_t)(l->out->from + n);
		}
		l->out->from = l->out->to = 0;
		if (l->machine.at == FLUSHING)
			return true;
		/* Less than was asked for was all there is: asking again would say so. */
		if (drained)
			return true;
		n = read(l->pipe_fd, l->out->octets, CHUNK);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return true;
		if (n <= 0) {
			machine_go(&l->machine, FLUSHING);
			link_deadline(l, FLUSH_MS, "the peer does not take the last octets");
			continue;
		}
		l->out->to = (uint16_t)n;
		drained = n < CHUNK;
	}
}

/* Ask uv for exactly what can move something. */
static void poll_for_more(struct link *l)
{
	int tcp = 0, pipe = 0;

	if (!way_is_empty(l->in))
		pipe |= UV_WRITABLE;
	else if (l->machine.at == OPEN)
		tcp |= UV_READABLE;
	if (!way_is_empty(l->out) || l->want_write)
		tcp |= UV_WRITABLE;
	else if (l->machine.at == OPEN)
		pipe |= UV_READABLE;
	poll_tcp(l, tcp);
	poll_pipe(l, pipe);
}

/* Closing at once over unread octets would reset the connection, and with it take back the
 * answer that the peer has not read yet. */
static void linger(struct link *l)
{
	if (l->conn)
		(void)conn_close(l->conn);
	shutdown(l->tcp_fd, SHUT_WR);
	machine_go(&l->machine, LINGERING);
	link_deadline(l, LINGER_MS, "done");
	if (l->pipe_fd >= 0)
		poll_pipe(l, 0);
	poll_tcp(l, UV_READABLE);
}

static void discard(struct link *l)
{
	uint8_t octets[4096];
	ssize_t n = recv(l->tcp_fd, octets, sizeof(octets), 0);

	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		link_close(l, "done");
}

enum { PUMP_IN = 1, PUMP_OUT = 2, PUMP_BOTH = 3 };

static void pump(struct link *l, int ways)
{
	/* TLS that waits to write before it can read gets both tried. */
	if (l->want_write)
		ways = PUMP_BOTH;
	l->want_write = false;
	if (ways & PUMP_IN && l->machine.at == OPEN && !pump_in(l)) {
		link_close(l, "the peer closed");
		return;
	}
	if (ways & PUMP_OUT && !pump_out(l)) {
		link_close(l, "the connection broke");
		return;
	}
	if (l->machine.at == FLUSHING && way_is_empty(l->out))
		linger(l);
	else
		poll_for_more(l);
}

static void pipe_ready(uv_poll_t *poll, int status, int events)
{
	if (status < 0)
		link_close(poll->data, uv_strerror(status));
	else
		pump(poll->data,
			(events & UV_READABLE ? PUMP_OUT : 0) |
				(events & UV_WRITABLE ? PUMP_IN : 0));
}

static void proof_lost(void *arg, const char *why)
{
	struct link *l = arg;
	char address[64];

	log_info("tls.withdrawn", "%s from=%s reason=%s", verdict_words(link_peer(l)),
		link_address(l, address, sizeof(address)), log_value(why));
	link_close(l, why);
}

/* The peer is known: a socketpair, one end for the owner. */
static void open_stream(struct link *l)
{
	struct links *s = l->of;
	int pair[2];

	l->in = malloc(sizeof(*l->in));
	l->out = malloc(sizeof(*l->out));
	if (!l->in || !l->out ||
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) != 0) {
		log_warning("link.open", "reason=%s", log_value("out of descriptors or memory"));
		link_close(l, "out of descriptors or memory");
		return;
	}
	l->in->from = l->in->to = l->out->from = l->out->to = 0;
	if (uv_poll_init(s->config.loop, &l->pipe, pair[0]) != 0) {
		close(pair[0]);
		close(pair[1]);
		link_close(l, "the stream cannot be polled");
		return;
	}
	l->pipe.data = l;
	l->pipe_fd = pair[0];
	l->handles++;
	list_remove(&s->half_open, l);
	machine_go(&l->machine, OPEN);
	list_add(&s->open, l);
	link_deadline(l, 0, "");
	if (!s->config.open(s->config.arg, l, pair[1])) {
		link_close(l, "not taken");
		return;
	}
	l->taken = true;
	if (l->conn && s->config.resolver)
		l->proof = proof_new(s->config.resolver, link_peer(l), l->source, proof_lost, l);
	if (l->machine.at == OPEN)
		pump(l, PUMP_BOTH);
}

/* The alert has been sent; what the client sent behind its handshake is not read. */
static void refused(struct link *l)
{
	verdict_refused(&l->of->verdict, link_peer(l), (const struct sockaddr *)&l->from,
		resolver_now() - l->start_ms);
	list_remove(&l->of->half_open, l);
	conn_free(l->conn);
	l->conn = NULL;
	linger(l);
	list_add(&l->of->open, l);
}

static void handshake(struct link *l)
{
	switch (conn_handshake(l->conn)) {
	case CONN_READY:
		verdict_accepted(&l->of->verdict, link_peer(l), (const struct sockaddr *)&l->from,
			resolver_now() - l->start_ms);
		open_stream(l);
		return;
	case CONN_WANT_READ: poll_tcp(l, UV_READABLE); return;
	case CONN_WANT_WRITE: poll_tcp(l, UV_READABLE | UV_WRITABLE); return;
	case CONN_WANT_DNS:
		/* What the client sends meanwhile may wait; that it left must not. */
		machine_go(&l->machine, ASKING_DNS);
		poll_tcp(l, UV_DISCONNECT);
		return;
	case CONN_CLOSED:
	case CONN_REFUSED: refused(l); return;
	}
}

static void dns_came(void *arg)
{
	/* Not here: the resolver is in the middle of telling. */
	due_add(arg);
}

static void first_octet(struct link *l)
{
	struct links *s = l->of;
	struct err err;
	uint8_t octet;
	ssize_t n = recv(l->tcp_fd, &octet, 1, MSG_PEEK);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		link_close(l, "the peer said nothing");
		return;
	}
	if (!s->config.tls) {
		open_stream(l);
		return;
	}
	if (conn_new_server(s->config.tls, l->tcp_fd, l->source, dns_came, l, &l->conn, &err) !=
		0) {
		log_warning("tls.refuse", "from=%s reason=%s", link_address(l, (char[64]){ 0 }, 64),
			log_value(err.msg));
		link_close(l, "no TLS object");
		return;
	}
	machine_go(&l->machine, HANDSHAKE);
	handshake(l);
}

static void tcp_ready(uv_poll_t *poll, int status, int events)
{
	struct link *l = poll->data;
	int ways = (events & UV_READABLE ? PUMP_IN : 0) | (events & UV_WRITABLE ? PUMP_OUT : 0);

	if (status < 0) {
		link_close(l, uv_strerror(status));
		return;
	}
	switch ((enum state)l->machine.at) {
	case SILENT:
	case HANDSHAKE: due_add(l); return;
	case ASKING_DNS: link_close(l, "the peer left while DNS was asked"); return;
	case OPEN:
	case FLUSHING: pump(l, ways); return;
	case LINGERING: discard(l); return;
	case CLOSED: return;
	}
}

static void go_on(struct link *l)
{
	due_remove(l);
	if (l->machine.at == SILENT) {
		first_octet(l);
		return;
	}
	if (l->machine.at == ASKING_DNS)
		machine_go(&l->machine, HANDSHAKE);
	handshake(l);
}

static void turn(uv_timer_t *timer)
{
	/* Only there so that the loop does not sleep over a queue. */
	(void)timer;
}

/*
 * Before each wait of the loop: handshakes go on, the longest waiting first, until they have
 * had their share of the turn. A thousand that come at once slow each other, and not those
 * whose connections are open.
 */
static void work(uv_prepare_t *prepare)
{
	struct links *s = prepare->data;
	uint64_t until = uv_hrtime() + HANDSHAKES_NS;

	while (s->due && uv_hrtime() < until)
		go_on(s->due);
	if (s->due)
		uv_timer_start(&s->kick, turn, 0, 0);
}

static void expire(struct list *list, int64_t now)
{
	for (struct link *l = list->first, *next; l; l = next) {
		next = l->next;
		if (l->deadline_ms != 0 && now >= l->deadline_ms) {
			if (list == &l->of->half_open && l->machine.at != SILENT)
				verdict_refused_because(&l->of->verdict, link_peer(l),
					(const struct sockaddr *)&l->from, now - l->start_ms,
					l->deadline_why);
			link_close(l, l->deadline_why);
		} else if (l->proof) {
			proof_tick(l->proof, now);
		}
	}
}

static void tick(uv_timer_t *timer)
{
	struct links *s = timer->data;
	int64_t now = resolver_now();

	expire(&s->half_open, now);
	expire(&s->open, now);
	verdict_tick(&s->verdict, now);
	if (s->half_open.count + s->open.count == 0)
		uv_timer_stop(timer);
}

void link_accept(struct links *s, int fd, const struct sockaddr *from)
{
	struct link *l;
	uint64_t source = listen_source(from);
	int one = 1;

	if (s->half_open.count >= s->config.half_open_max)
		link_close(s->half_open.first, "too many half-open connections");
	if (s->closing || link_table_count(s) >= s->config.links_max ||
		!sources_take(&s->sources, source, s->config.per_source_max)) {
		verdict_dropped(&s->verdict);
		close(fd);
		return;
	}
	l = calloc(1, sizeof(*l));
	if (!l || uv_poll_init(s->config.loop, &l->tcp, fd) != 0) {
		sources_give(&s->sources, source);
		close(fd);
		free(l);
		return;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	l->of = s;
	l->machine = (struct machine){ .name = "link", .states = states, .at = SILENT };
	l->tcp.data = l;
	l->handles = 1;
	l->tcp_fd = fd;
	l->pipe_fd = -1;
	l->source = source;
	memcpy(&l->from, from,
		from->sa_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(l->from));
	l->start_ms = resolver_now();
	link_deadline(l, s->config.handshake_timeout_ms, "the handshake took too long");
	list_add(&s->half_open, l);
	if (!uv_is_active((uv_handle_t *)&s->tick))
		uv_timer_start(&s->tick, tick, TICK_MS, TICK_MS);
	poll_tcp(l, UV_READABLE);
}

unsigned link_table_count(const struct links *s)
{
	return s->half_open.count + s->open.count;
}

unsigned link_table_unsent(const struct links *s)
{
	unsigned unsent = 0;

	for (const struct link *l = s->open.first; l; l = l->next) {
		int waiting = 0;

		if (l->machine.at == OPEN)
			(void)ioctl(l->pipe_fd, FIONREAD, &waiting);
		unsent += l->machine.at == FLUSHING || waiting > 0 || !way_is_empty(l->out);
	}
	return unsent;
}

int link_table_new(const struct links_config *config, struct links **out, struct err *err)
{
	struct links *s = calloc(1, sizeof(*s));

	if (!s)
		return err_set(err, ERR_NOMEM, "connections: no memory");
	s->config = *config;
	sources_init(&s->sources);
	uv_prepare_init(config->loop, &s->prepare);
	uv_timer_init(config->loop, &s->tick);
	uv_timer_init(config->loop, &s->kick);
	s->handles = 3;
	s->prepare.data = s->tick.data = s->kick.data = s;
	s->due_end = &s->due;
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
	uv_close((uv_handle_t *)&s->prepare, own_handle_closed);
	uv_close((uv_handle_t *)&s->tick, own_handle_closed);
	uv_close((uv_handle_t *)&s->kick, own_handle_closed);
}
