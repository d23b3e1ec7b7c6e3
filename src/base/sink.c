/* SPDX-License-Identifier: Apache-2.0 */
#include "base/sink.h"

#include <string.h>

struct sink sink_into(void *p, size_t cap)
{
	return (struct sink){ .p = p, .cap = cap };
}

static uint8_t *room(struct sink *s, size_t n)
{
	uint8_t *at;

	if (s->bad || n > s->cap - s->n) {
		s->bad = true;
		return NULL;
	}
	at = s->p + s->n;
	s->n += n;
	return at;
}

static void big(struct sink *s, uint64_t v, unsigned n)
{
	uint8_t *at = room(s, n);

	for (unsigned i = 0; at && i < n; i++)
		at[i] = (uint8_t)(v >> 8 * (n - 1 - i));
}

static void little(struct sink *s, uint64_t v, unsigned n)
{
	uint8_t *at = room(s, n);

	for (unsigned i = 0; at && i < n; i++)
		at[i] = (uint8_t)(v >> 8 * i);
}

void sink_u8(struct sink *s, uint8_t v)
{
	big(s, v, 1);
}

void sink_u16_be(struct sink *s, uint16_t v)
{
	big(s, v, 2);
}

void sink_u32_be(struct sink *s, uint32_t v)
{
	big(s, v, 4);
}

void sink_u64_be(struct sink *s, uint64_t v)
{
	big(s, v, 8);
}

void sink_u16_le(struct sink *s, uint16_t v)
{
	little(s, v, 2);
}

void sink_u24_le(struct sink *s, uint32_t v)
{
	little(s, v, 3);
}

void sink_u32_le(struct sink *s, uint32_t v)
{
	little(s, v, 4);
}

void sink_u64_le(struct sink *s, uint64_t v)
{
	little(s, v, 8);
}

void sink_put(struct sink *s, struct span octets)
{
	uint8_t *at = room(s, octets.n);

	if (at && octets.n)
		memcpy(at, octets.p, octets.n);
}

void sink_zero(struct sink *s, size_t n)
{
	uint8_t *at = room(s, n);

	if (at)
		memset(at, 0, n);
}

bool sink_fits(const struct sink *s)
{
	return !s->bad;
}

struct span sink_span(const struct sink *s)
{
	return (struct span){ .p = s->p, .n = s->n };
}
