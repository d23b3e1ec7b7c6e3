/* SPDX-License-Identifier: Apache-2.0 */
#include "net/link.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/buf.h"
#include "core/machine.h"
#include "core/secret.h"
#include "net/listen.h"
#include "net/pace.h"
#include "net/proof.h"
#include "net/sources.h"
#include "net/verdict.h"
#include "program/log.h"

#define CHUNK     16384 /* octets: one TLS record */
#define TICK_MS   250
#define FLUSH_MS  5000 /* for the last octets to leave */
#define LINGER_MS 1000 /* for the peer to read them and close */
#define DEAD_MAX  1024 /* closed, and not yet freed */

/* Shares of one turn of the loop (net/pace.h). */
#define SERVE_NS  300000
#define REAP_NS   100000
#define EXPIRE_NS 200000

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

struct link {
	struct links *of;
	struct link *next, *prev; /* among the half-open, or among the open */
	struct machine machine;
	uv_poll_t tcp;
	int tcp_fd;
	int tcp_events;                /* as asked of uv, so as not to ask again */
	struct conn *conn;             /* NULL while silent and when plain */
	struct buf unsent;             /* of the owner to the peer; mostly empty */
	size_t sent;                   /* octets of unsent that have left */
	bool taken;                    /* the owner said true and will be told */
	bool paused;                   /* the owner wants no octets now */
	bool want_write;               /* TLS must write before it can read */
	bool broken;                   /* something to send was lost: the next turn closes */
	int ready;                     /* what uv told and nobody has looked at */
	struct queue *in;              /* NULL, or where it waits for its share of a turn */
	struct link *behind, *before;  /* in there */
	struct pace_job due;           /* a step of its handshake */
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

/* The longest waiting first. */
struct queue {
	struct link *first, *last;
	unsigned count;
};

struct links {
	struct links_config config;
	struct list half_open, open;
	struct queue busy;  /* open ones with something to read or write */
	struct queue dead;  /* closed: told, wiped, uncounted; TLS object and socket still there */
	uint64_t served_ns; /* by tcp_ready since the last work */
	struct pace *pace;
	struct sources sources;
	struct verdict verdict;
	uv_prepare_t prepare;
	uv_timer_t tick, kick;
	unsigned handles, closing_links;
	bool closing;
	void (*done)(void *arg);
	void *done_arg;
	uint8_t chunk[CHUNK]; /* what was read last; handed to the owner before the next read */
};

static const struct peer nobody = { .usage = -1, .selector = -1, .matching = -1, .depth = -1 };

static void tcp_ready(uv_poll_t *poll, int status, int events);

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

static void queue_put(struct queue *q, struct link *l)
{
	if (l->in)
		return;
	l->in = q;
	l->behind = NULL;
	l->before = q->last;
	*(q->last ? &q->last->behind : &q->first) = l;
	q->last = l;
	q->count++;
}

static void queue_remove(struct link *l)
{
	struct queue *q = l->in;

	if (!q)
		return;
	*(l->before ? &l->before->behind : &q->first) = l->behind;
	*(l->behind ? &l->behind->before : &q->last) = l->before;
	q->count--;
	l->in = NULL;
}

static void due_add(struct link *l)
{
	if (l->machine.at < OPEN)
		pace_add(l->of->pace, &l->due);
}

/* What waits may hold session keys. */
static void unsent_forget(struct link *l)
{
	if (l->unsent.p)
		secret_wipe_octets(l->unsent.p, l->unsent.cap);
	buf_done(&l->unsent);
	l->sent = 0;
}

/* What of a closed link costs: the TLS object, the socket. */
static void reap(struct link *l)
{
	queue_remove(l);
	conn_free(l->conn);
	l->of->closing_links++;
	uv_close((uv_handle_t *)&l->tcp, handle_closed);
	close(l->tcp_fd);
}

/*
 * At once: the owner is told, what waits is wiped, the bounds have room again. Dozens of peers
 * that leave together would stop the loop with what is left to free; it waits for the turn's
 * share, and not more of it than DEAD_MAX.
 */
void link_close(struct link *l, const char *why)
{
	struct links *s = l->of;

	if (l->machine.at == CLOSED)
		return;
	log_debug("link.close", "from=%s was=%s reason=%s", link_address(l, (char[64]){ 0 }, 64),
		states[l->machine.at].name, log_value(why));
	list_remove(list_of(l), l);
	machine_go(&l->machine, CLOSED);
	queue_remove(l);
	pace_remove(&l->due);
	if (l->taken)
		s->config.gone(s->config.arg, l);
	proof_free(l->proof);
	unsent_forget(l);
	sources_give(&s->sources, l->source);
	poll_tcp(l, 0);
	if (s->dead.count >= DEAD_MAX)
		reap(s->dead.first);
	queue_put(&s->dead, l);
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

/* From the connection into the chunk: 1 octets came, 0 none yet, -1 closed. */
static int connection_read(struct link *l, size_t *n)
{
	struct links *s = l->of;
	ssize_t rc;

	if (!l->conn) {
		rc = read(l->tcp_fd, s->chunk, CHUNK);
		*n = rc > 0 ? (size_t)rc : 0;
		return rc > 0 ? 1 : rc < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
	}
	switch (conn_read(l->conn, s->chunk, CHUNK, n)) {
	case CONN_READY: return 1;
	case CONN_WANT_WRITE: l->want_write = true; return 0;
	case CONN_WANT_READ:
	case CONN_WANT_DNS: return 0;
	case CONN_CLOSED:
	case CONN_REFUSED: return -1;
	}
	return -1;
}

/* Onto the connection: octets taken, 0 none yet, -1 broken. */
static ssize_t connection_write(struct link *l, struct span octets)
{
	size_t taken = 0;
	ssize_t rc;

	if (!l->conn) {
		rc = send(l->tcp_fd, octets.p, octets.n, MSG_NOSIGNAL);
		return rc >= 0 ? rc : errno == EAGAIN || errno == EINTR ? 0 : -1;
	}
	switch (conn_write(l->conn, octets.p, octets.n, &taken)) {
	case CONN_READY: return (ssize_t)taken;
	case CONN_WANT_READ:
	case CONN_WANT_WRITE:
	case CONN_WANT_DNS: return 0;
	case CONN_CLOSED:
	case CONN_REFUSED: return -1;
	}
	return -1;
}

size_t link_unsent(const struct link *l)
{
	return l->unsent.n - l->sent;
}

/* Peer to owner, as much as is there without asking the kernel twice; false when it closed. */
static bool pump_in(struct link *l)
{
	struct links *s = l->of;
	size_t n;
	int rc;

	do {
		rc = connection_read(l, &n);
		if (rc < 0)
			return false;
		if (rc == 0)
			return true;
		l->paused = !s->config.input(s->config.arg, l, (struct span){ s->chunk, n });
		/* TLS may have read more than it gave; uv does not know of that. */
	} while (l->machine.at == OPEN && !l->paused && l->conn && conn_has_pending(l->conn));
	return true;
}

/* What waits, to the peer; false when the connection broke. */
static bool pump_out(struct link *l)
{
	struct links *s = l->of;

	if (l->broken)
		return false;
	if (!link_unsent(l))
		return true;
	while (link_unsent(l)) {
		ssize_t n =
			connection_write(l, (struct span){ l->unsent.p + l->sent, link_unsent(l) });

		if (n <= 0)
			return n == 0;
		l->sent += (size_t)n;
	}
	unsent_forget(l);
	if (l->machine.at == OPEN)
		s->config.sent(s->config.arg, l);
	return true;
}

/* Ask uv for exactly what can move something. */
static void poll_for_more(struct link *l)
{
	int events = 0;

	if (link_unsent(l) || l->want_write || l->broken)
		events |= UV_WRITABLE;
	/* That a peer who is not read from has left must be seen all the same. */
	if (l->machine.at == OPEN)
		events |= l->paused ? UV_DISCONNECT : UV_READABLE;
	poll_tcp(l, events);
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
	poll_tcp(l, UV_READABLE);
}

static void discard(struct link *l)
{
	uint8_t octets[4096];
	ssize_t n = recv(l->tcp_fd, octets, sizeof(octets), 0);

	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		link_close(l, "done");
}

static void settle(struct link *l)
{
	if (l->machine.at == FLUSHING && !link_unsent(l) && !l->broken)
		linger(l);
	else if (l->machine.at == OPEN || l->machine.at == FLUSHING)
		poll_for_more(l);
}

enum { PUMP_IN = 1, PUMP_OUT = 2, PUMP_BOTH = 3 };

static void pump(struct link *l, int ways)
{
	/* TLS that waits to write before it can read gets both tried. */
	if (l->want_write)
		ways = PUMP_BOTH;
	l->want_write = false;
	if (ways & PUMP_IN && l->machine.at == OPEN && !l->paused && !pump_in(l)) {
		link_close(l, "the peer closed");
		return;
	}
	if (ways & PUMP_OUT && l->machine.at != CLOSED && !pump_out(l)) {
		link_close(l, "the connection broke");
		return;
	}
	settle(l);
}

/* A connection that broke is not told of here but by the next turn of the loop: the caller may
 * be in the middle of what it does with the link. */
void link_send(struct link *l, struct span octets)
{
	if (l->machine.at != OPEN || l->broken)
		return;
	while (octets.n && !link_unsent(l)) {
		ssize_t n = connection_write(l, octets);

		if (n <= 0)
			break;
		octets = (struct span){ octets.p + n, octets.n - (size_t)n };
	}
	if (!octets.n)
		return;
	buf_put(&l->unsent, octets);
	l->broken = !buf_ok(&l->unsent);
	poll_for_more(l);
}

void link_end(struct link *l)
{
	if (l->machine.at != OPEN)
		return;
	machine_go(&l->machine, FLUSHING);
	link_deadline(l, FLUSH_MS, "the peer does not take the last octets");
	settle(l);
}

void link_resume(struct link *l)
{
	if (!l->paused)
		return;
	l->paused = false;
	pump(l, PUMP_IN);
}

static void proof_lost(void *arg, const char *why)
{
	struct link *l = arg;
	char address[64];

	log_info("tls.withdrawn", "%s from=%s reason=%s", verdict_words(link_peer(l)),
		link_address(l, address, sizeof(address)), log_value(why));
	link_close(l, why);
}

/* The peer is known. */
static void open_stream(struct link *l)
{
	struct links *s = l->of;

	list_remove(&s->half_open, l);
	machine_go(&l->machine, OPEN);
	list_add(&s->open, l);
	link_deadline(l, 0, "");
	if (!s->config.open(s->config.arg, l)) {
		link_close(l, "not taken");
		return;
	}
	l->taken = true;
	if (l->conn && s->config.resolver)
		l->proof = proof_new(s->config.resolver, link_peer(l), l->source, proof_lost, l);
	/* A request may have come with the last octets of the handshake. */
	if (l->machine.at == OPEN)
		pump(l, PUMP_IN);
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

static void serve(struct link *l)
{
	int events = l->ready,
	    ways = (events & UV_READABLE ? PUMP_IN : 0) | (events & UV_WRITABLE ? PUMP_OUT : 0);

	l->ready = 0;
	switch ((enum state)l->machine.at) {
	case OPEN:
		if (events & UV_DISCONNECT)
			link_close(l, "the peer closed");
		else
			pump(l, ways);
		return;
	case FLUSHING: pump(l, ways); return;
	case LINGERING: discard(l); return;
	case SILENT:
	case HANDSHAKE:
	case ASKING_DNS:
	case CLOSED: return;
	}
}

/* Now, when the turn has time left; otherwise in its order. */
static void serve_or_wait(struct link *l)
{
	struct links *s = l->of;
	uint64_t began = uv_hrtime();

	if (l->in)
		return;
	if (began < pace_until(s->pace, SERVE_NS) - s->served_ns)
		serve(l);
	else
		queue_put(&s->busy, l);
	s->served_ns += uv_hrtime() - began;
}

static void tcp_ready(uv_poll_t *poll, int status, int events)
{
	struct link *l = poll->data;

	if (status < 0) {
		link_close(l, uv_strerror(status));
		return;
	}
	switch ((enum state)l->machine.at) {
	case SILENT:
	case HANDSHAKE: due_add(l); return;
	case ASKING_DNS: link_close(l, "the peer left while DNS was asked"); return;
	case OPEN:
	case FLUSHING:
	case LINGERING:
		l->ready |= events;
		serve_or_wait(l);
		return;
	case CLOSED: return;
	}
}

static void go_on(void *arg)
{
	struct link *l = arg;

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

/* The longest waiting ones, until the time is over, and at least one. */
static void work_off(struct queue *q, void (*what)(struct link *l), uint64_t until_ns)
{
	struct link *l = q->first;

	while (l) {
		queue_remove(l);
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

	work_off(&s->busy, serve, pace_until(s->pace, SERVE_NS) - s->served_ns);
	work_off(&s->dead, reap, pace_until(s->pace, REAP_NS));
	if (s->busy.first || s->dead.first)
		uv_timer_start(&s->kick, turn, 0, 0);
	s->served_ns = 0;
}

/* False: the time was over first. */
static bool expire(struct list *list, int64_t now, uint64_t until_ns)
{
	for (struct link *l = list->first, *next; l; l = next) {
		if (uv_hrtime() >= until_ns)
			return false;
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
	return true;
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
static bool admit(struct links *s, uint64_t source)
{
	if (s->closing || !sources_take(&s->sources, source, s->config.per_source_max))
		return false;
	if (s->half_open.count >= s->config.half_open_max)
		link_close(s->half_open.first, "too many half-open connections");
	if (link_table_count(s) < s->config.links_max)
		return true;
	sources_give(&s->sources, source);
	return false;
}

void link_accept(struct links *s, int fd, const struct sockaddr *from)
{
	struct link *l;
	uint64_t source = listen_source(from);
	int one = 1;

	if (!admit(s, source)) {
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
	l->tcp_fd = fd;
	l->due = (struct pace_job){ .run = go_on, .arg = l };
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
		reap(s->dead.first);
	pace_give(s->pace);
	uv_close((uv_handle_t *)&s->prepare, own_handle_closed);
	uv_close((uv_handle_t *)&s->tick, own_handle_closed);
	uv_close((uv_handle_t *)&s->kick, own_handle_closed);
}
