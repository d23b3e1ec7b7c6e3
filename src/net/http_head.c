/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http_head.h"

#include <string.h>

#define DIGITS_MAX 15 /* of a Content-Length: far beyond any limit, and no overflow */

/* What is known after a line; status 0: nothing wrong so far. */
struct reading {
	struct http_head head;
	struct http_head_refusal refusal;
	bool is_1_0, close, keep_alive, has_length;
	unsigned fields, hosts;
};

static void refuse(struct reading *r, unsigned status, const char *why)
{
	if (!r->refusal.status)
		r->refusal = (struct http_head_refusal){ status, why };
}

/* RFC 9110 section 5.6.2 */
static bool is_token_char(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		(c && strchr("!#$%&'*+-.^_`|~", c));
}

static uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c + ('a' - 'A')) : c;
}

bool http_head_is_word(struct span text, const char *word)
{
	if (text.n != strlen(word))
		return false;
	for (size_t i = 0; i < text.n; i++)
		if (lower(text.p[i]) != (uint8_t)word[i])
			return false;
	return true;
}

static bool begins_with(struct span text, const char *word)
{
	size_t n = strlen(word);

	return text.n >= n && http_head_is_word((struct span){ text.p, n }, word);
}

struct span http_head_until(struct span text, uint8_t c, struct span *rest)
{
	const uint8_t *at = text.n ? memchr(text.p, c, text.n) : NULL;
	size_t n = at ? (size_t)(at - text.p) : text.n;

	*rest = (struct span){ text.p + n + (at != NULL), text.n - n - (at != NULL) };
	return (struct span){ text.p, n };
}

struct span http_head_trimmed(struct span text)
{
	while (text.n && (text.p[0] == ' ' || text.p[0] == '\t')) {
		text.p++;
		text.n--;
	}
	while (text.n && (text.p[text.n - 1] == ' ' || text.p[text.n - 1] == '\t'))
		text.n--;
	return text;
}

static void read_method(struct reading *r, struct span method)
{
	bool fine = method.n > 0 && method.n <= HTTP_HEAD_METHOD_MAX;

	for (size_t i = 0; fine && i < method.n; i++)
		fine = is_token_char(method.p[i]);
	if (!fine)
		refuse(r, 400, "the request line has no method");
	r->head.method = method;
}

/* RFC 9112 section 3.2: origin-form; absolute-form must be understood too. */
static void read_target(struct reading *r, struct span target)
{
	static const struct span root = { (const uint8_t *)"/", 1 };
	struct span rest = target, authority;

	for (size_t i = 0; i < target.n; i++)
		if (target.p[i] <= ' ' || target.p[i] > '~') {
			refuse(r, 400, "the request target is no URI");
			return;
		}
	if (begins_with(target, "http://") || begins_with(target, "https://")) {
		http_head_until(target, ':', &rest);
		authority = http_head_until((struct span){ rest.p + 2, rest.n - 2 }, '/', &target);
		target = authority.n + 2 < rest.n ? (struct span){ target.p - 1, target.n + 1 }
						  : root;
	}
	if (!target.n || target.p[0] != '/')
		refuse(r, 400, "the request target is no path");
	r->head.path = http_head_until(target, '?', &rest);
}

static void read_version(struct reading *r, struct span version)
{
	if (version.n != 8 || memcmp(version.p, "HTTP/", 5) != 0)
		refuse(r, 400, "the request line has no version");
	else if (memcmp(version.p + 5, "1.0", 3) == 0)
		r->is_1_0 = true;
	else if (memcmp(version.p + 5, "1.1", 3) != 0)
		refuse(r, 505, "the version is not HTTP/1.1");
}

static void read_request_line(struct reading *r, struct span line)
{
	struct span rest, version;

	read_method(r, http_head_until(line, ' ', &rest));
	read_target(r, http_head_until(rest, ' ', &version));
	read_version(r, version);
}

/* RFC 9112 section 6.3: a length in doubt is how requests are smuggled. */
static void read_length(struct reading *r, struct span value)
{
	uint64_t length = 0;
	bool fine = value.n > 0 && value.n <= DIGITS_MAX && !r->has_length;

	for (size_t i = 0; fine && i < value.n; i++) {
		fine = value.p[i] >= '0' && value.p[i] <= '9';
		length = length * 10 + (uint64_t)(value.p[i] - '0');
	}
	if (!fine)
		refuse(r, 400, "Content-Length: need one number");
	r->has_length = true;
	r->head.body = length;
}

/* RFC 9112 section 6.1: chunked is the one coding we read, and where a body then ends. */
static void read_encoding(struct reading *r, struct span value)
{
	struct span last = { 0 };

	if (r->head.chunked)
		refuse(r, 400, "Transfer-Encoding: need one");
	else if (http_head_is_word(value, "chunked"))
		r->head.chunked = true;
	while (value.n)
		last = http_head_trimmed(http_head_until(value, ',', &value));
	if (!r->head.chunked && http_head_is_word(last, "chunked"))
		refuse(r, 501, "Transfer-Encoding: only chunked is known");
	else if (!r->head.chunked)
		refuse(r, 400, "Transfer-Encoding: the last is not chunked");
}

