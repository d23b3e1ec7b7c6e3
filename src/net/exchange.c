/* SPDX-License-Identifier: Apache-2.0 */
#include "net/exchange.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/buf.h"
#include "core/secret.h"
#include "net/http_chunk.h"
#include "program/log.h"

#define KEEP_OCTETS 4096 /* of an empty buffer: more is given back */

/* What a stream waits for: each has its own deadline. */
enum phase { IDLE, READING, HANDLING, SENDING };

/* The octets of a link, read as requests. Lives as long as its link. */
struct stream {
	struct exchanges *of;
	struct link *link;       /* NULL: gone */
	struct exchange *now;    /* handed out, not answered */
	struct buf in;           /* what came and is no request yet */
	struct http_chunk chunk; /* how far a chunked body in it was put together */
	enum phase phase;
	bool fresh;    /* it had no answer yet */
	bool busy;     /* stream_go is at work, further up */
	bool told;     /* 100 Continue */
	bool ending;   /* nothing more is read */
	bool wants;    /* the link was told to go on sending */
	char from[64]; /* address of the peer */
};

/* A request. Lives until it is answered. */
struct exchange {
	struct http_exchange x; /* first: what the handler sees */
	struct exchanges *of;
	struct stream *stream; /* NULL: the connection is no more */
	struct peer peer;      /* outlives the link that proved it */
	struct buf octets;     /* head and body */
	char *path, *content_type;
	char method[HTTP_HEAD_METHOD_MAX + 1];
	char address[64];
	bool keep_alive, handling, answered;
};

struct exchanges {
	struct http_server_config config;
	struct buf out; /* the answer being sent; empty between */
	time_t date_of;
	char date[40];
	unsigned count; /* exchanges handed out, their connections still there */
	unsigned owed;  /* exchanges handed out at all */
	unsigned fresh; /* connections that had no answer yet */
	bool draining, closed;
	struct counts *counts, unasked; /* unasked: where they go that nobody wants */
};

static const char too_idle[] = "idle for too long";
static const char too_slow[] = "the request took too long";

static void exchanges_free(struct exchanges *s)
{
	buf_done(&s->out);
	free(s);
}

static void exchange_free(struct exchange *e)
{
	struct exchanges *s = e->of;

	buf_done(&e->octets);
	free(e->path);
	free(e->content_type);
	free(e);
	if (--s->owed == 0 && s->closed)
		exchanges_free(s);
}

static void stream_free(struct stream *t)
{
	buf_done(&t->in);
	free(t);
}

static void stream_phase(struct stream *t, enum phase phase)
{
	const struct http_server_config *c = &t->of->config;

	if (t->phase == phase)
		return;
	t->phase = phase;
	switch (phase) {
	case IDLE: link_deadline(t->link, c->idle_timeout_ms, too_idle); break;
	case READING: link_deadline(t->link, c->request_timeout_ms, too_slow); break;
	case HANDLING: link_deadline(t->link, 0, ""); break;
	case SENDING:
		link_deadline(t->link, c->request_timeout_ms, "the peer does not take the answer");
		break;
	}
}

static const char *reason_phrase(unsigned status)
{
	static const struct {
		unsigned status;
		const char *words;
	} phrases[] = {
		{ 200, "OK" },
		{ 400, "Bad Request" },
		{ 403, "Forbidden" },
		{ 404, "Not Found" },
		{ 405, "Method Not Allowed" },
		{ 413, "Content Too Large" },
		{ 415, "Unsupported Media Type" },
		{ 417, "Expectation Failed" },
		{ 431, "Request Header Fields Too Large" },
		{ 500, "Internal Server Error" },
		{ 501, "Not Implemented" },
		{ 503, "Service Unavailable" },
		{ 505, "HTTP Version Not Supported" },
	};

	for (size_t i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++)
		if (phrases[i].status == status)
			return phrases[i].words;
	return "Other";
}

/* RFC 9110 section 5.6.7; made once a second. */
static const char *date(struct exchanges *s)
{
	time_t now = time(NULL);
	struct tm tm;

	if (now != s->date_of && gmtime_r(&now, &tm)) {
		strftime(s->date, sizeof(s->date), "%a, %d %b %Y %H:%M:%S GMT", &tm);
		s->date_of = now;
	}
	return s->date;
}

struct reply {
	unsigned status;
	const char *content_type;
	struct span body;
	bool headless; /* the answer to HEAD: RFC 9110 section 9.3.2 */
	bool close;
};

/* One write: head and body leave in one TLS record where they fit. */
static void no_longer_fresh(struct stream *t)
{
	t->of->fresh -= t->fresh;
	t->fresh = false;
}

