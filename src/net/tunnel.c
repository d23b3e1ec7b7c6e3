/* SPDX-License-Identifier: Apache-2.0 */
#include "net/tunnel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/secret.h"
#include "program/log.h"

#define LAST_ANSWERS_MS 10000
#define SHARE_MIN_MS    2000 /* of connect_timeout_ms, for the handshake with one address */

struct tunnel {
	struct tunnels *of;
	struct link *front, *back; /* back NULL: not there yet */
	bool open;                 /* the back is proved */
	bool back_gone;            /* and is not to be closed any more */
	bool half_closed;          /* one way has ended */
	unsigned tried;            /* addresses given up */
	struct reach_wait wait;
	struct reach_found *found; /* the back borrows its endpoint */
	struct dial *dial;
	struct http_pass *http; /* NULL: octets */
	bool refused;           /* a request was: only answers to those before it still go */
	uint64_t forth, back_again;
	struct tunnel_live *live; /* NULL: nobody looks on */
	int64_t start_ms, reach_until_ms;
};

struct tunnels {
	struct tunnels_config config;
	struct links *front, *back;
	struct buf requests;    /* on their way; empty between */
	struct counts unasked;  /* where counts go that nobody wants */
	unsigned count, tables; /* tables: not closed yet */
	void (*done)(void *arg);
	void *done_arg;
};

/* Who was proved: in front, or else at the back; or who was not. */
static const struct peer *peer_of(const struct tunnel *t)
{
	const struct peer *front = link_peer(t->front);

	return t->back && !front->authenticated ? link_peer(t->back) : front;
}

static struct tunnel_end describe(const struct tunnel *t, const char *why)
{
	return (struct tunnel_end){ .front = t->front,
		.back = t->open ? t->back : NULL,
		.peer = peer_of(t),
		.forth = t->forth,
		.back_again = t->back_again,
		.took_ms = resolver_now() - t->start_ms,
		.why = why,
		.live = t->live };
}

static const char too_late[] = "the back was not reached in time";
static const char too_idle[] = "idle for too long";
static const char too_half[] = "half-closed for too long";
static const char too_old[] = "its time was over";

/* A limit closed it: which one? */
static void count_limit(struct counts *c, const char *why)
{
	c->late += why == too_late;
	c->idle += why == too_idle;
	c->half_closed += why == too_half;
	c->old += why == too_old;
}

/* The front goes: with it all the rest. */
static void end(struct tunnel *t, const char *why)
{
	struct tunnels *s = t->of;
	struct tunnel_end e = describe(t, why);

	if (!t->open)
		s->config.counts->unreached++;
	count_limit(s->config.counts, why);
	/* An address that is silent gives up first; timers count in whole ms. */
	if (!t->open && why != too_late)
		s->config.counts->late += resolver_now() >= t->reach_until_ms - 1;
	s->config.ended(s->config.arg, &e);
	reach_forget(&t->wait);
	dial_free(t->dial);
	if (t->back && !t->back_gone) {
		link_set_owner(t->back, NULL);
		link_close(t->back, why);
	}
	reach_drop(t->found);
	http_pass_free(t->http);
	s->count--;
	free(t);
}

static void give_up(struct tunnel *t, const char *why)
{
	link_close(t->front, why);
}

/* Until something moves again. */
static void rest(struct tunnel *t)
{
	const struct tunnels_config *c = &t->of->config;
	int64_t left_ms =
		c->lifetime_ms ? t->start_ms + c->lifetime_ms - resolver_now() : INT64_MAX;
	bool half = t->half_closed && c->half_closed_timeout_ms < c->idle_timeout_ms;
	unsigned idle_ms = half ? c->half_closed_timeout_ms : c->idle_timeout_ms;

	/* After a refusal the deadline stands. */
	if (t->refused)
		return;
	if (left_ms < idle_ms)
		link_deadline(t->front, left_ms > 1 ? (unsigned)left_ms : 1, too_old);
	else
		link_deadline(t->front, idle_ms, half ? too_half : too_idle);
}

static void dialled(void *arg, int fd, unsigned index, const char *why);

