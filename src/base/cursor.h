/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cursor - read a message field by field; ask once, at the end, if it was all there.
 *
 * The first read past the end makes the cursor bad. A bad cursor stays bad: every
 * later read returns zero and moves nothing, so a parser has no branch per field.
 *
 *   Ownership  a cursor and the spans it returns borrow the caller's bytes.
 *   Order      integers: _be = network order (DNS, TLS), _le = LoRaWAN.
 */
#ifndef BASE_CURSOR_H
#define BASE_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes that belong to someone else. */
struct span {
	const uint8_t *p;
	size_t n; /* octets */
};

struct cursor {
	struct span rest;
	bool bad;
};

struct cursor cursor_over(struct span s);
uint8_t cursor_u8(struct cursor *c);
uint16_t cursor_u16_be(struct cursor *c);
uint32_t cursor_u32_be(struct cursor *c);
uint64_t cursor_u64_be(struct cursor *c);
uint16_t cursor_u16_le(struct cursor *c);
uint32_t cursor_u24_le(struct cursor *c);
uint32_t cursor_u32_le(struct cursor *c);
uint64_t cursor_u64_le(struct cursor *c);
struct span cursor_take(struct cursor *c, size_t n);
struct span cursor_rest(struct cursor *c);

/* True when nothing was missing and nothing is left over. */
bool cursor_done(const struct cursor *c);

#endif
