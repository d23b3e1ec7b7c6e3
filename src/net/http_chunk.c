/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http_chunk.h"

#include <string.h>

#define DIGITS_MAX 8 /* of a size: far beyond any limit, and no overflow */

static enum http_head_verdict refuse(struct http_head_refusal *refusal, unsigned status,
	const char *why)
{
	*refusal = (struct http_head_refusal){ status, why };
	return HTTP_HEAD_REFUSED;
}

static int hex_digit(uint8_t c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c ? strchr(digits, c >= 'A' && c <= 'F' ? c + ('a' - 'A') : c) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* Nothing, or ";" and text: RFC 9112 section 7.1.1, with the blanks it tolerates. */
static bool is_extension(struct span text)
{
	size_t i = 0;

	while (i < text.n && (text.p[i] == ' ' || text.p[i] == '\t'))
		i++;
	if (text.n && (i == text.n || text.p[i] != ';'))
		return false;
	for (; i < text.n; i++)
		if ((text.p[i] < ' ' && text.p[i] != '\t') || text.p[i] == 0x7f)
			return false;
	return true;
}

/* RFC 9112 section 7.1: a size in doubt is how requests are smuggled. */
static enum http_head_verdict read_size(struct http_chunk *c, struct span line, size_t most,
	struct http_head_refusal *refusal)
{
	size_t digits = 0, size = 0;

	for (int d; digits < line.n && digits <= DIGITS_MAX && (d = hex_digit(line.p[digits])) >= 0;
		digits++)
		size = size << 4 | (size_t)d;
	if (digits == 0 || digits > DIGITS_MAX)
		return refuse(refusal, 400, "a chunk has no size");
	if (!is_extension((struct span){ line.p + digits, line.n - digits }))
		return refuse(refusal, 400, "a chunk extension is malformed");
	if (size > most - c->body)
		return refuse(refusal, 413, "the body is too large");
	c->spent += line.n - digits;
	c->left = size;
	c->state = size ? HTTP_CHUNK_DATA : HTTP_CHUNK_TRAILER;
	return HTTP_HEAD_READY;
}

/* The line at the front of text, without its CRLF; MORE: it is not all here. */
static enum http_head_verdict find_line(struct span text, struct span *line,
	struct http_head_refusal *refusal)
{
	size_t most = text.n < HTTP_CHUNK_LINE_MAX ? text.n : HTTP_CHUNK_LINE_MAX;
	const uint8_t *end = most ? memchr(text.p, '\n', most) : NULL;

	if (!end)
		return most < HTTP_CHUNK_LINE_MAX
			? HTTP_HEAD_MORE
			: refuse(refusal, 431, "a line of a chunked body is too long");
	if (end == text.p || end[-1] != '\r')
		return refuse(refusal, 400, "a line does not end in CRLF");
	*line = (struct span){ text.p, (size_t)(end - text.p) - 1 };
	return HTTP_HEAD_READY;
}

/* A size, the end of a chunk or a trailer field. READY, and *last: the body ends here. */
static enum http_head_verdict read_line(struct http_chunk *c, struct span line, size_t most,
	bool *last, struct http_head_refusal *refusal)
{
	enum http_head_verdict verdict = HTTP_HEAD_READY;

	if (c->state == HTTP_CHUNK_SIZE) {
		verdict = read_size(c, line, most, refusal);
	} else if (c->state == HTTP_CHUNK_TRAILER) {
		*last = line.n == 0;
		c->spent += line.n;
		if (line.n && !http_head_is_field(line))
			verdict = refuse(refusal, 400, "a trailer field is malformed");
	} else {
		c->state = HTTP_CHUNK_SIZE;
		if (line.n)
			verdict = refuse(refusal, 400, "a chunk is longer than its size");
	}
	if (c->spent > HTTP_CHUNK_SPENT_MAX)
		verdict = refuse(refusal, 431, "the extensions or trailers are too large");
	return verdict;
}

/* Moves what is here of a chunk behind the body; the octets it moved. */
static size_t take(struct http_chunk *c, uint8_t *octets, struct span here)
{
	size_t n = here.n < c->left ? here.n : c->left;

	memmove(octets + c->body, here.p, n);
	c->body += n;
	c->left -= n;
	if (!c->left)
		c->state = HTTP_CHUNK_DATA_END;
	return n;
}

enum http_head_verdict http_chunk_read(struct http_chunk *c, uint8_t *octets, size_t *n,
	size_t most, struct http_head_refusal *refusal)
{
	enum http_head_verdict verdict = HTTP_HEAD_READY;
	size_t at = c->body; /* everything before it is read */
	bool last = false;

	while (!last && verdict == HTTP_HEAD_READY) {
		struct span line = { 0 }, here = { octets + at, *n - at };

		if (c->state == HTTP_CHUNK_DATA) {
			at += take(c, octets, here);
			verdict = c->left ? HTTP_HEAD_MORE : HTTP_HEAD_READY;
			continue;
		}
		verdict = find_line(here, &line, refusal);
		if (verdict == HTTP_HEAD_READY) {
			at += line.n + 2;
			verdict = read_line(c, line, most, &last, refusal);
		}
	}
	memmove(octets + c->body, octets + at, *n - at);
	*n -= at - c->body;
	return verdict;
}