static void stream_reply(struct stream *t, const struct reply *r)
{
	struct exchanges *s = t->of;
	struct buf *out = &s->out;

	no_longer_fresh(t);
	buf_printf(out,
		"HTTP/1.1 %u %s\r\nDate: %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n%s\r\n",
		r->status, reason_phrase(r->status), date(s), r->content_type, r->body.n,
		r->close ? "Connection: close\r\n" : "");
	if (!r->headless)
		buf_put(out, r->body);
	if (buf_ok(out))
		link_send(t->link, buf_span(out));
	else
		t->ending = true;
	if (out->p)
		secret_wipe_octets(out->p, out->n);
	if (out->cap > KEEP_OCTETS || !buf_ok(out))
		buf_done(out);
	out->n = 0;
	t->ending |= r->close;
	if (link_unsent(t->link))
		stream_phase(t, SENDING);
	if (t->ending)
		link_end(t->link);
}

/* Nothing behind such a request can be trusted to be a request. */
static void stream_refuse(struct stream *t, unsigned status, const char *why)
{
	char body[128];
	struct reply r = { .status = status, .content_type = "application/json", .close = true };

	log_info("http.refuse", "from=%s status=%u reason=%s", t->from, status, log_value(why));
	t->of->counts->misspoken++;
	t->of->counts->long_heads += status == 431;
	t->of->counts->long_bodies += status == 413;
	snprintf(body, sizeof(body), "{\"error\":\"%s\"}", why);
	r.body = (struct span){ (const uint8_t *)body, strlen(body) };
	stream_reply(t, &r);
}

static char *copy(struct span text)
{
	return strndup(text.n ? (const char *)text.p : "", text.n);
}

/* Takes the octets of the request over from the stream, which keeps what is behind them. */
static struct exchange *exchange_new(struct stream *t, const struct http_head *head)
{
	struct exchange *e = calloc(1, sizeof(*e));
	size_t n = head->octets + (size_t)head->body;
	struct buf rest = { 0 };

	if (!e)
		return NULL;
	t->of->owed++;
	e->of = t->of;
	e->path = copy(head->path);
	e->content_type = copy(head->content_type);
	if (t->in.n > n)
		buf_put(&rest, (struct span){ t->in.p + n, t->in.n - n });
	if (!e->path || !e->content_type || !buf_ok(&rest)) {
		buf_done(&rest);
		exchange_free(e);
		return NULL;
	}
	memcpy(e->method, head->method.p, head->method.n);
	memcpy(e->address, t->from, sizeof(e->address));
	e->keep_alive = head->keep_alive;
	e->peer = *link_peer(t->link);
	e->octets = t->in;
	t->in = rest;
	e->x = (struct http_exchange){
		.method = e->method,
		.path = e->path,
		.content_type = e->content_type,
		.body = { e->octets.p + head->octets, (size_t)head->body },
		.peer = &e->peer,
		.address = e->address,
	};
	return e;
}

static void stream_handle(struct stream *t, const struct http_head *head)
{
	struct exchange *e = exchange_new(t, head);

	if (!e) {
		stream_refuse(t, 503, "no memory");
		return;
	}
	e->stream = t;
	t->now = e;
	t->told = false;
	t->chunk = (struct http_chunk){ 0 };
	t->of->count++;
	stream_phase(t, HANDLING);
	e->handling = true;
	e->of->config.handle(e->of->config.arg, &e->x);
	e->handling = false;
	if (e->answered)
		exchange_free(e);
}

/* The body is on its way; RFC 9110 section 10.1.1. */
static void stream_continue(struct stream *t)
{
	static const char words[] = "HTTP/1.1 100 Continue\r\n\r\n";

	if (!t->told)
		link_send(t->link, (struct span){ (const uint8_t *)words, sizeof(words) - 1 });
	t->told = true;
}

/* READY: all the body is behind the head, and what is behind it belongs to the next request. */
static enum http_head_verdict stream_body(struct stream *t, struct http_head *head,
	struct http_head_refusal *refusal)
{
	size_t most = t->of->config.body_max, n = t->in.n - head->octets;
	bool none = n == 0;
	enum http_head_verdict verdict = n < head->body ? HTTP_HEAD_MORE : HTTP_HEAD_READY;

	if (head->body > most) {
		*refusal = (struct http_head_refusal){ 413, "the body is too large" };
		return HTTP_HEAD_REFUSED;
	}
	if (head->chunked) {
		verdict = http_chunk_read(&t->chunk, t->in.p + head->octets, &n, most, refusal);
		t->in.n = head->octets + n;
		head->body = t->chunk.body;
	}
	if (verdict == HTTP_HEAD_MORE && none && head->expects_continue)
		stream_continue(t);
	return verdict;
}

