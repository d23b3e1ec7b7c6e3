/* SPDX-License-Identifier: Apache-2.0 */
#include "json/doc.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "json/utf8.h"

#define NUMBER_MAX 256 /* characters */
#define FEW        16  /* members compared each with each; more are sorted */

/*
 * A value. The root and all below it lie in one piece of memory: values, then the tables of
 * items, then the texts. The first scan counts what can be needed at most.
 */
struct doc {
	enum doc_kind kind;
	const char *name; /* of a member */
	struct doc *next; /* in the container; while it is read */
	union {
		bool truth;
		int64_t integer;
		double real;
		const char *text;
		struct {
			struct doc **items; /* of an object with more than FEW: by name */
			size_t count;
		};
	};
};

struct reading {
	struct span all, rest;
	struct doc *values;
	struct doc **items;
	char *texts;
	const char *why; /* not NULL: refused at rest */
};

/* Depth, without a stack, and how many values at most: what is in a string does not count. */
static int scan(struct span text, size_t *values, struct err *err)
{
	unsigned depth = 0;
	bool quoted = false;

	*values = 1;
	for (size_t i = 0; i < text.n; i++) {
		uint8_t c = text.p[i];

		if (quoted) {
			if (c == '\\')
				i++;
			else if (c == '"')
				quoted = false;
		} else if (c == '"') {
			quoted = true;
		} else if (c == ',') {
			++*values;
		} else if (c == '{' || c == '[') {
			++*values;
			if (++depth > DOC_DEPTH_MAX)
				return err_set(err, ERR_FORMAT, "JSON: deeper than %d",
					DOC_DEPTH_MAX);
		} else if ((c == '}' || c == ']') && depth) {
			depth--;
		}
	}
	return 0;
}

static void fail(struct reading *r, const char *why)
{
	if (!r->why)
		r->why = why;
}

static void skip(struct reading *r, size_t n)
{
	r->rest.p += n;
	r->rest.n -= n;
}

/* The next octet that is no blank, not taken; 0 at the end, where 0 itself is refused too. */
static uint8_t peek(struct reading *r)
{
	while (r->rest.n &&
		(r->rest.p[0] == ' ' || r->rest.p[0] == '\n' || r->rest.p[0] == '\r' ||
			r->rest.p[0] == '\t'))
		skip(r, 1);
	return r->rest.n ? r->rest.p[0] : 0;
}

static bool take(struct reading *r, uint8_t c)
{
	if (r->why || peek(r) != c)
		return false;
	skip(r, 1);
	return true;
}

/* Four digits behind "\u"; UINT32_MAX when there are none. */
static uint32_t read_code(struct reading *r)
{
	uint8_t v[2];

	if (r->rest.n < 6 || r->rest.p[0] != '\\' || r->rest.p[1] != 'u' ||
		hex_read_exact((struct span){ r->rest.p + 2, 4 }, v, sizeof(v)))
		return UINT32_MAX;
	skip(r, 6);
	return (uint32_t)v[0] << 8 | v[1];
}

static void read_unicode(struct reading *r, char **out)
{
	uint32_t code = read_code(r), low;

	if (code >= 0xd800 && code < 0xdc00) {
		low = read_code(r);
		if (low >= 0xdc00 && low < 0xe000)
			code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
	}
	/* RFC 7493 section 2.1 for the surrogates; a zero would end the text early. */
	if (!code || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
		fail(r, "a \\u that is no character");
	else
		*out += utf8_write(code, *out);
}

static void read_escape(struct reading *r, char **out)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	uint8_t c = r->rest.n > 1 ? r->rest.p[1] : 0;
	const char *at = c ? strchr(from, c) : NULL;

	if (c == 'u') {
		read_unicode(r, out);
	} else if (at) {
		*(*out)++ = to[at - from];
		skip(r, 2);
	} else {
		fail(r, "an escape that is none");
	}
}

/* The octets from here on that go into a text as they are, of ASCII. */
static size_t plain_run(const struct reading *r)
{
	size_t n = 0;

	while (n < r->rest.n && r->rest.p[n] >= 0x20 && r->rest.p[n] < 0x80 &&
		r->rest.p[n] != '"' && r->rest.p[n] != '\\')
		n++;
	return n;
}