/* The next address, until there is none. */
static void try_next(struct tunnel *t)
{
	int64_t left_ms = t->reach_until_ms - resolver_now();
	struct dial_config c = { .loop = t->of->config.loop,
		.list = &t->found->list,
		.first = t->tried,
		.timeout_ms = left_ms > 0 ? (unsigned)left_ms : 0,
		.done = dialled,
		.arg = t };
	struct err err;

	if (dial_new(&c, &t->dial, &err) != 0)
		give_up(t, err.msg);
}

static const struct service_endpoint *endpoint_of(const struct reach_found *f, unsigned index)
{
	return f->service ? &f->service->endpoint[f->list.endpoint[index]] : NULL;
}

/* One that answers, and then says nothing, leaves the others time. */
static unsigned share_ms(const struct tunnel *t, unsigned index)
{
	int64_t left_ms = t->reach_until_ms - resolver_now();
	int64_t share_ms = left_ms / (t->found->list.count - index);

	if (share_ms < SHARE_MIN_MS)
		share_ms = left_ms < SHARE_MIN_MS ? left_ms : SHARE_MIN_MS;
	return share_ms > 0 ? (unsigned)share_ms : 1;
}

static void dialled(void *arg, int fd, unsigned index, const char *why)
{
	struct tunnel *t = arg;

	t->dial = NULL;
	if (fd < 0) {
		give_up(t, why);
		return;
	}
	t->tried = index + 1;
	t->back_gone = false;
	if (link_connect(t->of->back, fd, &t->found->list.address[index].any,
		    endpoint_of(t->found, index), share_ms(t, index), t, &t->back) != 0)
		give_up(t, "no room for a connection to the back");
}

static const char *why_nowhere(const struct reach_found *f)
{
	const struct service *s = f->service;

	return s && s->count ? s->endpoint[0].why : s ? s->why : "no address";
}

static void found(struct reach_wait *w, struct reach_found *f)
{
	struct tunnel *t = w->arg;

	if (!f) {
		give_up(t, "no memory to find the target");
		return;
	}
	if (!f->list.count) {
		give_up(t, why_nowhere(f));
		return;
	}
	t->found = reach_keep(f);
	try_next(t);
}

/* Its peer is proved, and not one octet was read: only now is anything asked for. */
static bool front_open(void *arg, struct link *l)
{
	struct tunnels *s = arg;
	struct reach *to =
		s->config.reach_of ? s->config.reach_of(s->config.arg, l) : s->config.reach;
	struct tunnel *t = calloc(1, sizeof(*t));

	if (!t)
		return false;
	s->count++;
	t->of = s;
	t->front = l;
	t->start_ms = resolver_now();
	t->reach_until_ms = t->start_ms + s->config.connect_timeout_ms;
	t->wait = (struct reach_wait){ .done = found, .arg = t };
	link_set_owner(l, t);
	link_pause(l);
	link_deadline(l, s->config.connect_timeout_ms, too_late);
	s->config.counts->over_targets += to == NULL;
	if (to)
		reach_ask(to, &t->wait);
	else
		give_up(t, "no room for one more target");
	return true;
}

static void front_gone(void *arg, struct link *l, const char *why)
{
	(void)arg;
	end(link_owner(l), why);
}

/* Before the first request. False: no memory. */
static bool begin_http(struct tunnel *t)
{
	const struct tunnels_config *c = &t->of->config;
	struct buf fields = { 0 };

	if (!c->http)
		return true;
	c->fields(c->arg, t->front, &fields);
	if (buf_ok(&fields))
		t->http = http_pass_new(c->http, buf_span(&fields));
	buf_done(&fields);
	return t->http != NULL;
}

