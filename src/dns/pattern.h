/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pattern - the names a rule is about: one name, a subtree, or one label more.
 *
 *   "a.example"      this name
 *   ".a.example"     every name below it, not itself
 *   "*.a.example"    exactly one label more
 *
 *   Refused    what would be about everybody ("."), and a star anywhere else.
 *   Ownership  holds its octets; copy it freely.
 *   Errors     ERR_FORMAT; *out only on success.
 */
#ifndef DNS_PATTERN_H
#define DNS_PATTERN_H

#include "dns/name.h"

enum pattern_shape { PATTERN_EXACT, PATTERN_BELOW, PATTERN_ONE_LABEL };

struct pattern {
	enum pattern_shape shape;
	struct name name;
};

int pattern_read(const char *text, struct pattern *out);
bool pattern_matches(const struct pattern *p, const struct name *name);

#endif