/* A string, its first quote not taken yet; "" when it is none. */
static const char *read_string(struct reading *r)
{
	char *begin = r->texts, *out = begin;

	if (!take(r, '"')) {
		fail(r, "a string is needed");
		return "";
	}
	while (!r->why && r->rest.n && r->rest.p[0] != '"') {
		size_t n = plain_run(r);

		if (!n && r->rest.p[0] >= 0x80)
			n = utf8_length(r->rest.p, r->rest.n);
		if (r->rest.p[0] == '\\') {
			read_escape(r, &out);
		} else if (!n) {
			fail(r, "no UTF-8, or a control character");
		} else {
			memcpy(out, r->rest.p, n);
			out += n;
			skip(r, n);
		}
	}
	if (!r->rest.n)
		fail(r, "a string without end");
	else if (!r->why)
		skip(r, 1);
	*out++ = 0;
	r->texts = out;
	return begin;
}

static size_t digits(struct span text, size_t from)
{
	size_t n = 0;

	while (from + n < text.n && text.p[from + n] >= '0' && text.p[from + n] <= '9')
		n++;
	return n;
}

/* RFC 8259 section 6. The characters of the number at the start of text; 0 when it is none. */
static size_t number_length(struct span text, bool *whole)
{
	size_t n = text.n && text.p[0] == '-', more = digits(text, n);

	if (!more || (more > 1 && text.p[n] == '0'))
		return 0;
	n += more;
	*whole = true;
	if (n < text.n && text.p[n] == '.') {
		more = digits(text, n + 1);
		if (!more)
			return 0;
		n += 1 + more;
		*whole = false;
	}
	if (n < text.n && (text.p[n] == 'e' || text.p[n] == 'E')) {
		n++;
		n += n < text.n && (text.p[n] == '+' || text.p[n] == '-');
		more = digits(text, n);
		if (!more)
			return 0;
		n += more;
		*whole = false;
	}
	return n;
}

static void read_integer(struct reading *r, size_t n, struct doc *d)
{
	bool minus = r->rest.p[0] == '-', over = false;
	int64_t v = 0;

	for (size_t i = minus; i < n; i++) {
		int digit = r->rest.p[i] - '0';

		over |= __builtin_mul_overflow(v, (int64_t)10, &v);
		over |= __builtin_add_overflow(v, (int64_t)(minus ? -digit : digit), &v);
	}
	if (over)
		fail(r, "an integer beyond 64 bits");
	d->kind = DOC_INTEGER;
	d->integer = v;
}

static void read_number(struct reading *r, struct doc *d)
{
	char text[NUMBER_MAX + 1];
	bool whole = false;
	size_t n = number_length(r->rest, &whole);

	if (!n || n > NUMBER_MAX) {
		fail(r, n ? "a number too long" : "no value");
		return;
	}
	if (whole) {
		read_integer(r, n, d);
	} else {
		memcpy(text, r->rest.p, n);
		text[n] = 0;
		d->kind = DOC_REAL;
		d->real = strtod(text, NULL);
		if (!isfinite(d->real))
			fail(r, "a number too large");
	}
	skip(r, n);
}

static bool read_word(struct reading *r, const char *word)
{
	size_t n = strlen(word);

	if (r->rest.n < n || memcmp(r->rest.p, word, n) != 0)
		return false;
	skip(r, n);
	return true;
}

static int by_name(const void *a, const void *b)
{
	return strcmp((*(struct doc *const *)a)->name, (*(struct doc *const *)b)->name);
}

/* RFC 7493 section 2.3. Sorted when there are many: a peer must not buy time with octets. */
static bool has_twins(struct doc *object)
{
	bool many = object->count > FEW;

	if (many)
		qsort(object->items, object->count, sizeof(struct doc *), by_name);
	for (size_t i = 0; i + 1 < object->count; i++)
		for (size_t j = i + 1; j < (many ? i + 2 : object->count); j++)
			if (strcmp(object->items[i]->name, object->items[j]->name) == 0)
				return true;
	return false;
}

static struct doc *read_value(struct reading *r, unsigned depth);

/* What is between the brackets, the first one taken; at most DOC_DEPTH_MAX deep. */
static void read_container(struct reading *r, struct doc *d, uint8_t end, unsigned depth)
{
	struct doc *first = NULL, **at = &first;
	const char *name = NULL;
	size_t count = 0;

	if (!take(r, end)) {
		do {
			if (end == '}') {
				name = read_string(r);
				if (!take(r, ':'))
					fail(r, "a colon is needed");
			}
			*at = read_value(r, depth);
			(*at)->name = name;
			at = &(*at)->next;
			count++;
		} while (!r->why && take(r, ','));
		if (!take(r, end))
			fail(r, "a comma or the end of the container is needed");
	}
	d->kind = end == '}' ? DOC_OBJECT : DOC_ARRAY;
	d->items = r->items;
	d->count = count;
	r->items += count;
	for (size_t i = 0; i < count; i++, first = first->next)
		d->items[i] = first;
	if (end == '}' && !r->why && has_twins(d))
		fail(r, "a member twice");
}

