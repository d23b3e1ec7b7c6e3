/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/prefix.h"

#include <string.h>

#include "base/hex.h"

#define BITS_MAX 64

/* Decimal digits and nothing else. */
static int read_bits(const char *text, unsigned *out)
{
	unsigned bits = 0;

	if (!*text)
		return ERR_FORMAT;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return ERR_FORMAT;
		bits = 10 * bits + (unsigned)(*text - '0');
		if (bits > BITS_MAX)
			return ERR_FORMAT;
	}
	*out = bits;
	return 0;
}

int prefix_read(const char *text, struct prefix *out)
{
	size_t n = strcspn(text, "/");
	struct prefix p = { .bits = BITS_MAX };
	uint8_t octets[8];

	if (hex_read_exact((struct span){ (const uint8_t *)text, n }, octets, sizeof(octets)) < 0)
		return ERR_FORMAT;
	for (unsigned i = 0; i < sizeof(octets); i++)
		p.eui = p.eui << 8 | octets[i];
	if (text[n] && read_bits(text + n + 1, &p.bits) < 0)
		return ERR_FORMAT;
	*out = p;
	return 0;
}

bool prefix_holds(const struct prefix *p, uint64_t join_eui)
{
	return p->bits == 0 || (p->eui ^ join_eui) >> (BITS_MAX - p->bits) == 0;
}

bool prefix_text_holds(const char *text, uint64_t join_eui)
{
	struct prefix p;

	return prefix_read(text, &p) == 0 && prefix_holds(&p, join_eui);
}
