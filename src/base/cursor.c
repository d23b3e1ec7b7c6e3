/* SPDX-License-Identifier: Apache-2.0 */
#include "base/cursor.h"

struct cursor cursor_over(struct span s)
{
	return (struct cursor){ .rest = s };
}

struct span cursor_take(struct cursor *c, size_t n)
{
	struct span s = { 0 };

	if (c->bad || n > c->rest.n) {
		c->bad = true;
		c->rest = (struct span){ 0 };
		return s;
	}
	s = (struct span){ .p = c->rest.p, .n = n };
	c->rest.p += n;
	c->rest.n -= n;
	return s;
}

static uint64_t big(struct cursor *c, size_t n)
{
	struct span s = cursor_take(c, n);
	uint64_t v = 0;

	for (size_t i = 0; i < s.n; i++)
		v = v << 8 | s.p[i];
	return v;
}

static uint64_t little(struct cursor *c, size_t n)
{
	struct span s = cursor_take(c, n);
	uint64_t v = 0;

	for (size_t i = s.n; i-- > 0;)
		v = v << 8 | s.p[i];
	return v;
}

uint8_t cursor_u8(struct cursor *c)
{
	return (uint8_t)big(c, 1);
}

uint16_t cursor_u16_be(struct cursor *c)
{
	return (uint16_t)big(c, 2);
}

uint32_t cursor_u32_be(struct cursor *c)
{
	return (uint32_t)big(c, 4);
}

uint64_t cursor_u64_be(struct cursor *c)
{
	return big(c, 8);
}

uint16_t cursor_u16_le(struct cursor *c)
{
	return (uint16_t)little(c, 2);
}

uint32_t cursor_u24_le(struct cursor *c)
{
	return (uint32_t)little(c, 3);
}

uint32_t cursor_u32_le(struct cursor *c)
{
	return (uint32_t)little(c, 4);
}

uint64_t cursor_u64_le(struct cursor *c)
{
	return little(c, 8);
}

struct span cursor_rest(struct cursor *c)
{
	return cursor_take(c, c->rest.n);
}

bool cursor_done(const struct cursor *c)
{
	return !c->bad && c->rest.n == 0;
}
