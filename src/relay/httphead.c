/* SPDX-License-Identifier: Apache-2.0 */
#include "relay/httphead.h"

#include "base/hex.h"

#define OURS "x-sardane"

void httphead_write(const struct httphead *h, struct buf *out)
{
	char pin[2 * HTTPHEAD_SPKI_OCTETS + 1];

	hex_write((struct span){ h->spki_sha256, HTTPHEAD_SPKI_OCTETS }, pin, sizeof(pin));
	buf_printf(out, "X-Sardane-Name: %s\r\nX-Sardane-Verified: %s\r\n", h->name,
		h->by_dane ? "dane" : "pkix");
	if (h->by_dane)
		buf_printf(out, "X-Sardane-Usage: %d %d %d\r\n", h->usage, h->selector,
			h->matching);
	buf_printf(out, "X-Sardane-Spki-Sha256: %s\r\nX-Sardane-From: %s\r\n", pin, h->from);
}

static uint8_t folded(uint8_t c)
{
	bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');

	if (letter)
		return c | 0x20;
	return c >= '0' && c <= '9' ? c : '-';
}

bool httphead_is_ours(struct span name)
{
	static const char ours[] = OURS;

	if (name.n < sizeof(ours) - 1)
		return false;
	for (size_t i = 0; i < sizeof(ours) - 1; i++)
		if (folded(name.p[i]) != (uint8_t)ours[i])
			return false;
	return true;
}
