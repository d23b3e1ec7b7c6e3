/* SPDX-License-Identifier: Apache-2.0 */
#include "json/writer.h"

#include <math.h>
#include <string.h>

#include "base/base64.h"

struct writer writer_into(struct buf *out)
{
	return (struct writer){ .out = out };
}

static void put(struct writer *w, const char *text)
{
	buf_text(w->out, text);
}

/* The octets in a UTF-8 character of at most n octets at p; 0 when it is none (RFC 3629). */
static size_t utf8_length(const uint8_t *p, size_t n)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t len = p[0] < 0x80 ? 1 : p[0] >> 5 == 6 ? 2 : p[0] >> 4 == 14 ? 3 : 4;
	uint32_t v = p[0] & (len == 1 ? 0x7f : 0xff >> (len + 1));

	if (len > n || (len == 4 && p[0] >> 3 != 30))
		return 0;
	for (size_t i = 1; i < len; i++) {
		if (p[i] >> 6 != 2)
			return 0;
		v = v << 6 | (p[i] & 0x3f);
	}
	return v < least[len] || v > 0x10ffff || (v >= 0xd800 && v < 0xe000) ? 0 : len;
}

static void put_escaped(struct writer *w, uint8_t c)
{
	switch (c) {
	case '"': put(w, "\\\""); break;
	case '\\': put(w, "\\\\"); break;
	case '\n': put(w, "\\n"); break;
	case '\r': put(w, "\\r"); break;
	case '\t': put(w, "\\t"); break;
	default: buf_printf(w->out, "\\u%04x", c);
	}
}

/* Goes as it is. */
static bool is_plain(uint8_t c)
{
	return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

static void put_quoted(struct writer *w, struct span plain)
{
	uint8_t *p = buf_extend(w->out, plain.n + 2);

	if (!p)
		return;
	*p++ = '"';
	if (plain.n)
		memcpy(p, plain.p, plain.n);
	p[plain.n] = '"';
}

static void put_string(struct writer *w, struct span text)
{
	size_t from = 0, i = 0;

	while (i < text.n && is_plain(text.p[i]))
		i++;
	if (i == text.n) {
		put_quoted(w, text);
		return;
	}
	put(w, "\"");
	while (i < text.n) {
		if (is_plain(text.p[i])) {
			i++;
			continue;
		}
		size_t len = utf8_length(text.p + i, text.n - i);

		if (!len) {
			w->bad = true;
			break;
		}
		if (text.p[i] < 0x80) {
			buf_put(w->out, (struct span){ text.p + from, i - from });
			put_escaped(w, text.p[i]);
			from = i + 1;
		}
		i += len;
	}
	buf_put(w->out, (struct span){ text.p + from, i - from });
	put(w, "\"");
}

static struct span span_of(const char *text)
{
	return (struct span){ (const uint8_t *)text, strlen(text) };
}

/* "NAME": after a comma if one is due. */
static void put_name(struct writer *w, const char *name, bool comma)
{
	size_t n = strlen(name);
	uint8_t *p = buf_extend(w->out, n + 3 + comma);

	if (!p)
		return;
	if (comma)
		*p++ = ',';
	*p++ = '"';
	memcpy(p, name, n);
	memcpy(p + n, "\":", 2);
}

/* What comes before a value: a comma if one is due, and the name. */
static bool begin(struct writer *w, const char *name)
{
	bool named = w->depth && w->close[w->depth - 1] == '}', comma = false;

	if (w->bad || named != (name != NULL)) {
		w->bad = true;
		return false;
	}
	if (w->depth) {
		comma = w->begun[w->depth - 1];
		w->begun[w->depth - 1] = true;
	}
	if (name)
		put_name(w, name, comma);
	else if (comma)
		put(w, ",");
	return true;
}

void writer_open(struct writer *w, const char *name, char bracket)
{
	if (w->depth == WRITER_DEPTH_MAX || (bracket != '{' && bracket != '[')) {
		w->bad = true;
		return;
	}
	if (!begin(w, name))
		return;
	put(w, bracket == '{' ? "{" : "[");
	w->close[w->depth] = bracket == '{' ? '}' : ']';
	w->begun[w->depth++] = false;
}

void writer_close(struct writer *w)
{
	if (!w->depth) {
		w->bad = true;
		return;
	}
	put(w, w->close[--w->depth] == '}' ? "}" : "]");
}

void writer_span(struct writer *w, const char *name, struct span text)
{
	if (begin(w, name))
		put_string(w, text);
}

void writer_text(struct writer *w, const char *name, const char *text)
{
	writer_span(w, name, span_of(text));
}

void writer_hex(struct writer *w, const char *name, struct span octets)
{
	const char *digits = w->upper ? "0123456789ABCDEF" : "0123456789abcdef";
	uint8_t *p = begin(w, name) ? buf_extend(w->out, 2 * octets.n + 2) : NULL;

	if (!p)
		return;
	*p++ = '"';
	for (size_t i = 0; i < octets.n; i++) {
		*p++ = (uint8_t)digits[octets.p[i] >> 4];
		*p++ = (uint8_t)digits[octets.p[i] & 15];
	}
	*p = '"';
}

void writer_id(struct writer *w, const char *name, unsigned octets, uint64_t v)
{
	uint8_t p[8];

	if (octets > sizeof(p)) {
		w->bad = true;
		return;
	}
	for (unsigned i = 0; i < octets; i++)
		p[i] = (uint8_t)(v >> 8 * (octets - 1 - i));
	writer_hex(w, name, (struct span){ p, octets });
}

void writer_base64(struct writer *w, const char *name, struct span octets)
{
	char part[BASE64_CHARS(192) + 1];

	if (!begin(w, name))
		return;
	put(w, "\"");
	for (size_t i = 0; i < octets.n; i += 192) {
		size_t n = octets.n - i < 192 ? octets.n - i : 192;

		if (base64_write((struct span){ octets.p + i, n }, part, sizeof(part)))
			w->bad = true;
		else
			put(w, part);
	}
	put(w, "\"");
}

void writer_u64(struct writer *w, const char *name, uint64_t v)
{
	char digits[21], *p = digits + sizeof(digits) - 1;

	*p = 0;
	do
		*--p = (char)('0' + v % 10);
	while (v /= 10);
	if (begin(w, name))
		put(w, p);
}

void writer_integer(struct writer *w, const char *name, int64_t v)
{
	if (begin(w, name))
		buf_printf(w->out, "%lld", (long long)v);
}

void writer_real(struct writer *w, const char *name, double v, unsigned decimals)
{
	if (!begin(w, name))
		return;
	if (isfinite(v))
		buf_printf(w->out, "%.*f", (int)decimals, v);
	else
		put(w, "null");
}

void writer_bool(struct writer *w, const char *name, bool v)
{
	if (begin(w, name))
		put(w, v ? "true" : "false");
}

void writer_null(struct writer *w, const char *name)
{
	if (begin(w, name))
		put(w, "null");
}

bool writer_ok(const struct writer *w)
{
	return !w->bad && !w->depth && buf_ok(w->out);
}