/* The next request, if it is all here; false when there is none. */
static bool stream_next(struct stream *t)
{
	struct http_head_refusal refusal;
	struct http_head head;
	enum http_head_verdict verdict = http_head_read(buf_span(&t->in), &head, &refusal);

	if (verdict == HTTP_HEAD_READY)
		verdict = stream_body(t, &head, &refusal);
	switch (verdict) {
	case HTTP_HEAD_MORE: return false;
	case HTTP_HEAD_REFUSED: stream_refuse(t, refusal.status, refusal.why); return false;
	case HTTP_HEAD_READY: break;
	}
	stream_handle(t, &head);
	return true;
}

/* As many requests as are here and can be answered. Last thing a caller does with t. */
static void stream_go(struct stream *t)
{
	if (t->busy)
		return;
	t->busy = true;
	while (t->link && !t->now && !t->ending && t->in.n && !link_unsent(t->link) &&
		stream_next(t))
		;
	t->busy = false;
	if (!t->link) {
		stream_free(t);
		return;
	}
	if (!t->now && !t->ending && !link_unsent(t->link))
		stream_phase(t, t->in.n ? READING : IDLE);
	if (!t->in.n && t->in.cap > KEEP_OCTETS)
		buf_done(&t->in);
}

static size_t room(const struct stream *t)
{
	size_t most = HTTP_HEAD_OCTETS_MAX + t->of->config.body_max + HTTP_CHUNK_LINE_MAX;

	return t->in.n < most ? most - t->in.n : 0;
}

int exchange_open(const struct http_server_config *config, struct exchanges **out, struct err *err)
{
	struct exchanges *s = calloc(1, sizeof(*s));

	if (!s)
		return err_set(err, ERR_NOMEM, "HTTP: no memory");
	s->config = *config;
	s->counts = config->counts ? config->counts : &s->unasked;
	*out = s;
	return 0;
}

void exchange_close(struct exchanges *s)
{
	s->closed = true;
	if (s->owed == 0)
		exchanges_free(s);
}

bool exchange_link_open(void *arg, struct link *l)
{
	struct exchanges *s = arg;
	struct stream *t = calloc(1, sizeof(*t));

	if (!t)
		return false;
	t->of = s;
	t->link = l;
	t->fresh = true;
	s->fresh++;
	link_address(l, t->from, sizeof(t->from));
	link_set_owner(l, t);
	link_deadline(l, s->config.idle_timeout_ms, too_idle);
	return true;
}

bool exchange_link_input(void *arg, struct link *l, struct span octets)
{
	struct stream *t = link_owner(l);

	(void)arg;
	if (t->ending)
		return true;
	buf_put(&t->in, octets);
	if (!buf_ok(&t->in)) {
		link_close(l, "no memory");
		return false;
	}
	if (t->phase == IDLE)
		stream_phase(t, READING);
	t->wants = true;
	stream_go(t);
	/* The stream may be gone; then this is the last that the link hears of it. */
	t = link_owner(l);
	return t && (t->wants = room(t) > 0);
}

/* Reading goes on where it was stopped. Last thing a caller does with t. */
static void stream_resume(struct stream *t)
{
	if (t->link && !t->busy && !t->wants && room(t) > 0) {
		t->wants = true;
		link_resume(t->link);
	}
}

void exchange_link_sent(void *arg, struct link *l)
{
	(void)arg;
	stream_go(link_owner(l));
	if (link_owner(l))
		stream_resume(link_owner(l));
}

void exchange_link_gone(void *arg, struct link *l, const char *why)
{
	struct exchanges *s = arg;
	struct stream *t = link_owner(l);
	struct exchange *e = t->now;

	s->counts->idle += why == too_idle;
	s->counts->slow_requests += why == too_slow;
	link_set_owner(l, NULL);
	no_longer_fresh(t);
	t->link = NULL;
	if (e) {
		e->x.gone = true;
		e->stream = NULL;
		t->now = NULL;
		s->count--;
	}
	if (!t->busy)
		stream_free(t);
}

void exchange_drain(struct exchanges *s)
{
	s->draining = true;
}

unsigned exchange_count(const struct exchanges *s)
{
	return s->count;
}

unsigned exchange_fresh(const struct exchanges *s)
{
	return s->fresh;
}

void exchange_answer(struct http_exchange *x, unsigned status, const char *content_type,
	struct span body)
{
	struct exchange *e = (struct exchange *)(void *)x;
	struct stream *t = e->stream;

	if (e->answered)
		return;
	e->answered = true;
	if (t) {
		struct reply r = { status, content_type ? content_type : "application/json", body,
			strcmp(e->method, "HEAD") == 0, !e->keep_alive || e->of->draining };
		struct link *l = t->link;

		t->now = NULL;
		e->stream = NULL;
		e->of->count--;
		stream_reply(t, &r);
		if (!e->handling)
			exchange_free(e);
		if (link_owner(l) && !t->busy) {
			stream_go(t);
			if (link_owner(l))
				stream_resume(t);
		}
	} else if (!e->handling) {
		exchange_free(e);
	}
}
