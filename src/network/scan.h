/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scan - JSON read once, in place, without memory: for what gateways send.
 *
 * A server-to-server message goes through json/, which builds a tree; here a hundred
 * thousand datagrams a second do, and building a tree would be most of their cost.
 *
 *   while (scan_key(&s, &key)) { one scan_... for the value }      after scan_open(&s, '{')
 *   while (scan_item(&s))      { one scan_... for the value }      after scan_open(&s, '[')
 *
 *   Source     RFC 8259, all of it but: a name is compared as written, so an escape in a
 *              name makes it an unknown one; octets above 127 are not decoded.
 *   Sticky     the first breach makes the scan bad; later reads return zero, loops end.
 *   Bounds     SCAN_DEPTH_MAX levels of nesting; numbers within 18 digits.
 *   Ownership  borrows the text.
 */
#ifndef NETWORK_SCAN_H
#define NETWORK_SCAN_H

#include "base/cursor.h"

#define SCAN_DEPTH_MAX 8

struct scan {
	const uint8_t *p, *end;
	uint8_t depth;
	bool fresh; /* just after '{' or '[' */
	bool bad;
};

struct scan scan_over(struct span text);
void scan_open(struct scan *s, char bracket); /* '{' or '[' */
bool scan_key(struct scan *s, struct span *key);
bool scan_item(struct scan *s);

/* The text with its escapes resolved and a zero behind it; longer than cap - 1 is bad,
 * and so is \u for anything but ASCII. */
size_t scan_text(struct scan *s, char *out, size_t cap);

/* A number times 10^decimals, rounded half away from zero; outside min to max is bad. */
int64_t scan_fixed(struct scan *s, unsigned decimals, int64_t min, int64_t max);
bool scan_bool(struct scan *s);
void scan_skip(struct scan *s); /* any value, its grammar checked */

/* True when the next value is a string, so that one field may be text or number. */
bool scan_is_text(struct scan *s);

/* True when the text was whole, correct, and nothing is left over. */
bool scan_done(struct scan *s);

#endif