static bool back_open(void *arg, struct link *l)
{
	struct tunnel *t = link_owner(l);
	struct tunnels *s = arg;
	struct buf ahead = { 0 };
	bool ok;

	t->open = true;
	s->config.counts->passed++;
	counts_add_time(&s->config.counts->reach, resolver_now() - t->start_ms);
	if (s->config.opened) {
		struct tunnel_end now = describe(t, NULL);

		t->live = s->config.opened(s->config.arg, &now);
	}
	rest(t);
	if (s->config.ahead)
		s->config.ahead(s->config.arg, t->front, &ahead);
	ok = buf_ok(&ahead) && begin_http(t);
	if (ok)
		link_send(l, buf_span(&ahead));
	buf_done(&ahead);
	if (ok)
		link_resume(t->front);
	else
		give_up(t, "no room for what goes ahead");
	return true;
}

static void back_gone(void *arg, struct link *l, const char *why)
{
	struct tunnel *t = link_owner(l);

	(void)arg;
	if (!t)
		return;
	t->back_gone = true;
	give_up(t, why);
}

static void back_failed(void *arg, struct link *l, const char *why)
{
	struct tunnel *t = link_owner(l);

	if (t && t->tried < t->found->list.count && resolver_now() < t->reach_until_ms) {
		t->back = NULL;
		try_next(t);
	} else {
		back_gone(arg, l, why);
	}
}

/* From one link to the other; false: the other is full. */
static bool pass(struct tunnel *t, struct link *to, uint64_t *count, struct span octets)
{
	*count += octets.n;
	rest(t);
	if (t->live)
		*t->live = (struct tunnel_live){ t->forth, t->back_again };
	link_send(to, octets);
	return link_unsent(to) == 0;
}

/* May more be read from the front? */
static bool wants_front(const struct tunnel *t)
{
	return !t->refused && !(t->http && http_pass_waits(t->http));
}

/* Nothing behind it can be trusted to be a request. */
static void refuse_request(struct tunnel *t, bool first, const struct http_head_refusal *refusal)
{
	char from[64], words[256];

	log_info("http.refuse", "from=%s status=%u reason=%s",
		link_address(t->front, from, sizeof(from)), refusal->status,
		log_value(refusal->why));
	t->refused = true;
	t->of->config.counts->misspoken++;
	t->of->config.counts->long_heads += refusal->status == 431;
	if (!first) {
		link_shut(t->back);
		link_deadline(t->front, LAST_ANSWERS_MS, refusal->why);
		return;
	}
	snprintf(words, sizeof(words),
		"HTTP/1.1 %u Refused\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\n"
		"Connection: close\r\n\r\n%s\n",
		refusal->status, strlen(refusal->why) + 1, refusal->why);
	link_send(t->front, (struct span){ (const uint8_t *)words, strlen(words) });
	link_part(t->front, refusal->why);
}

/* The last thing a caller does with t. False: no more of the front for now. */
static bool pass_requests(struct tunnel *t, struct span octets)
{
	struct buf *out = &t->of->requests;
	bool first = http_pass_is_first(t->http);
	struct http_head_refusal refusal;
	struct span go;
	enum http_head_verdict verdict = http_pass_forth(t->http, octets, out, &go, &refusal);
	/* Part of a head moves nothing: the idle time runs on. */
	bool more = go.n ? pass(t, t->back, &t->forth, go) : link_unsent(t->back) == 0;

	first = first && http_pass_is_first(t->http);
	if (out->p)
		secret_wipe_octets(out->p, out->n);
	if (!buf_ok(out))
		buf_done(out);
	out->n = 0;
	if (verdict != HTTP_HEAD_REFUSED)
		return more && wants_front(t);
	refuse_request(t, first, &refusal);
	return false;
}

static bool front_input(void *arg, struct link *l, struct span octets)
{
	struct tunnel *t = link_owner(l);

	(void)arg;
	if (t->refused)
		return false;
	t->of->config.counts->forth += octets.n;
	return t->http ? pass_requests(t, octets) : pass(t, t->back, &t->forth, octets);
}

static bool back_input(void *arg, struct link *l, struct span octets)
{
	struct tunnel *t = link_owner(l);
	bool more;

	(void)arg;
	t->of->config.counts->back += octets.n;
	if (!t->http || !http_pass_waits(t->http) || !http_pass_back(t->http, octets))
		return pass(t, t->front, &t->back_again, octets);
	/* The upgrade is answered: what the front said meanwhile goes on. */
	more = pass(t, t->front, &t->back_again, octets);
	if (pass_requests(t, (struct span){ 0 }))
		link_resume(t->front);
	return more;
}