static struct doc *read_value(struct reading *r, unsigned depth)
{
	struct doc *d = r->values++;
	uint8_t c = peek(r);

	*d = (struct doc){ .kind = DOC_NULL };
	if (r->why)
		return d;
	if (c == '{' || c == '[') {
		skip(r, 1);
		read_container(r, d, c == '{' ? '}' : ']', depth + 1);
	} else if (c == '"') {
		d->kind = DOC_TEXT;
		d->text = read_string(r);
	} else if (read_word(r, "true") || read_word(r, "false")) {
		d->kind = DOC_BOOL;
		d->truth = c == 't';
	} else if (!read_word(r, "null")) {
		read_number(r, d);
	}
	return d;
}

/* Where it went wrong, not what was there: that is the peer's. */
static int refuse(const struct reading *r, struct err *err)
{
	unsigned line = 1, column = 1;

	for (const uint8_t *p = r->all.p; p < r->rest.p; p++) {
		column = *p == '\n' ? 1 : column + 1;
		line += *p == '\n';
	}
	return err_set(err, ERR_FORMAT, "JSON: line %u column %u: %s", line, column, r->why);
}

static int read_root(struct reading *r, struct err *err)
{
	uint8_t c = peek(r);

	if (c != '{' && c != '[')
		fail(r, "an object or an array is needed");
	else
		read_value(r, 0);
	peek(r);
	if (r->rest.n)
		fail(r, "something behind the end");
	return r->why ? refuse(r, err) : 0;
}

int doc_read_long(struct span text, size_t octets_max, struct doc **out, struct err *err)
{
	struct reading r = { .all = text, .rest = text };
	size_t values;
	struct doc *root;
	int rc;

	if (text.n > octets_max)
		return err_set(err, ERR_FORMAT, "JSON: %zu octets, at most %zu", text.n,
			octets_max);
	if (!text.n)
		return err_set(err, ERR_FORMAT, "JSON: empty");
	rc = scan(text, &values, err);
	if (rc)
		return rc;
	/* A string is never longer than it was with its quotes, its zero included. */
	root = malloc(values * (sizeof(*root) + sizeof(struct doc *)) + text.n + 1);
	if (!root)
		return err_set(err, ERR_NOMEM, "JSON: no memory");
	r.values = root;
	r.items = (struct doc **)(void *)(root + values);
	r.texts = (char *)(r.items + values);
	rc = read_root(&r, err);
	if (rc)
		free(root);
	else
		*out = root;
	return rc;
}

int doc_read(struct span text, struct doc **out, struct err *err)
{
	return doc_read_long(text, DOC_OCTETS_MAX, out, err);
}

void doc_free(struct doc *root)
{
	free(root);
}

enum doc_kind doc_kind(const struct doc *d)
{
	return d ? d->kind : DOC_NONE;
}

const char *doc_kind_word(enum doc_kind kind)
{
	static const char *const words[] = { "nothing", "null", "a truth value", "an integer",
		"a number with a fraction", "a string", "an array", "an object" };

	return words[kind];
}

const struct doc *doc_member(const struct doc *object, const char *name)
{
	if (doc_kind(object) != DOC_OBJECT)
		return NULL;
	for (size_t i = 0; i < object->count; i++)
		if (strcmp(object->items[i]->name, name) == 0)
			return object->items[i];
	return NULL;
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static bool same_name(const char *a, const char *b)
{
	while (*a && lower(*a) == lower(*b))
		a++, b++;
	return *a == *b;
}

const struct doc *doc_member_any_case(const struct doc *object, const char *name, unsigned *times)
{
	const struct doc *found = NULL;

	*times = 0;
	if (doc_kind(object) != DOC_OBJECT)
		return NULL;
	for (size_t i = 0; i < object->count; i++)
		if (same_name(object->items[i]->name, name)) {
			found = object->items[i];
			++*times;
		}
	return found;
}

size_t doc_count(const struct doc *array)
{
	return doc_kind(array) == DOC_ARRAY ? array->count : 0;
}

const struct doc *doc_item(const struct doc *array, size_t i)
{
	return i < doc_count(array) ? array->items[i] : NULL;
}

int64_t doc_integer(const struct doc *d)
{
	return doc_kind(d) == DOC_INTEGER ? d->integer : 0;
}

double doc_real(const struct doc *d)
{
	return doc_kind(d) == DOC_REAL ? d->real : (double)doc_integer(d);
}

bool doc_is_true(const struct doc *d)
{
	return doc_kind(d) == DOC_BOOL && d->truth;
}

const char *doc_text(const struct doc *d)
{
	return doc_kind(d) == DOC_TEXT ? d->text : "";
}
