/* SPDX-License-Identifier: Apache-2.0 */
#include "tls/hello.h"

#define RECORD_HEAD  5
#define MESSAGE_HEAD 4
#define HANDSHAKE    22
#define CLIENT_HELLO 1
#define RECORD_MAX   16384 /* RFC 8446 section 5.1 */

/* Of the message: its first octets, and how many have come. */
struct message {
	uint8_t head[MESSAGE_HEAD];
	size_t n;
};

static void take(struct message *m, struct span part)
{
	for (size_t i = 0; i < part.n && m->n + i < MESSAGE_HEAD; i++)
		m->head[m->n + i] = part.p[i];
	m->n += part.n;
}

/* Octets of the whole message, as far as is known. */
static size_t whole(const struct message *m)
{
	if (m->n < MESSAGE_HEAD)
		return MESSAGE_HEAD;
	return MESSAGE_HEAD + ((size_t)m->head[1] << 16 | (size_t)m->head[2] << 8 | m->head[3]);
}

size_t hello_wanted(struct span octets)
{
	struct message m = { 0 };
	size_t at = 0;

	while (m.n < whole(&m)) {
		struct span rest = { octets.p + at, octets.n - at };
		struct cursor c = cursor_over(rest);
		uint8_t type = cursor_u8(&c), major = cursor_u8(&c);
		size_t length;

		if ((rest.n > 0 && type != HANDSHAKE) || (rest.n > 1 && major != 3))
			return octets.n;
		if (rest.n < RECORD_HEAD)
			return at + RECORD_HEAD;
		cursor_u8(&c);
		length = cursor_u16_be(&c);
		if (length == 0 || length > RECORD_MAX)
			return octets.n;
		take(&m,
			(struct span){ rest.p + RECORD_HEAD,
				length < rest.n - RECORD_HEAD ? length : rest.n - RECORD_HEAD });
		if (m.n > 0 && m.head[0] != CLIENT_HELLO)
			return octets.n;
		if (m.n >= MESSAGE_HEAD && whole(&m) > HELLO_OCTETS_MAX)
			return whole(&m);
		at += RECORD_HEAD + length;
		if (at > octets.n)
			return at;
	}
	return octets.n;
}
