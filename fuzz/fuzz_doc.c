/* SPDX-License-Identifier: Apache-2.0 */
/* Any octets as JSON: what is read stays within its bounds and is written back the same. */
#include <stdlib.h>
#include <string.h>

#include "json/doc.h"
#include "json/writer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define LISTED 8

static void walk(const struct doc *d, struct writer *w, unsigned depth);

/* An object as an array: name, value, name, value. What is listed is what a search finds. */
static void walk_object(const struct doc *d, struct writer *w, unsigned depth)
{
	struct doc_entry members[LISTED];
	size_t n = doc_members(d, members, LISTED);

	for (size_t i = 0; i < n && i < LISTED; i++) {
		unsigned times;
		const struct doc *found = doc_member_any_case(d, members[i].name, &times);

		if (!times || (times == 1 && found != members[i].value))
			abort();
		writer_text(w, NULL, members[i].name);
		walk(members[i].value, w, depth);
	}
}

/* depth: of the arrays and objects around d. */
static void walk(const struct doc *d, struct writer *w, unsigned depth)
{
	if (depth > DOC_DEPTH_MAX)
		abort();
	switch (doc_kind(d)) {
	case DOC_ARRAY:
	case DOC_OBJECT:
		writer_open(w, NULL, '[');
		for (size_t i = 0; i < doc_count(d); i++)
			walk(doc_item(d, i), w, depth + 1);
		walk_object(d, w, depth + 1);
		writer_close(w);
		break;
	case DOC_TEXT: writer_text(w, NULL, doc_text(d)); break;
	case DOC_INTEGER: writer_integer(w, NULL, doc_integer(d)); break;
	case DOC_BOOL: writer_bool(w, NULL, doc_is_true(d)); break;
	case DOC_REAL: /* decimals are the writer's choice */
	case DOC_NONE:
	case DOC_NULL: writer_null(w, NULL); break;
	}
}

/* Reads, writes, reads, writes: the two writings are equal. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf first = { 0 }, second = { 0 };
	struct writer w = writer_into(&first);
	struct doc *d = NULL, *again = NULL;

	if (doc_read((struct span){ data, size }, &d, NULL))
		return 0;
	walk(d, &w, 0);
	if (!writer_ok(&w) || doc_read_long(buf_span(&first), 1 << 20, &again, NULL))
		abort();
	w = writer_into(&second);
	walk(again, &w, 0);
	if (first.n != second.n || memcmp(first.p, second.p, first.n) != 0)
		abort();
	doc_free(again);
	doc_free(d);
	buf_done(&first);
	buf_done(&second);
	return 0;
}