static struct link *other(const struct tunnel *t, const struct link *l)
{
	return l == t->front ? t->back : t->front;
}

static void finish(struct tunnel *t)
{
	if (link_is_done(t->front) && link_is_done(t->back))
		link_close(t->front, "done");
}

static void ended(void *arg, struct link *l)
{
	struct tunnel *t = link_owner(l);

	(void)arg;
	/* The front is not read to its end any more. */
	if (t->refused && l == t->back) {
		link_part(t->front, "a request was refused");
		return;
	}
	t->half_closed = true;
	rest(t);
	link_shut(other(t, l));
	finish(t);
}

/* There is room again. Resuming may end the tunnel, which finish is about as well: last. */
static void sent(void *arg, struct link *l)
{
	struct tunnel *t = link_owner(l);
	struct link *from = other(t, l);

	(void)arg;
	if (link_is_done(l))
		finish(t);
	else if (from && (from != t->front || wants_front(t)))
		link_resume(from);
}

static void table_closed(void *arg)
{
	struct tunnels *s = arg;

	if (--s->tables > 0)
		return;
	if (s->done)
		s->done(s->done_arg);
	buf_done(&s->requests);
	free(s);
}

void tunnel_table_close(struct tunnels *s, void (*done)(void *arg), void *arg)
{
	s->done = done;
	s->done_arg = arg;
	link_table_close(s->front, table_closed, s);
	link_table_close(s->back, table_closed, s);
}

unsigned tunnel_table_count(const struct tunnels *s)
{
	return s->count;
}

unsigned tunnel_table_fronts(const struct tunnels *s)
{
	return link_table_count(s->front);
}

unsigned tunnel_table_half_open(const struct tunnels *s)
{
	return link_table_half_open(s->front) + link_table_half_open(s->back);
}

void tunnel_accept(struct tunnels *s, int fd, const struct sockaddr *from)
{
	link_accept(s->front, fd, from);
}

static int open_tables(struct tunnels *s, struct err *err)
{
	const struct tunnels_config *c = &s->config;
	struct links_config front = {
		.loop = c->loop,
		.tls = c->tls_server,
		.resolver = c->resolver,
		.links_max = c->tunnels_max,
		.half_open_max = c->half_open_max,
		.per_source_max = c->per_source_max,
		.handshake_timeout_ms = c->handshake_timeout_ms,
		.grace_ms = c->grace_ms,
		.refusals_logged_max = c->refusals_logged_max,
		.chunk_max = c->http ? 0 : CONN_SHARE,
		.counts = c->counts,
		.open = front_open,
		.input = front_input,
		.ended = ended,
		.sent = sent,
		.gone = front_gone,
		.arg = s,
	};
	struct links_config back = front;
	int rc = link_table_new(&front, &s->front, err);

	back.tls = NULL;
	back.tls_client = c->tls_client;
	back.half_open_max = back.per_source_max = c->tunnels_max;
	back.handshake_timeout_ms = c->connect_timeout_ms;
	back.chunk_max = CONN_SHARE;
	back.open = back_open;
	back.input = back_input;
	back.gone = back_gone;
	back.failed = back_failed;
	s->tables = 2;
	return rc == 0 ? link_table_new(&back, &s->back, err) : rc;
}

int tunnel_table_new(const struct tunnels_config *config, struct tunnels **out, struct err *err)
{
	struct tunnels *s = calloc(1, sizeof(*s));
	int rc;

	if (!s)
		return err_set(err, ERR_NOMEM, "tunnels: no memory");
	s->config = *config;
	if (!s->config.counts)
		s->config.counts = &s->unasked;
	rc = open_tables(s, err);
	if (rc == 0) {
		*out = s;
	} else if (s->front) {
		s->tables = 1;
		link_table_close(s->front, table_closed, s);
	} else {
		free(s);
	}
	return rc;
}
