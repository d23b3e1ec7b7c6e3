/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fields - read the members of a JSON object one by one; ask once, at the end, if all was well.
 *
 *   struct fields f = fields_of(object, err);
 *   fields_id(&f, "DevEUI", FIELDS_MUST, 8, &eui);
 *   fields_hex(&f, "CFList", FIELDS_MAY, cflist, sizeof(cflist), &n);
 *   return fields_done(&f);
 *
 * The first field that is missing or wrong makes f bad and leaves its words, thing first:
 * "DevEUI: 15 digits, need 16". Every later read does nothing. Member names match in any
 * case; a name there twice, in two cases, is refused. null counts as absent.
 *
 *   Result     true when the field is there and good; only then is anything written.
 *   Ownership  texts, objects and arrays are borrowed from the document.
 *   Units      hexadecimal in either case, with or without 0x.
 *   Errors     ERR_FORMAT with words; sticky; fields_done.
 */
#ifndef JSON_FIELDS_H
#define JSON_FIELDS_H

#include "json/doc.h"

enum fields_need { FIELDS_MAY, FIELDS_MUST };

#define FIELDS_LISTED 24 /* a message of the Backend Interfaces has no more */

struct fields {
	const struct doc *object;
	struct doc_entry members[FIELDS_LISTED]; /* the first ones, so as to find them faster */
	size_t members_n;                        /* all */
	struct err *err;
	int code;
};

/* Bad at once when object is not an object. */
struct fields fields_of(const struct doc *object, struct err *err);
/* 0, or the code of the first thing that was wrong. */
int fields_done(const struct fields *f);

/* A number of 1 to 8 octets in big-endian hexadecimal: EUI, NetID, DevAddr, DLSettings. */
bool fields_id(struct fields *f, const char *name, enum fields_need need, unsigned octets,
	uint64_t *out);
/* Octets; at most cap. An empty string gives true and 0 octets. */
bool fields_hex(struct fields *f, const char *name, enum fields_need need, uint8_t *out, size_t cap,
	size_t *n);
bool fields_hex_exact(struct fields *f, const char *name, enum fields_need need, uint8_t *out,
	size_t n);
bool fields_u64(struct fields *f, const char *name, enum fields_need need, uint64_t max,
	uint64_t *out);
bool fields_u32(struct fields *f, const char *name, enum fields_need need, uint32_t max,
	uint32_t *out);
bool fields_integer(struct fields *f, const char *name, enum fields_need need, int64_t min,
	int64_t max, int64_t *out);
bool fields_real(struct fields *f, const char *name, enum fields_need need, double *out);
bool fields_bool(struct fields *f, const char *name, enum fields_need need, bool *out);
bool fields_text(struct fields *f, const char *name, enum fields_need need, const char **out);
/* Copies, with the final zero; too long is refused. */
bool fields_copy(struct fields *f, const char *name, enum fields_need need, char *out, size_t cap);
bool fields_object(struct fields *f, const char *name, enum fields_need need,
	const struct doc **out);
bool fields_array(struct fields *f, const char *name, enum fields_need need,
	const struct doc **out);

#endif
