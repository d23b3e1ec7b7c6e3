/* SPDX-License-Identifier: Apache-2.0 */
#include "dns/name.h"

#include "base/sink.h"

#include <string.h>

static uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

/* RFC 1035 section 5.1: \DDD is an octet by its decimal value, \X is X itself. */
static int read_escape(struct cursor *c, uint8_t *out)
{
	uint8_t first = cursor_u8(c);
	unsigned value;

	if (c->bad || first <= ' ' || first >= 127)
		return ERR_FORMAT;
	if (!is_digit(first)) {
		*out = first;
		return 0;
	}
	value = (first - '0') * 100u;
	for (unsigned scale = 10; scale > 0; scale /= 10) {
		uint8_t digit = cursor_u8(c);

		if (!is_digit(digit))
			return ERR_FORMAT;
		value += (digit - '0') * scale;
	}
	if (value > 255)
		return ERR_FORMAT;
	*out = (uint8_t)value;
	return 0;
}

/* One label up to its dot or the end of the text. */
static int read_label(struct cursor *c, uint8_t *label, uint8_t *n, bool *dot)
{
	*n = 0;
	*dot = false;
	while (c->rest.n > 0) {
		uint8_t octet = cursor_u8(c);

		if (octet == '.') {
			*dot = true;
			break;
		}
		if (octet == '\\') {
			if (read_escape(c, &octet))
				return ERR_FORMAT;
		} else if (octet <= ' ' || octet >= 127) {
			return ERR_FORMAT;
		}
		/* RFC 1035 section 2.3.4: a label has 63 octets or less. */
		if (*n == NAME_LABEL_MAX)
			return ERR_FORMAT;
		label[(*n)++] = octet;
	}
	return *n ? 0 : ERR_FORMAT;
}

static int append(struct name *name, size_t *at, const uint8_t *label, uint8_t n)
{
	/* RFC 1035 section 2.3.4: 255 octets or less, the root's zero included. */
	if (*at + 1 + n + 1 > NAME_WIRE_MAX)
		return ERR_FORMAT;
	name->wire[(*at)++] = n;
	memcpy(name->wire + *at, label, n);
	*at += n;
	return 0;
}

static void finish(struct name *name, size_t at)
{
	name->wire[at] = 0;
	name->n = (uint8_t)(at + 1);
}

int name_read_text(struct span text, struct name *out)
{
	struct cursor c = cursor_over(text);
	uint8_t label[NAME_LABEL_MAX], n;
	struct name name = { 0 };
	size_t at = 0;
	bool dot;

	if (text.n == 1 && text.p[0] == '.') {
		finish(&name, 0);
		*out = name;
		return 0;
	}
	do {
		if (read_label(&c, label, &n, &dot) || append(&name, &at, label, n))
			return ERR_FORMAT;
	} while (dot && c.rest.n > 0);
	finish(&name, at);
	*out = name;
	return 0;
}

int name_of(const char *text, struct name *out)
{
	struct span s = { .p = (const uint8_t *)text };

	while (text[s.n])
		if (++s.n > NAME_TEXT_MAX)
			return ERR_FORMAT;
	return name_read_text(s, out);
}

static void write_octet(struct sink *s, uint8_t octet)
{
	static const char special[] = ".\\\"();@$";

	if (octet <= ' ' || octet >= 127) {
		sink_u8(s, '\\');
		sink_u8(s, (uint8_t)('0' + octet / 100));
		sink_u8(s, (uint8_t)('0' + octet / 10 % 10));
		sink_u8(s, (uint8_t)('0' + octet % 10));
		return;
	}
	for (const char *p = special; *p; p++)
		if (octet == (uint8_t)*p)
			sink_u8(s, '\\');
	sink_u8(s, octet);
}

int name_write_text(const struct name *name, char *out, size_t cap)
{
	char text[NAME_TEXT_MAX];
	struct sink s = sink_into(text, sizeof(text));
	size_t at = 0;

	if (name->n == 0)
		return ERR_ARG;
	if (name->n == 1)
		sink_u8(&s, '.');
	while (name->wire[at]) {
		uint8_t n = name->wire[at++];

		if (at > 1)
			sink_u8(&s, '.');
		for (uint8_t i = 0; i < n; i++)
			write_octet(&s, name->wire[at + i]);
		at += n;
	}
	sink_u8(&s, 0);
	if (!sink_fits(&s) || s.n > cap)
		return ERR_SPACE;
	memcpy(out, text, s.n);
	return 0;
}

