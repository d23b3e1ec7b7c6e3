/* SPDX-License-Identifier: Apache-2.0 */
#include "dns/message.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The first octets choose the name and type looked for; the rest is the message. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t room[65535];
	struct cursor c = cursor_over((struct span){ data, size });
	uint16_t type = cursor_u16_be(&c);
	struct span rdata[64];
	struct message_found f;
	struct message m;
	struct name name;
	struct sink s;

	if (name_read(&c, &name) || message_read(cursor_rest(&c), &m))
		return 0;
	message_asks(&m, &name, type);
	s = sink_into(room, sizeof(room));
	if (message_find(&m, &name, type, &s, rdata, 64, &f))
		return 0;
	assert(f.count <= 64 && f.ttl_s <= INT32_MAX && f.final.n > 0);
	assert(f.aliased || name_equal(&f.final, &name));
	for (uint16_t i = 0; i < f.count; i++)
		assert(rdata[i].p >= room && rdata[i].p + rdata[i].n <= room + s.n);
	s = sink_into(room, sizeof(room));
	assert(message_write_query(m.id, &name, type, &s) == 0);
	assert(message_read(sink_span(&s), &m) == 0 && message_asks(&m, &name, type));
	return 0;
}
