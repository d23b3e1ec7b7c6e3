/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http_pass.h"

#include <stdlib.h>
#include <string.h>

#define STATUS_OCTETS 12 /* "HTTP/1.1 101" */
#define KEEP_OCTETS   4096

struct http_pass {
	const struct http_pass_config *config;
	struct buf fields, in; /* in: came, and did not go on */
	struct http_chunk chunk;
	enum { HEAD, BODY, CHUNKS, ASKED, RAW, OVER } at;
	bool begun, last; /* a request went on; it is the last of its connection */
	uint64_t left;    /* BODY */
	/* ASKED: of the answer. */
	char status[STATUS_OCTETS];
	unsigned status_n, blank_n; /* blank_n: of the CRLFCRLF behind an interim answer */
};

/* What becomes of one field. */
struct rewriting {
	bool close, keep_alive, upgrade, websocket;
};

struct http_pass *http_pass_new(const struct http_pass_config *config, struct span fields)
{
	struct http_pass *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->config = config;
	p->in.limit = HTTP_PASS_HELD_MAX;
	buf_put(&p->fields, fields);
	if (buf_ok(&p->fields))
		return p;
	http_pass_free(p);
	return NULL;
}

void http_pass_free(struct http_pass *p)
{
	if (!p)
		return;
	buf_done(&p->fields);
	buf_done(&p->in);
	free(p);
}

bool http_pass_waits(const struct http_pass *p)
{
	return p->at == ASKED;
}

bool http_pass_is_first(const struct http_pass *p)
{
	return !p->begun;
}

static enum http_head_verdict refuse(struct http_head_refusal *refusal, unsigned status,
	const char *why)
{
	*refusal = (struct http_head_refusal){ status, why };
	return HTTP_HEAD_REFUSED;
}

static void request_ended(struct http_pass *p)
{
	p->at = p->last ? OVER : HEAD;
	p->chunk = (struct http_chunk){ 0 };
}

static void read_options(struct rewriting *w, struct span value)
{
	while (value.n) {
		struct span option = http_head_trimmed(http_head_until(value, ',', &value));

		w->close |= http_head_is_word(option, "close");
		w->keep_alive |= http_head_is_word(option, "keep-alive");
		w->upgrade |= http_head_is_word(option, "upgrade");
	}
}

