/* SPDX-License-Identifier: Apache-2.0 */
/*
 * writer - write a JSON text member by member; ask once, at the end, if all of it is there.
 *
 *   struct buf out = { .limit = 32768 };
 *   struct writer w = writer_into(&out);
 *   writer_open(&w, NULL, '{');
 *   writer_hex(&w, "DevEUI", eui);
 *   writer_close(&w);
 *   if (!writer_ok(&w)) ...
 *
 * name is NULL for the root and for items of an array; it is the program's own and written as
 * it is: printable ASCII without quotes. Commas are the writer's affair.
 *
 *   Source     RFC 8259. Only what must be escaped is, so hexadecimal never is.
 *   Ownership  writes into the caller's buf; octets of a text that are not UTF-8 make it bad.
 *   Errors     sticky; writer_ok.
 */
#ifndef JSON_WRITER_H
#define JSON_WRITER_H

#include "core/buf.h"

#define WRITER_DEPTH_MAX 16

struct writer {
	struct buf *out;
	unsigned depth;
	char close[WRITER_DEPTH_MAX]; /* what ends each open object or array */
	bool begun[WRITER_DEPTH_MAX]; /* it has a member, so a comma is due */
	bool upper;                   /* hexadecimal in upper case, for peers that want it */
	bool bad;
};

struct writer writer_into(struct buf *out);
/* bracket is '{' or '['. */
void writer_open(struct writer *w, const char *name, char bracket);
void writer_close(struct writer *w);
void writer_text(struct writer *w, const char *name, const char *text);
void writer_span(struct writer *w, const char *name, struct span text); /* as text */
void writer_hex(struct writer *w, const char *name, struct span octets);
/* A number of 1 to 8 octets in big-endian hexadecimal: EUI, NetID, DevAddr. */
void writer_id(struct writer *w, const char *name, unsigned octets, uint64_t v);
void writer_base64(struct writer *w, const char *name, struct span octets);
void writer_u64(struct writer *w, const char *name, uint64_t v);
void writer_integer(struct writer *w, const char *name, int64_t v);
/* With this many decimals; a value that is no number is written null. */
void writer_real(struct writer *w, const char *name, double v, unsigned decimals);
void writer_bool(struct writer *w, const char *name, bool v);
void writer_null(struct writer *w, const char *name);

/* True when every object and array is closed and nothing was lost. */
bool writer_ok(const struct writer *w);

#endif
