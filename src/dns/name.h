/* SPDX-License-Identifier: Apache-2.0 */
/*
 * name - a domain name: text as people write it, octets as DNS sends it.
 *
 *   Source     RFC 1035 sections 2.3.4, 3.1 and 5.1; RFC 4343 (comparison without case).
 *   Sizes      a label has 1 to 63 octets, a name at most 255 in wire form.
 *   Alphabet   A-labels only: text with an octet above 127 is refused, so a U-label
 *              never reaches DNS. Escapes \DDD and \X are read and written.
 *   Ownership  struct name holds its octets; copy it freely.
 *   Errors     ERR_FORMAT, ERR_SPACE; *out only on success.
 */
#ifndef DNS_NAME_H
#define DNS_NAME_H

#include "base/code.h"
#include "base/cursor.h"

#define NAME_WIRE_MAX  255
#define NAME_LABEL_MAX 63
/* Every octet as \DDD, a dot per label, and the final zero. */
#define NAME_TEXT_MAX 1024

struct name {
	uint8_t n; /* octets used, the root's zero included; 0 means no name at all */
	uint8_t wire[NAME_WIRE_MAX];
};

/* Text with or without the final dot; "." is the root; "" is refused. */
int name_read_text(struct span text, struct name *out);
int name_of(const char *text, struct name *out);

/* Without the final dot, except for the root itself; a zero ends it. */
int name_write_text(const struct name *name, char *out, size_t cap);

/* An uncompressed name from the octets at the cursor. */
int name_read(struct cursor *c, struct name *out);

bool name_equal(const struct name *a, const struct name *b);

/* True when name is below, or equal to, ancestor. */
bool name_is_within(const struct name *name, const struct name *ancestor);

/* Labels without the root: "a.b" has two. */
unsigned name_labels(const struct name *name);

/* The name without its first label; false at the root. */
bool name_parent(const struct name *name, struct name *out);

/* Its first label is "*": RFC 4592 section 2.1.1. */
bool name_is_wildcard(const struct name *name);

/* label "." name. */
int name_prepend(struct span label, const struct name *name, struct name *out);

/* first followed by second, as when a suffix is added. */
int name_join(const struct name *first, const struct name *second, struct name *out);

/* ASCII letters to lower case, in place: the form of cache keys. */
void name_lower(struct name *name);

/* Only letters, digits, hyphen and underscore: what the client-id draft recommends. */
bool name_is_plain(const struct name *name);

#endif
