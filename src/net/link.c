/* SPDX-License-Identifier: Apache-2.0 */
#include "net/link.h"

#include <assert.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "net/link_parts.h"
#include "net/listen.h"
#include "program/log.h"
#include "tls/hello.h"

#define FLUSH_MS  5000 /* for the last octets to leave */
#define LINGER_MS 1000 /* for the peer to read them and close */
#define DEAD_MAX  1024 /* closed, and not yet freed */
#define OURS      1    /* the source of what we connect; no address has it */

static_assert(HELLO_OCTETS_MAX <= LINK_CHUNK, "a ClientHello is looked at there");
static_assert(PEER_REFUSED_ABANDONED < COUNTS_REFUSALS, "each refusal has its count");

static const struct machine_state states[] = {
	[SILENT] = { "silent", 1 << HANDSHAKE | 1 << OPEN | 1 << CLOSED },
	[HANDSHAKE] = { "handshake", 1 << ASKING_DNS | 1 << OPEN | 1 << LINGERING | 1 << CLOSED },
	[ASKING_DNS] = { "asking-dns", 1 << HANDSHAKE | 1 << CLOSED },
	[OPEN] = { "open", 1 << FLUSHING | 1 << LINGERING | 1 << CLOSED },
	[FLUSHING] = { "flushing", 1 << LINGERING | 1 << CLOSED },
	[LINGERING] = { "lingering", 1 << CLOSED },
	[CLOSED] = { "closed", 0 },
};

static const struct peer nobody = { .usage = -1, .selector = -1, .matching = -1, .depth = -1 };

static void tcp_ready(uv_poll_t *poll, int status, int events);

