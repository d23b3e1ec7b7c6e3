/* SPDX-License-Identifier: Apache-2.0 */
#include "json/doc.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/*
 * Jansson's parser does not look whether a token could grow: a text it reads when memory is short
 * may lack letters and be well formed all the same. So every allocation of its is watched.
 */
static _Thread_local bool memory_failed;

static void *watched_malloc(size_t n)
{
	void *p = malloc(n);

	memory_failed |= !p;
	return p;
}

static __attribute__((constructor)) void watch_memory(void)
{
	json_set_alloc_funcs(watched_malloc, free);
}

/* struct doc is jansson's json_t under a name of our own; nothing else knows. */
static const json_t *inner(const struct doc *d)
{
	return (const json_t *)d;
}

static const struct doc *outer(const json_t *j)
{
	return (const struct doc *)j;
}

/* The deepest nesting, without a stack: what is in a string does not count. */
static int check_depth(struct span text, struct err *err)
{
	unsigned depth = 0;
	bool quoted = false;

	for (size_t i = 0; i < text.n; i++) {
		uint8_t c = text.p[i];

		if (quoted) {
			if (c == '\\')
				i++;
			else if (c == '"')
				quoted = false;
		} else if (c == '"') {
			quoted = true;
		} else if (c == '{' || c == '[') {
			if (++depth > DOC_DEPTH_MAX)
				return err_set(err, ERR_FORMAT, "JSON: deeper than %d",
					DOC_DEPTH_MAX);
		} else if ((c == '}' || c == ']') && depth) {
			depth--;
		}
	}
	return 0;
}

/* Jansson ends its words with " near 'TEXT'": what the peer wrote does not go on. */
static int refuse(const json_error_t *why, struct err *err)
{
	const char *near = strstr(why->text, " near '");
	int n = near ? (int)(near - why->text) : (int)strlen(why->text);

	return err_set(err, ERR_FORMAT, "JSON: line %d column %d: %.*s", why->line, why->column, n,
		why->text);
}

int doc_read_long(struct span text, size_t octets_max, struct doc **out, struct err *err)
{
	json_error_t why;
	json_t *root;
	int rc;

	if (text.n > octets_max)
		return err_set(err, ERR_FORMAT, "JSON: %zu octets, at most %zu", text.n,
			octets_max);
	if (!text.n)
		return err_set(err, ERR_FORMAT, "JSON: empty");
	rc = check_depth(text, err);
	if (rc)
		return rc;
	memory_failed = false;
	root = json_loadb((const char *)text.p, text.n, JSON_REJECT_DUPLICATES, &why);
	if (memory_failed) {
		json_decref(root);
		return err_set(err, ERR_NOMEM, "JSON: no memory");
	}
	if (!root)
		return refuse(&why, err);
	*out = (struct doc *)root;
	return 0;
}

int doc_read(struct span text, struct doc **out, struct err *err)
{
	return doc_read_long(text, DOC_OCTETS_MAX, out, err);
}

void doc_free(struct doc *root)
{
	json_decref((json_t *)root);
}

enum doc_kind doc_kind(const struct doc *d)
{
	if (!d)
		return DOC_NONE;
	switch (json_typeof(inner(d))) {
	case JSON_OBJECT: return DOC_OBJECT;
	case JSON_ARRAY: return DOC_ARRAY;
	case JSON_STRING: return DOC_TEXT;
	case JSON_INTEGER: return DOC_INTEGER;
	case JSON_REAL: return DOC_REAL;
	case JSON_TRUE:
	case JSON_FALSE: return DOC_BOOL;
	case JSON_NULL: return DOC_NULL;
	}
	return DOC_NONE;
}

const char *doc_kind_word(enum doc_kind kind)
{
	static const char *const words[] = { "nothing", "null", "a truth value", "an integer",
		"a number with a fraction", "a string", "an array", "an object" };

	return words[kind];
}

const struct doc *doc_member(const struct doc *object, const char *name)
{
	return outer(json_object_get(inner(object), name));
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

bool doc_same_name(const char *a, const char *b)
{
	while (*a && lower(*a) == lower(*b))
		a++, b++;
	return *a == *b;
}

const struct doc *doc_member_any_case(const struct doc *object, const char *name, unsigned *times)
{
	json_t *j = (json_t *)object, *found = NULL;
	unsigned n = 0;

	for (void *i = json_object_iter(j); i; i = json_object_iter_next(j, i))
		if (doc_same_name(json_object_iter_key(i), name)) {
			found = json_object_iter_value(i);
			n++;
		}
	*times = n;
	return outer(found);
}

size_t doc_members(const struct doc *object, struct doc_entry *out, size_t most)
{
	json_t *j = (json_t *)object;
	size_t n = json_object_size(j);
	void *at = json_object_iter(j);

	for (size_t i = 0; i < most && at; i++, at = json_object_iter_next(j, at))
		out[i] = (struct doc_entry){ json_object_iter_key(at),
			outer(json_object_iter_value(at)) };
	return n;
}

size_t doc_count(const struct doc *array)
{
	return json_array_size(inner(array));
}

const struct doc *doc_item(const struct doc *array, size_t i)
{
	return outer(json_array_get(inner(array), i));
}

int64_t doc_integer(const struct doc *d)
{
	return json_integer_value(inner(d));
}

double doc_real(const struct doc *d)
{
	return json_number_value(inner(d));
}

bool doc_is_true(const struct doc *d)
{
	return json_is_true(inner(d));
}

const char *doc_text(const struct doc *d)
{
	const char *text = json_string_value(inner(d));

	return text ? text : "";
}
