/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sink - write a message field by field; ask once, at the end, if it all fitted.
 *
 * The twin of cursor: the first write past the end makes the sink bad, a bad sink
 * writes nothing more, and sink_fits tells.
 *
 *   Ownership  a sink writes into the caller's octets; it owns nothing.
 */
#ifndef BASE_SINK_H
#define BASE_SINK_H

#include "base/cursor.h"

struct sink {
	uint8_t *p;
	size_t n;   /* octets written */
	size_t cap; /* octets there are */
	bool bad;
};

struct sink sink_into(void *p, size_t cap);
void sink_u8(struct sink *s, uint8_t v);
void sink_u16_be(struct sink *s, uint16_t v);
void sink_u32_be(struct sink *s, uint32_t v);
void sink_u64_be(struct sink *s, uint64_t v);
void sink_u16_le(struct sink *s, uint16_t v);
void sink_u24_le(struct sink *s, uint32_t v);
void sink_u32_le(struct sink *s, uint32_t v);
void sink_u64_le(struct sink *s, uint64_t v);
void sink_put(struct sink *s, struct span octets);
void sink_zero(struct sink *s, size_t n);

/* True when every write fitted. */
bool sink_fits(const struct sink *s);

/* What has been written so far. */
struct span sink_span(const struct sink *s);

#endif