/* RFC 9110 section 7.6.1: of this connection, not of the next. */
static bool is_of_one_hop(struct span name)
{
	static const char *const words[] = { "keep-alive", "proxy-connection", "te", "trailer",
		"http2-settings" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (http_head_is_word(name, words[i]))
			return true;
	return false;
}

/* False: the field does not go on as it is. */
static bool read_field(const struct http_pass *p, struct rewriting *w, struct span line)
{
	struct span value, name = http_head_until(line, ':', &value);

	value = http_head_trimmed(value);
	if (http_head_is_word(name, "connection"))
		read_options(w, value);
	else if (http_head_is_word(name, "upgrade"))
		w->websocket = http_head_is_word(value, "websocket");
	else
		return !is_of_one_hop(name) && !p->config->is_ours(name);
	return false;
}

static void put_connection(const struct rewriting *w, bool upgrade, struct buf *out)
{
	if (upgrade)
		buf_text(out, "Connection: upgrade\r\nUpgrade: websocket\r\n");
	else if (w->close)
		buf_text(out, "Connection: close\r\n");
	else if (w->keep_alive)
		buf_text(out, "Connection: keep-alive\r\n");
}

/* The head, from its request line to its empty line, which http_head_read found well formed. */
static bool put_head(const struct http_pass *p, struct span lines, bool may_upgrade,
	struct buf *out)
{
	struct rewriting w = { 0 };
	struct span line = http_head_until(lines, '\n', &lines);
	bool upgrade;

	buf_put(out, (struct span){ line.p, line.n + 1 });
	while (lines.n > 2) {
		line = http_head_until(lines, '\n', &lines);
		if (read_field(p, &w, (struct span){ line.p, line.n - 1 }))
			buf_put(out, (struct span){ line.p, line.n + 1 });
	}
	upgrade = may_upgrade && w.upgrade && w.websocket;
	put_connection(&w, upgrade, out);
	buf_put(out, buf_span(&p->fields));
	buf_text(out, "\r\n");
	return upgrade;
}

static enum http_head_verdict step_head(struct http_pass *p, struct span *here, struct buf *out,
	struct http_head_refusal *refusal)
{
	struct http_head head;
	enum http_head_verdict verdict = http_head_read(*here, &head, refusal);
	size_t n = verdict == HTTP_HEAD_MORE ? here->n : head.octets;
	bool upgrade, may_upgrade;

	if (verdict == HTTP_HEAD_REFUSED)
		return verdict;
	if (n > p->config->head_max)
		return refuse(refusal, 431, "the header is too large");
	if (verdict == HTTP_HEAD_MORE)
		return verdict;
	may_upgrade = !p->begun && head.keep_alive && !head.chunked && !head.body;
	upgrade = put_head(p, (struct span){ head.method.p, (size_t)(here->p + n - head.method.p) },
		may_upgrade, out);
	*here = (struct span){ here->p + n, here->n - n };
	p->begun = true;
	p->last = !head.keep_alive;
	p->left = head.body;
	if (upgrade)
		p->at = ASKED;
	else if (head.chunked)
		p->at = CHUNKS;
	else if (head.body)
		p->at = BODY;
	else
		request_ended(p);
	return HTTP_HEAD_READY;
}

static enum http_head_verdict step_body(struct http_pass *p, struct span *here, struct buf *out)
{
	size_t n = here->n < p->left ? here->n : (size_t)p->left;

	buf_put(out, (struct span){ here->p, n });
	*here = (struct span){ here->p + n, here->n - n };
	p->left -= n;
	if (!p->left)
		request_ended(p);
	return HTTP_HEAD_READY;
}

/* What did not go on is all there is in p->in. False: it holds no more. */
static bool keep(struct http_pass *p, struct span here)
{
	if (p->in.n && here.p >= p->in.p && here.p <= p->in.p + p->in.n)
		buf_drop(&p->in, p->in.n - here.n);
	else
		buf_put(&p->in, here);
	if (!p->in.n && p->in.cap > KEEP_OCTETS)
		buf_done(&p->in);
	return buf_ok(&p->in);
}

/* What came of the chunks, as one chunk. */
static enum http_head_verdict step_chunks(struct http_pass *p, struct span *here, struct buf *out,
	struct http_head_refusal *refusal)
{
	enum http_head_verdict verdict;
	size_t n;

	if (!keep(p, *here))
		return refuse(refusal, 503, "no memory");
	n = p->in.n;
	verdict = http_chunk_read(&p->chunk, p->in.p, &n, SIZE_MAX, refusal);
	if (p->chunk.body) {
		buf_printf(out, "%zx\r\n", p->chunk.body);
		buf_put(out, (struct span){ p->in.p, p->chunk.body });
		buf_text(out, "\r\n");
	}
	p->in.n = n;
	*here = (struct span){ p->in.p + p->chunk.body, n - p->chunk.body };
	p->chunk.body = 0;
	if (verdict == HTTP_HEAD_READY) {
		buf_text(out, "0\r\n\r\n");
		request_ended(p);
	}
	return verdict;
}

static enum http_head_verdict step(struct http_pass *p, struct span *here, struct buf *out,
	struct http_head_refusal *refusal)
{
	switch (p->at) {
	case HEAD: return step_head(p, here, out, refusal);
	case BODY: return step_body(p, here, out);
	case CHUNKS: return step_chunks(p, here, out, refusal);
	case ASKED: return HTTP_HEAD_MORE;
	case RAW: buf_put(out, *here); break;
	/* RFC 9112 section 9.6: what follows the last request is no request. */
	case OVER: break;
	}
	here->p += here->n;
	here->n = 0;
	return HTTP_HEAD_READY;
}

/* Nothing to be looked at: it goes on from where it lies. */
static bool goes_as_it_is(struct http_pass *p, struct span octets)
{
	if (p->in.n || (p->at != RAW && (p->at != BODY || octets.n > p->left)))
		return false;
	if (p->at == BODY)
		p->left -= octets.n;
	if (p->at == BODY && !p->left)
		request_ended(p);
	return true;
}

enum http_head_verdict http_pass_forth(struct http_pass *p, struct span octets, struct buf *out,
	struct span *go, struct http_head_refusal *refusal)
{
	enum http_head_verdict verdict = HTTP_HEAD_READY;
	struct span here = octets;

	*go = octets;
	if (goes_as_it_is(p, octets))
		return verdict;
	if (p->in.n) {
		buf_put(&p->in, octets);
		here = buf_span(&p->in);
	}
	while (verdict == HTTP_HEAD_READY && here.n)
		verdict = step(p, &here, out, refusal);
	if (verdict != HTTP_HEAD_REFUSED && (!keep(p, here) || !buf_ok(out)))
		verdict = refuse(refusal, 503, "no memory, or too much at once");
	if (verdict == HTTP_HEAD_REFUSED)
		p->at = OVER;
	*go = buf_span(out);
	return verdict;
}

/* An interim answer's head is over with its first empty line. */
static void skip(struct http_pass *p, uint8_t c)
{
	static const char blank[] = "\r\n\r\n";

	if (c == (uint8_t)blank[p->blank_n])
		p->blank_n++;
	else
		p->blank_n = c == '\r';
	if (p->blank_n == sizeof(blank) - 1)
		p->status_n = p->blank_n = 0;
}

static bool is_interim(const struct http_pass *p)
{
	return memcmp(p->status, "HTTP/1.", 7) == 0 && p->status[9] == '1';
}

bool http_pass_back(struct http_pass *p, struct span octets)
{
	for (size_t i = 0; i < octets.n && p->at == ASKED; i++) {
		if (p->status_n == STATUS_OCTETS) {
			skip(p, octets.p[i]);
			continue;
		}
		p->status[p->status_n++] = (char)octets.p[i];
		if (p->status_n < STATUS_OCTETS)
			continue;
		if (!is_interim(p))
			request_ended(p);
		else if (memcmp(p->status + 9, "101", 3) == 0)
			p->at = RAW;
	}
	return p->at != ASKED;
}
