/* SPDX-License-Identifier: Apache-2.0 */
#include "core/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void buf_done(struct buf *b)
{
	free(b->p);
	*b = (struct buf){ .limit = b->limit };
}

/* Room for n octets and a zero behind them. */
static bool grow(struct buf *b, size_t n)
{
	size_t need, cap;
	uint8_t *p;

	if (b->bad || __builtin_add_overflow(b->n, n, &need) || need == SIZE_MAX)
		goto bad;
	if (b->limit && need > b->limit)
		goto bad;
	need++;
	if (need <= b->cap)
		return true;
	cap = b->cap < 64 ? 64 : b->cap;
	while (cap < need)
		if (__builtin_mul_overflow(cap, (size_t)2, &cap))
			goto bad;
	p = realloc(b->p, cap);
	if (!p)
		goto bad;
	b->p = p;
	b->cap = cap;
	return true;
bad:
	b->bad = true;
	return false;
}

void buf_reserve(struct buf *b, size_t n)
{
	grow(b, n);
}

uint8_t *buf_extend(struct buf *b, size_t n)
{
	if (!grow(b, n))
		return NULL;
	b->n += n;
	b->p[b->n] = 0;
	return b->p + b->n - n;
}

void buf_put(struct buf *b, struct span octets)
{
	uint8_t *p = buf_extend(b, octets.n);

	if (p && octets.n)
		memcpy(p, octets.p, octets.n);
}

void buf_text(struct buf *b, const char *text)
{
	buf_put(b, (struct span){ (const uint8_t *)text, strlen(text) });
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	size_t room = b->cap - b->n;
	va_list ap;
	int n;

	/* Mostly it fits into what is there. */
	va_start(ap, fmt);
	n = vsnprintf(room ? (char *)b->p + b->n : NULL, room, fmt, ap);
	va_end(ap);
	if (n < 0 || !grow(b, (size_t)n)) {
		b->bad = true;
		if (room)
			b->p[b->n] = 0;
		return;
	}
	if ((size_t)n >= room) {
		va_start(ap, fmt);
		vsnprintf((char *)b->p + b->n, (size_t)n + 1, fmt, ap);
		va_end(ap);
	}
	b->n += (size_t)n;
}

void buf_drop(struct buf *b, size_t n)
{
	if (n > b->n)
		n = b->n;
	if (!n)
		return;
	memmove(b->p, b->p + n, b->n - n);
	b->n -= n;
	b->p[b->n] = 0;
}

bool buf_ok(const struct buf *b)
{
	return !b->bad;
}

struct span buf_span(const struct buf *b)
{
	return (struct span){ .p = b->p, .n = b->n };
}

const char *buf_string(struct buf *b)
{
	if (b->bad || !grow(b, 0))
		return NULL;
	b->p[b->n] = 0;
	return (const char *)b->p;
}
