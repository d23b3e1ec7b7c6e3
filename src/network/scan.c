/* SPDX-License-Identifier: Apache-2.0 */
#include "network/scan.h"

#include <string.h>

#define DIGITS_MAX 18

struct scan scan_over(struct span text)
{
	return (struct scan){ .p = text.p, .end = text.n ? text.p + text.n : text.p };
}

/* Drops what is left, so that every loop over a bad scan ends. */
static void spoil(struct scan *s)
{
	s->bad = true;
	s->p = s->end;
}

static int peek(struct scan *s)
{
	while (s->p < s->end && (*s->p == ' ' || *s->p == '\n' || *s->p == '\r' || *s->p == '\t'))
		s->p++;
	return s->p < s->end ? *s->p : -1;
}

static bool expect(struct scan *s, int c)
{
	if (peek(s) != c) {
		spoil(s);
		return false;
	}
	s->p++;
	return true;
}

void scan_open(struct scan *s, char bracket)
{
	if (!expect(s, bracket))
		return;
	if (++s->depth > SCAN_DEPTH_MAX)
		spoil(s);
	s->fresh = true;
}

/* True when another element follows; at the closing bracket it is consumed. */
static bool more(struct scan *s, int close)
{
	bool fresh = s->fresh;

	if (s->bad)
		return false;
	s->fresh = false;
	if (peek(s) == close) {
		s->p++;
		s->depth--;
		return false;
	}
	return fresh ? s->p < s->end || expect(s, close) : expect(s, ',');
}

/* The raw octets between two quotes, escapes unresolved. */
static struct span quoted(struct scan *s)
{
	const uint8_t *from;

	if (!expect(s, '"'))
		return (struct span){ s->p, 0 };
	from = s->p;
	for (; s->p < s->end; s->p++) {
		if (*s->p == '"')
			return (struct span){ from, (size_t)(s->p++ - from) };
		/* RFC 8259 section 7: control characters must be escaped. */
		if (*s->p < 0x20)
			break;
		if (*s->p == '\\' && ++s->p == s->end)
			break;
	}
	spoil(s);
	return (struct span){ s->p, 0 };
}

bool scan_key(struct scan *s, struct span *key)
{
	if (!more(s, '}'))
		return false;
	*key = quoted(s);
	expect(s, ':');
	return !s->bad;
}

bool scan_item(struct scan *s)
{
	return more(s, ']') && !s->bad;
}

static int hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* One escape after its backslash, *i moved to its last character; -1 when it is none. */
static int unescape(struct span raw, size_t *i)
{
	static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
	const char *name = raw.p[*i] ? strchr(names, raw.p[*i]) : NULL;
	int v = 0;

	if (name)
		return values[name - names];
	if (raw.p[*i] != 'u' || raw.n - *i < 5)
		return -1;
	for (int k = 0; k < 4; k++) {
		int d = hex_digit(raw.p[++*i]);

		if (d < 0)
			return -1;
		v = v << 4 | d;
	}
	return v > 0 && v < 0x80 ? v : -1;
}

size_t scan_text(struct scan *s, char *out, size_t cap)
{
	struct span raw = quoted(s);
	size_t n = 0;

	out[0] = 0;
	for (size_t i = 0; i < raw.n && !s->bad; i++) {
		int c = raw.p[i];

		if (c == '\\') {
			i++;
			c = unescape(raw, &i);
		}
		if (c < 0 || n + 1 >= cap)
			spoil(s);
		else
			out[n++] = (char)c;
	}
	if (s->bad)
		n = 0;
	out[n] = 0;
	return n;
}

/* At most DIGITS_MAX significant digits; the rest are refused rather than lost. */
static unsigned digits(struct scan *s, int64_t *v, unsigned *used)
{
	unsigned n = 0;

	for (; s->p < s->end && *s->p >= '0' && *s->p <= '9'; s->p++, n++) {
		if (*v || *s->p != '0')
			++*used;
		if (*used > DIGITS_MAX) {
			spoil(s);
			return n;
		}
		*v = *v * 10 + (*s->p - '0');
	}
	return n;
}

