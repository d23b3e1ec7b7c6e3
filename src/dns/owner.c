/* SPDX-License-Identifier: Apache-2.0 */
#include "dns/owner.h"

#include "base/sink.h"

#include <string.h>

#define JOIN_EUI_NIBBLES 16
#define NET_ID_NIBBLES   6
#define NET_ID_MAX       0xffffffu

static uint8_t digit_of(uint64_t nibble)
{
	return (uint8_t) "0123456789abcdef"[nibble & 15];
}

static struct span text_span(const char *text)
{
	struct span s = { .p = (const uint8_t *)text };

	while (text[s.n])
		s.n++;
	return s;
}

static void write_decimal(struct sink *s, uint16_t v)
{
	bool started = false;

	for (unsigned scale = 10000; scale > 0; scale /= 10) {
		unsigned digit = v / scale % 10;

		started = started || digit || scale == 1;
		if (started)
			sink_u8(s, (uint8_t)('0' + digit));
	}
}

int owner_tlsa(uint16_t port, const char *proto, const struct name *host, struct name *out)
{
	static const char *const known[] = { "tcp", "udp", "sctp" };
	struct span word = text_span(proto);
	uint8_t label[8];
	struct sink s = sink_into(label, sizeof(label));
	struct name below;
	bool found = false;

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		struct span k = text_span(known[i]);

		found = found || (k.n == word.n && memcmp(k.p, word.p, k.n) == 0);
	}
	if (!found)
		return ERR_ARG;
	/* RFC 6698 section 3: "_" port, then "_" transport, then the host. */
	sink_u8(&s, '_');
	sink_put(&s, word);
	if (name_prepend(sink_span(&s), host, &below))
		return ERR_FORMAT;
	s = sink_into(label, sizeof(label));
	sink_u8(&s, '_');
	write_decimal(&s, port);
	return name_prepend(sink_span(&s), &below, out);
}

/* TS002: the least significant nibble comes first, a label each. */
int owner_join_eui(uint64_t join_eui, const struct name *suffix, struct name *out)
{
	struct name name = { .n = 2 * JOIN_EUI_NIBBLES + 1 };

	for (unsigned i = 0; i < JOIN_EUI_NIBBLES; i++) {
		name.wire[2 * i] = 1;
		name.wire[2 * i + 1] = digit_of(join_eui >> 4 * i);
	}
	return name_join(&name, suffix, out);
}

int owner_net_id(uint32_t net_id, const struct name *suffix, struct name *out)
{
	uint8_t label[NET_ID_NIBBLES];

	if (net_id > NET_ID_MAX)
		return ERR_ARG;
	for (unsigned i = 0; i < NET_ID_NIBBLES; i++)
		label[i] = digit_of(net_id >> 4 * (NET_ID_NIBBLES - 1 - i));
	return name_prepend((struct span){ label, sizeof(label) }, suffix, out);
}