int name_read(struct cursor *c, struct name *out)
{
	struct name name = { 0 };
	size_t at = 0;

	for (;;) {
		uint8_t n = cursor_u8(c);
		struct span label;

		/* RFC 1035 section 4.1.4: the two high bits would be a pointer. */
		if (c->bad || n > NAME_LABEL_MAX)
			break;
		if (n == 0) {
			finish(&name, at);
			*out = name;
			return 0;
		}
		label = cursor_take(c, n);
		if (c->bad || append(&name, &at, label.p, n))
			break;
	}
	c->bad = true;
	c->rest = (struct span){ 0 };
	return ERR_FORMAT;
}

/* RFC 4343 section 3: ASCII letters match without case. A length is at most 63, below 'A'. */
static bool same(const uint8_t *a, const uint8_t *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (lower(a[i]) != lower(b[i]))
			return false;
	return true;
}

bool name_equal(const struct name *a, const struct name *b)
{
	return a->n == b->n && same(a->wire, b->wire, a->n);
}

bool name_is_within(const struct name *name, const struct name *ancestor)
{
	size_t at = 0;

	if (name->n == 0 || ancestor->n == 0)
		return false;
	while (name->n - at > ancestor->n)
		at += 1u + name->wire[at];
	return name->n - at == ancestor->n && same(name->wire + at, ancestor->wire, ancestor->n);
}

unsigned name_labels(const struct name *name)
{
	unsigned labels = 0;

	for (size_t at = 0; at < name->n && name->wire[at]; at += 1u + name->wire[at])
		labels++;
	return labels;
}

bool name_is_wildcard(const struct name *name)
{
	return name->n > 2 && name->wire[0] == 1 && name->wire[1] == '*';
}

bool name_parent(const struct name *name, struct name *out)
{
	struct name parent = { 0 };
	size_t cut;

	if (name->n <= 1)
		return false;
	cut = 1u + name->wire[0];
	parent.n = (uint8_t)(name->n - cut);
	memcpy(parent.wire, name->wire + cut, parent.n);
	*out = parent;
	return true;
}

int name_prepend(struct span label, const struct name *name, struct name *out)
{
	struct name whole = { 0 };
	size_t at = 0;

	if (name->n == 0)
		return ERR_ARG;
	if (label.n == 0 || label.n > NAME_LABEL_MAX)
		return ERR_FORMAT;
	if (1 + label.n + name->n > NAME_WIRE_MAX)
		return ERR_FORMAT;
	if (append(&whole, &at, label.p, (uint8_t)label.n))
		return ERR_FORMAT;
	memcpy(whole.wire + at, name->wire, name->n);
	whole.n = (uint8_t)(at + name->n);
	*out = whole;
	return 0;
}

int name_join(const struct name *first, const struct name *second, struct name *out)
{
	struct name whole = { 0 };
	size_t n;

	if (first->n == 0 || second->n == 0)
		return ERR_ARG;
	n = first->n - 1u + second->n;
	if (n > NAME_WIRE_MAX)
		return ERR_FORMAT;
	memcpy(whole.wire, first->wire, first->n - 1u);
	memcpy(whole.wire + first->n - 1u, second->wire, second->n);
	whole.n = (uint8_t)n;
	*out = whole;
	return 0;
}

void name_lower(struct name *name)
{
	for (size_t i = 0; i < name->n; i++)
		name->wire[i] = lower(name->wire[i]);
}

static bool is_plain(uint8_t c)
{
	c = lower(c);
	return (c >= 'a' && c <= 'z') || is_digit(c) || c == '-' || c == '_';
}

bool name_is_plain(const struct name *name)
{
	size_t at = 0;

	if (name->n == 0)
		return false;
	while (name->wire[at]) {
		uint8_t n = name->wire[at++];

		for (uint8_t i = 0; i < n; i++)
			if (!is_plain(name->wire[at + i]))
				return false;
		at += n;
	}
	return true;
}