static void handle_closed(uv_handle_t *handle)
{
	struct link *l = handle->data;
	struct links *s = l->of;

	free(l);
	link_table_reaped(s);
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

/* It waits for its turn already. To be told of it in each turn until then would cost more than
 * the turn has, once thousands wait: what has its turn asks again by itself. */
static void told_again(struct link *l)
{
	poll_tcp(l, 0);
}

static void due_add(struct link *l)
{
	if (l->machine.at < OPEN)
		pace_add(l->of->pace, &l->due);
}

/* What of a closed link costs: the TLS object, the socket. */
void link_reap(struct link *l)
{
	const struct linger at_once = { .l_onoff = 1 };

	link_queue_remove(l);
	/* Who may end each way for itself takes a FIN for an end: what was cut is reset. */
	if (l->of->config.ended && !l->duplex.conn && !link_is_done(l))
		setsockopt(l->duplex.fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	duplex_done(&l->duplex);
	l->of->closing_links++;
	uv_close((uv_handle_t *)&l->tcp, handle_closed);
	close(l->duplex.fd);
}

/* Once. Of a link that never opened only who asked for it wants to know. */
static void tell_gone(struct link *l, const char *why)
{
	const struct links_config *c = &l->of->config;

	if (l->taken)
		c->gone(c->arg, l, why);
	else if (l->ours)
		c->failed(c->arg, l, why);
	l->taken = l->ours = false;
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
	if (log_is_on(TRACE_DEBUG))
		log_debug("link.close", "from=%s was=%s reason=%s",
			link_address(l, (char[64]){ 0 }, 64), states[l->machine.at].name,
			log_value(why));
	link_list_remove(link_list_of(l), l);
	machine_go(&l->machine, CLOSED);
	link_queue_remove(l);
	pace_remove(&l->due);
	tell_gone(l, why);
	proof_give(&l->proof);
	wheel_remove(&s->wheel, &l->at);
	duplex_forget(&l->duplex);
	sources_give(&s->sources, l->source);
	if (s->dead.count >= DEAD_MAX)
		link_reap(s->dead.first);
	link_queue_put(&s->dead, l);
}

const struct peer *link_peer(const struct link *l)
{
	return l->duplex.conn ? conn_peer(l->duplex.conn) : &nobody;
}

const struct conn *link_conn(const struct link *l)
{
	return l->duplex.conn;
}

const struct sockaddr *link_from(const struct link *l)
{
	return (const struct sockaddr *)&l->from;
}

bool link_to(const struct link *l, struct sockaddr_storage *out)
{
	socklen_t n = sizeof(*out);

	return getsockname(l->duplex.fd, (struct sockaddr *)out, &n) == 0;
}

bool link_is_done(const struct link *l)
{
	return l->duplex.ended && l->duplex.end_sent;
}

const char *link_address(const struct link *l, char *out, size_t cap)
{
	return listen_write_address((const struct sockaddr *)&l->from, out, cap);
}

void link_deadline(struct link *l, unsigned ms, const char *why)
{
	struct links *s = l->of;
	int64_t now = resolver_now();

	l->deadline_ms = ms ? now + ms : 0;
	l->deadline_why = why;
	/* A later one than before, as after each octet, is seen when the sooner has come. */
	if (ms && wheel_by(&s->wheel, &l->at, now, l->deadline_ms))
		link_table_watch(s);
}

void link_set_owner(struct link *l, void *owner)
{
	l->owner = owner;
}

void *link_owner(const struct link *l)
{
	return l->owner;
}

size_t link_unsent(const struct link *l)
{
	return duplex_unsent(&l->duplex);
}

/* The peer sends no more. False: the link closes. */
static bool pump_end(struct link *l)
{
	struct links *s = l->of;

	if (!s->config.ended)
		return false;
	s->config.ended(s->config.arg, l);
	return true;
}

/* Peer to owner, as much as is there without asking the kernel twice; false when it closed. */
static bool pump_in(struct link *l)
{
	struct links *s = l->of;
	size_t n;

	do {
		switch (duplex_read(&l->duplex, s->chunk, s->config.chunk_max, &n)) {
		case DUPLEX_SOME: break;
		case DUPLEX_NOT_YET: return true;
		case DUPLEX_END: return pump_end(l);
		case DUPLEX_CUT: return false;
		}
		if (!s->config.input(s->config.arg, l, (struct span){ s->chunk, n }))
			l->paused = true;
		/* TLS may have read more than it gave; uv does not know of that. */
	} while (l->machine.at == OPEN && !l->paused && duplex_has_pending(&l->duplex));
	return true;
}

/* What waits, to the peer; false when the connection broke. */
static bool pump_out(struct link *l)
{
	struct links *s = l->of;

	if (!duplex_wants_out(&l->duplex))
		return true;
	duplex_flush(&l->duplex);
	if (l->duplex.broken)
		return false;
	if (l->machine.at == OPEN && !duplex_wants_out(&l->duplex))
		s->config.sent(s->config.arg, l);
	return true;
}

/* While nothing is read. Where each way ends for itself, an end that was seen waits to be read. */
static int events_of_paused(const struct link *l)
{
	return l->hung ? 0 : UV_DISCONNECT;
}

/* Ask uv for exactly what can move something; but a pause is often over before the peer says
 * anything, and each change of what is asked for is two system calls. */
static void poll_for_more(struct link *l)
{
	int events = duplex_wants_out(&l->duplex) ? UV_WRITABLE : 0;

	/* That a peer who is not read from has left must be seen all the same. */
	if (l->machine.at == OPEN && !l->duplex.ended)
		events |= l->paused && l->told ? events_of_paused(l) : UV_READABLE;
	poll_tcp(l, events);
}

/* Closing at once over unread octets would reset the connection, and with it take back the
 * answer that the peer has not read yet. */
static void linger(struct link *l)
{
	if (l->duplex.conn)
		(void)conn_close(l->duplex.conn);
	shutdown(l->duplex.fd, SHUT_WR);
	machine_go(&l->machine, LINGERING);
	link_deadline(l, LINGER_MS, "done");
	poll_tcp(l, UV_READABLE);
}

static void discard(struct link *l)
{
	uint8_t octets[4096];
	ssize_t n = recv(l->duplex.fd, octets, sizeof(octets), 0);

	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		link_close(l, "done");
	else
		poll_tcp(l, UV_READABLE);
}

static void settle(struct link *l)
{
	if (l->machine.at == FLUSHING && !link_unsent(l) && !l->duplex.broken)
		linger(l);
	else if (l->machine.at == OPEN || l->machine.at == FLUSHING)
		poll_for_more(l);
}

enum { PUMP_IN = 1, PUMP_OUT = 2, PUMP_BOTH = 3 };

/* An alert says more than a cut does: the server of ours did not want us. */
static const char *why_over(const struct link *l)
{
	const struct peer *peer = link_peer(l);

	if (l->duplex.ended)
		return "the peer closed";
	return peer->refusal != PEER_REFUSED_NOT ? peer->reason : "the connection was cut";
}

static void pump(struct link *l, int ways)
{
	/* TLS that waits to write before it can read gets both tried. */
	if (l->duplex.want_write)
		ways = PUMP_BOTH;
	l->duplex.want_write = false;
	if (ways & PUMP_IN && l->machine.at == OPEN && !l->paused && !l->duplex.ended &&
		!pump_in(l)) {
		link_close(l, why_over(l));
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
	if (l->machine.at != OPEN)
		return;
	duplex_send(&l->duplex, octets, &l->of->room);
	if (duplex_wants_out(&l->duplex))
		poll_for_more(l);
}

void link_shut(struct link *l)
{
	if (l->machine.at != OPEN)
		return;
	duplex_end(&l->duplex);
	poll_for_more(l);
}

void link_pause(struct link *l)
{
	l->paused = true;
}

void link_end(struct link *l)
{
	if (l->machine.at != OPEN)
		return;
	machine_go(&l->machine, FLUSHING);
	link_deadline(l, FLUSH_MS, "the peer does not take the last octets");
	settle(l);
}

/* The owner is told now; the peer reads close_notify, and nothing of it is heard any more. */
void link_part(struct link *l, const char *why)
{
	if (l->machine.at != OPEN)
		return;
	tell_gone(l, why);
	proof_give(&l->proof);
	duplex_forget(&l->duplex);
	linger(l);
}

void link_resume(struct link *l)
{
	if (!l->paused)
		return;
	l->paused = l->told = false;
	pump(l, PUMP_IN);
}

void link_lost(void *arg, struct proof_hold *h, bool silent, const char *why)
{
	struct link *l = (struct link *)((uint8_t *)h - offsetof(struct link, proof));
	char address[64];

	(void)arg;
	++*(silent ? &l->of->config.counts->unanswered : &l->of->config.counts->withdrawn);
	log_info("tls.withdrawn", "%s from=%s reason=%s", verdict_words(link_peer(l)),
		link_address(l, address, sizeof(address)), log_value(why));
	link_part(l, why);
}

void link_outlived(struct link *l)
{
	static const char why[] = "the time of the certificate is over";
	char address[64];

	l->of->config.counts->expired++;
	log_info("tls.expired", "%s from=%s reason=%s", verdict_words(link_peer(l)),
		link_address(l, address, sizeof(address)), log_value(why));
	link_part(l, why);
}

/* By the clock as it is now: TLS read it a moment ago. */
static void watch_certificate(struct link *l)
{
	int64_t now = resolver_now(), left_s = link_peer(l)->ends_s + 1 - time(NULL);

	if (link_peer(l)->ends_s == 0)
		return;
	l->ends_ms = now + (left_s > 0 ? left_s * 1000 : 0);
	if (wheel_by(&l->of->wheel, &l->at, now, l->ends_ms))
		link_table_watch(l->of);
}

/* The peer is known. */
static void open_stream(struct link *l)
{
	struct links *s = l->of;

	link_list_remove(&s->half_open, l);
	machine_go(&l->machine, OPEN);
	link_list_add(&s->open, l);
	link_deadline(l, 0, "");
	l->taken = true;
	if (!s->config.open(s->config.arg, l)) {
		l->taken = l->ours = false;
		link_close(l, "not taken");
	}
	/* The owner may have closed it as well. */
	if (l->machine.at != OPEN)
		return;
	if (l->duplex.conn && s->proofs &&
		proof_take(s->proofs, resolver_now(), link_peer(l), l->source, &l->proof) != 0)
		link_part(l, "no memory to watch the TLSA");
	watch_certificate(l);
	/* A request may have come with the last octets of the handshake. */
	if (l->machine.at == OPEN)
		pump(l, PUMP_IN);
}

/* Refused, at the end of its handshake or before, by either side. */
void link_say_refused(struct link *l, const char *why)
{
	int64_t took_ms = resolver_now() - l->start_ms;

	if (l->duplex.conn || l->heard)
		l->of->config.counts->refused[link_peer(l)->refusal]++;
	if (!l->ours)
		verdict_refused(&l->of->verdict, link_peer(l), link_from(l), took_ms, why);
}

/* The alert has been sent; what the client sent behind its handshake is not read. */
static void refused(struct link *l)
{
	const char *why = link_peer(l)->reason;

	if (!why[0])
		why = "the connection ended in the handshake";
	link_say_refused(l, why);
	tell_gone(l, why);
	link_list_remove(&l->of->half_open, l);
	duplex_done(&l->duplex);
	linger(l);
	link_list_add(&l->of->open, l);
}

/* But for who need not be: a program of this machine. */
static void proved(struct link *l)
{
	struct links_config *c = &l->of->config;
	int64_t took_ms = resolver_now() - l->start_ms;

	if (!link_peer(l)->authenticated) {
		open_stream(l);
		return;
	}
	c->counts->proved++;
	c->counts->proved_by_pkix += link_peer(l)->how == PEER_BY_PKIX;
	counts_add_time(&c->counts->handshake, took_ms);
	verdict_accepted(link_peer(l), link_from(l), took_ms, c->ended ? TRACE_DEBUG : TRACE_INFO);
	open_stream(l);
}

static void handshake(struct link *l)
{
	switch (conn_handshake(l->duplex.conn)) {
	case CONN_READY: proved(l); return;
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

/* The kernel keeps what came, and says when so much is there. */
static void set_wanted(const struct link *l, size_t octets)
{
	int n = (int)octets;

	setsockopt(l->duplex.fd, SOL_SOCKET, SO_RCVLOWAT, &n, sizeof(n));
}

static void refuse_hello(struct link *l, const char *why)
{
	link_say_refused(l, why);
	link_close(l, why);
}

/*
 * A ClientHello that is not whole waits in the socket: a TLS object for it would be 46 KB, which
 * whoever never ends it would hold for as long as a handshake may take. True: it does.
 */
static bool waits_for_hello(struct link *l, size_t here)
{
	size_t wanted = hello_wanted((struct span){ l->of->chunk, here });
	bool more = here > l->heard, waits = l->heard;

	l->heard = (uint16_t)here;
	if (wanted > HELLO_OCTETS_MAX) {
		refuse_hello(l, "the ClientHello is too long");
		return true;
	}
	/* Woken for nothing: a socket that does not know the option. TLS waits just as well. */
	if (wanted <= here || (!more && !l->hung)) {
		if (waits)
			set_wanted(l, 1);
		l->hung = false;
		return false;
	}
	if (l->hung) {
		refuse_hello(l, "the peer left in its ClientHello");
		return true;
	}
	set_wanted(l, wanted);
	poll_tcp(l, UV_READABLE | UV_DISCONNECT);
	return true;
}

static void first_octets(struct link *l)
{
	struct links *s = l->of;
	struct err err;
	ssize_t n = recv(l->duplex.fd, s->chunk, s->config.tls ? HELLO_OCTETS_MAX : 1, MSG_PEEK);

	if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
		poll_tcp(l, UV_READABLE);
		return;
	}
	if (n <= 0) {
		link_close(l, "the peer said nothing");
		return;
	}
	if (!s->config.tls) {
		open_stream(l);
		return;
	}
	if (waits_for_hello(l, (size_t)n))
		return;
	if (conn_new_server(s->config.tls, l->duplex.fd, l->source, dns_came, l, &l->duplex.conn,
		    &err) != 0) {
		log_warning("tls.refuse", "from=%s reason=%s", link_address(l, (char[64]){ 0 }, 64),
			log_value(err.msg));
		link_close(l, "no TLS object");
		return;
	}
	machine_go(&l->machine, HANDSHAKE);
	handshake(l);
}

/* Ours: we speak first. */
static void first_step(struct link *l)
{
	struct err err;

	if (conn_new_client(l->of->config.tls_client, l->endpoint, l->duplex.fd, &l->duplex.conn,
		    &err) != 0) {
		link_close(l, "no TLS object");
		return;
	}
	machine_go(&l->machine, HANDSHAKE);
	handshake(l);
}

void link_serve(struct link *l)
{
	int events = l->ready,
	    ways = (events & UV_READABLE ? PUMP_IN : 0) | (events & UV_WRITABLE ? PUMP_OUT : 0);

	l->ready = 0;
	switch ((enum link_state)l->machine.at) {
	case OPEN:
		l->told |= l->paused && events & UV_READABLE;
		l->hung |= events & UV_DISCONNECT && l->of->config.ended;
		if (events & UV_DISCONNECT && !l->hung)
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
	uint64_t began;

	if (l->in) {
		told_again(l);
		return;
	}
	began = uv_hrtime();
	if (began < pace_until(s->pace, began, LINK_SERVE_NS) - s->served_ns) {
		link_serve(l);
		s->served_ns += uv_hrtime() - began;
	} else {
		link_queue_put(&s->busy, l);
	}
}

/* Who said all in one breath, its end too, may still be heard. */
static void hung_up(struct link *l)
{
	if (l->of->config.ended)
		poll_tcp(l, 0);
	else
		link_close(l, "the peer left while DNS was asked");
}

static void wait_for_step(struct link *l)
{
	if (l->due.in)
		told_again(l);
	else
		due_add(l);
}

static void tcp_ready(uv_poll_t *poll, int status, int events)
{
	struct link *l = poll->data;

	if (status < 0) {
		link_close(l, "the connection was reset");
		return;
	}
	switch ((enum link_state)l->machine.at) {
	case SILENT:
		l->hung |= events & UV_DISCONNECT;
		wait_for_step(l);
		return;
	case HANDSHAKE: wait_for_step(l); return;
	case ASKING_DNS: hung_up(l); return;
	case OPEN: pace_stir(l->of->pace); __attribute__((fallthrough));
	case FLUSHING:
	case LINGERING:
		l->ready |= events;
		serve_or_wait(l);
		return;
	case CLOSED: poll_tcp(l, 0); return; /* it still waits to be freed */
	}
}

static void go_on(void *arg)
{
	struct link *l = arg;

	if (l->machine.at == SILENT && l->ours) {
		first_step(l);
		return;
	}
	if (l->machine.at == SILENT) {
		first_octets(l);
		return;
	}
	if (l->machine.at == ASKING_DNS)
		machine_go(&l->machine, HANDSHAKE);
	handshake(l);
}

/* fd is the link's, or closed. NULL: no memory. */
static struct link *new_link(struct links *s, int fd, const struct sockaddr *from, uint64_t source)
{
	struct link *l = calloc(1, sizeof(*l));
	int one = 1;

	if (!l || uv_poll_init(s->config.loop, &l->tcp, fd) != 0) {
		sources_give(&s->sources, source);
		close(fd);
		free(l);
		return NULL;
	}
	if (from->sa_family != AF_UNIX)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	l->of = s;
	l->machine = (struct machine){ .name = "link", .states = states, .at = SILENT };
	l->tcp.data = l;
	l->duplex.fd = fd;
	l->due = (struct pace_job){ .run = go_on, .arg = l };
	l->source = source;
	if (from->sa_family == AF_INET || from->sa_family == AF_INET6)
		memcpy(&l->from, from,
			from->sa_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(l->from));
	l->start_ms = resolver_now();
	link_deadline(l, s->config.handshake_timeout_ms, "the handshake took too long");
	link_list_add(&s->half_open, l);
	return l;
}

void link_accept(struct links *s, int fd, const struct sockaddr *from)
{
	uint64_t source = listen_source(from);
	struct link *l;

	s->config.counts->accepted++;
	if (!link_table_admit(s, source)) {
		verdict_dropped(&s->verdict);
		link_table_watch(s);
		close(fd);
		return;
	}
	l = new_link(s, fd, from, source);
	if (!l)
		return;
	/* In the clear it may be ours to speak first. */
	if (s->config.ended && !s->config.tls)
		open_stream(l);
	else
		poll_tcp(l, UV_READABLE);
}

int link_connect(struct links *s, int fd, const struct sockaddr *to,
	const struct service_endpoint *endpoint, unsigned timeout_ms, void *owner,
	struct link **out)
{
	struct link *l;

	if (!link_table_admit(s, OURS)) {
		close(fd);
		return ERR_SPACE;
	}
	l = new_link(s, fd, to, OURS);
	if (!l)
		return ERR_NOMEM;
	l->ours = true;
	l->owner = owner;
	if (timeout_ms < s->config.handshake_timeout_ms)
		link_deadline(l, timeout_ms, "the handshake took too long");
	l->endpoint = endpoint;
	*out = l;
	if (s->config.tls_client)
		due_add(l);
	else
		open_stream(l);
	return 0;
}