static int exponent(struct scan *s)
{
	int64_t e = 0;
	unsigned used = 0;
	bool negative = false;

	if (s->p >= s->end || (*s->p | 0x20) != 'e')
		return 0;
	s->p++;
	if (s->p < s->end && (*s->p == '+' || *s->p == '-'))
		negative = *s->p++ == '-';
	if (!digits(s, &e, &used) || e > 99)
		spoil(s);
	if (s->bad)
		return 0;
	return negative ? -(int)e : (int)e;
}

/* RFC 8259 section 6, as mantissa and power of ten. */
static int64_t number(struct scan *s, int *power)
{
	int64_t v = 0;
	unsigned used = 0, n;
	bool negative, zero;

	*power = 0;
	negative = peek(s) == '-';
	if (negative)
		s->p++;
	zero = s->p < s->end && *s->p == '0';
	n = digits(s, &v, &used);
	if (!n || (zero && n > 1)) {
		spoil(s);
		return 0;
	}
	if (s->p < s->end && *s->p == '.') {
		s->p++;
		n = digits(s, &v, &used);
		*power = -(int)n;
		if (!n)
			spoil(s);
	}
	*power += exponent(s);
	return s->bad ? 0 : negative ? -v : v;
}

int64_t scan_fixed(struct scan *s, unsigned decimals, int64_t min, int64_t max)
{
	int power;
	int64_t v = number(s, &power), last = 0;

	power += (int)decimals;
	for (; power > 0 && v && !s->bad; power--)
		if (__builtin_mul_overflow(v, 10, &v))
			spoil(s);
	for (; power < 0 && (v || last); power++) {
		last = v % 10;
		v /= 10;
	}
	if (last >= 5)
		v++;
	else if (last <= -5)
		v--;
	if (s->bad || v < min || v > max) {
		spoil(s);
		return 0;
	}
	return v;
}

static bool word(struct scan *s, const char *text)
{
	size_t n = strlen(text);

	if ((size_t)(s->end - s->p) < n || memcmp(s->p, text, n) != 0) {
		spoil(s);
		return false;
	}
	s->p += n;
	return true;
}

bool scan_bool(struct scan *s)
{
	if (peek(s) == 't')
		return word(s, "true");
	word(s, "false");
	return false;
}

bool scan_is_text(struct scan *s)
{
	return peek(s) == '"';
}

static void skip_text(struct scan *s)
{
	struct span raw = quoted(s);

	for (size_t i = 0; i < raw.n && !s->bad; i++)
		if (raw.p[i] == '\\' && (!raw.p[++i] || !strchr("\"\\/bfnrtu", raw.p[i])))
			spoil(s);
}

/* One scalar, or the opening of a container; true when a container was opened. */
static bool skip_start(struct scan *s, char *stack)
{
	int power, c = peek(s);

	if (c == '{' || c == '[') {
		scan_open(s, (char)c);
		if (!s->bad)
			stack[s->depth] = (char)c;
		return !s->bad;
	}
	if (c == '"')
		skip_text(s);
	else if (c == 't' || c == 'f')
		scan_bool(s);
	else if (c == 'n')
		word(s, "null");
	else
		number(s, &power);
	return false;
}

void scan_skip(struct scan *s)
{
	char stack[SCAN_DEPTH_MAX + 1];
	uint8_t outer = s->depth;
	struct span key;

	skip_start(s, stack);
	while (!s->bad && s->depth > outer)
		if (stack[s->depth] == '{' ? scan_key(s, &key) : scan_item(s))
			skip_start(s, stack);
}

bool scan_done(struct scan *s)
{
	return !s->bad && s->depth == 0 && peek(s) < 0;
}