static void read_connection(struct reading *r, struct span value)
{
	while (value.n) {
		struct span option = http_head_trimmed(http_head_until(value, ',', &value));

		r->close |= http_head_is_word(option, "close");
		r->keep_alive |= http_head_is_word(option, "keep-alive");
	}
}

static void read_known(struct reading *r, struct span name, struct span value)
{
	if (http_head_is_word(name, "content-length"))
		read_length(r, value);
	else if (http_head_is_word(name, "content-type"))
		r->head.content_type = value;
	else if (http_head_is_word(name, "host"))
		r->hosts++;
	else if (http_head_is_word(name, "connection"))
		read_connection(r, value);
	else if (http_head_is_word(name, "transfer-encoding"))
		read_encoding(r, value);
	else if (http_head_is_word(name, "expect") && http_head_is_word(value, "100-continue"))
		r->head.expects_continue = true;
	else if (http_head_is_word(name, "expect"))
		refuse(r, 417, "Expect: only 100-continue is known");
}

bool http_head_is_field(struct span line)
{
	struct span value, name = http_head_until(line, ':', &value);
	bool fine = name.n > 0 && name.n < line.n;

	/* RFC 9112 section 5.1: also no space before the colon; 5.2: no line that goes on. */
	for (size_t i = 0; fine && i < name.n; i++)
		fine = is_token_char(name.p[i]);
	for (size_t i = 0; fine && i < value.n; i++)
		fine = value.p[i] == '\t' || (value.p[i] >= ' ' && value.p[i] != 0x7f);
	return fine;
}

static void read_field(struct reading *r, struct span line)
{
	struct span value, name = http_head_until(line, ':', &value);

	if (!http_head_is_field(line))
		refuse(r, 400, "a header field is malformed");
	else if (++r->fields > HTTP_HEAD_FIELDS_MAX)
		refuse(r, 431, "too many header fields");
	else
		read_known(r, name, http_head_trimmed(value));
}

/* The octets of the head, its empty line included; 0: not all here, or *r refuses. */
static size_t find_end(struct reading *r, struct span octets)
{
	size_t most = octets.n < HTTP_HEAD_OCTETS_MAX ? octets.n : HTTP_HEAD_OCTETS_MAX;
	const uint8_t *p = octets.p, *end = octets.p + most, *line = octets.p;

	while (line < end && (p = memchr(line, '\n', (size_t)(end - line)))) {
		if (p == line || p[-1] != '\r') {
			refuse(r, 400, "a line does not end in CRLF");
			return 0;
		}
		if (p - line == 1)
			return (size_t)(p + 1 - octets.p);
		line = p + 1;
	}
	if (most == HTTP_HEAD_OCTETS_MAX)
		refuse(r, 431, "the header is too large");
	return 0;
}

/* RFC 9112 section 2.2: an empty line before the request is passed over; one is enough. */
static size_t empty_line(struct span octets)
{
	return octets.n >= 2 && memcmp(octets.p, "\r\n", 2) == 0 ? 2 : 0;
}

static void read_lines(struct reading *r, struct span head)
{
	bool first = true;
	struct span line;

	while (head.n > 2 && !r->refusal.status) {
		line = http_head_until(head, '\n', &head);
		line.n--; /* the CR */
		if (first)
			read_request_line(r, line);
		else
			read_field(r, line);
		first = false;
	}
	if (first)
		refuse(r, 400, "no request line");
	/* RFC 9112 section 3.2 */
	if (r->hosts > 1 || (!r->hosts && !r->is_1_0))
		refuse(r, 400, "Host: need one");
	/* RFC 9112 section 6.1: either is how requests are smuggled. */
	if (r->head.chunked && (r->has_length || r->is_1_0))
		refuse(r, 400, "Transfer-Encoding: not with Content-Length, nor before HTTP/1.1");
}

enum http_head_verdict http_head_read(struct span octets, struct http_head *out,
	struct http_head_refusal *refusal)
{
	struct reading r = { 0 };
	size_t skip = empty_line(octets);
	struct span rest = { octets.p + skip, octets.n - skip };
	size_t n = find_end(&r, rest);

	if (n)
		read_lines(&r, (struct span){ rest.p, n });
	if (r.refusal.status) {
		*refusal = r.refusal;
		return HTTP_HEAD_REFUSED;
	}
	if (!n)
		return HTTP_HEAD_MORE;
	r.head.octets = skip + n;
	r.head.keep_alive = !r.close && (!r.is_1_0 || r.keep_alive);
	r.head.expects_continue &= !r.is_1_0;
	*out = r.head;
	return HTTP_HEAD_READY;
}
