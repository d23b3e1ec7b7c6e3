/* SPDX-License-Identifier: Apache-2.0 */
/*
 * doc - a JSON text as a tree that is only read.
 *
 *   Source     RFC 8259; RFC 7493 (I-JSON): UTF-8, no member twice, no zero in a string.
 *   Bounds     octets and depth are checked by one scan before anything is allocated.
 *   Ownership  doc_read gives the root to the caller, doc_free takes it back; members,
 *              items and texts are borrowed from the root. The text read may go away.
 *   Errors     ERR_FORMAT, ERR_NOMEM with words; *out only on success.
 */
#ifndef JSON_DOC_H
#define JSON_DOC_H

#include "base/cursor.h"
#include "core/err.h"

#define DOC_OCTETS_MAX 32768
#define DOC_DEPTH_MAX  16

enum doc_kind {
	DOC_NONE, /* there is nothing: also doc_kind(NULL) */
	DOC_NULL,
	DOC_BOOL,
	DOC_INTEGER, /* fits 64 bits with a sign */
	DOC_REAL,
	DOC_TEXT,
	DOC_ARRAY,
	DOC_OBJECT,
};

struct doc;

/* Text of at most DOC_OCTETS_MAX octets; the root must be an object or an array. */
int doc_read(struct span text, struct doc **out, struct err *err);
/* The same for a trusted, longer text. */
int doc_read_long(struct span text, size_t octets_max, struct doc **out, struct err *err);
void doc_free(struct doc *root);

enum doc_kind doc_kind(const struct doc *d);
const char *doc_kind_word(enum doc_kind kind); /* "a string" */

/* Of an object: the value of a member, NULL when absent. Names are compared exactly. */
const struct doc *doc_member(const struct doc *object, const char *name);
/*
 * The same with ASCII letters in either case, as some peers write "devEui".
 * *times: how many members carry the name in some case; more than one is ambiguous.
 */
const struct doc *doc_member_any_case(const struct doc *object, const char *name, unsigned *times);

struct doc_entry {
	const char *name;
	const struct doc *value;
};

/* Of an object: its members, at most so many, in the order of the text; how many there are. */
size_t doc_members(const struct doc *object, struct doc_entry *out, size_t most);
bool doc_same_name(const char *a, const char *b); /* in any case */

size_t doc_count(const struct doc *array); /* 0 for anything else */
const struct doc *doc_item(const struct doc *array, size_t i);

/* Of the right kind only; otherwise 0, false, "". */
int64_t doc_integer(const struct doc *d);
double doc_real(const struct doc *d); /* integers too */
bool doc_is_true(const struct doc *d);
const char *doc_text(const struct doc *d);

#endif
