/* SPDX-License-Identifier: Apache-2.0 */
/*
 * buf - octets that grow and are owned.
 *
 * A failed growth makes the buffer bad: later writes do nothing, and buf_ok tells,
 * once, at the end. The limit bounds what a peer can make us hold.
 *
 *   Ownership  buf_done frees; { 0 } is a valid empty buffer without limit.
 *   Errors     sticky; buf_ok.
 */
#ifndef CORE_BUF_H
#define CORE_BUF_H

#include "base/cursor.h"

struct buf {
	uint8_t *p;
	size_t n;     /* octets in use */
	size_t cap;   /* octets allocated */
	size_t limit; /* octets at most; 0 for no limit */
	bool bad;
};

void buf_done(struct buf *b);
/* Room for n octets more, so that writing them moves nothing: keys are left nowhere behind. */
void buf_reserve(struct buf *b, size_t n);
/* Adds n octets and says where they are, for the caller to fill; NULL when bad. */
uint8_t *buf_extend(struct buf *b, size_t n);
void buf_put(struct buf *b, struct span octets);
void buf_text(struct buf *b, const char *text);
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Forgets the first n octets, moving the rest down. */
void buf_drop(struct buf *b, size_t n);
bool buf_ok(const struct buf *b);
struct span buf_span(const struct buf *b);

/* The octets as a C string (a zero is kept behind them); "" when empty, NULL when bad. */
const char *buf_string(struct buf *b);

#endif
