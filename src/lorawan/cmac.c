/* SPDX-License-Identifier: Apache-2.0 */
#include "lorawan/cmac.h"

#include <string.h>

/* RFC 4493 section 2.3: shift left by one; the bit that falls out folds back as Rb. */
static void double_block(uint8_t b[BLOCK_OCTETS])
{
	unsigned int carry = b[0] >> 7;

	for (size_t i = 0; i + 1 < BLOCK_OCTETS; i++)
		b[i] = (uint8_t)(b[i] << 1 | b[i + 1] >> 7);
	b[BLOCK_OCTETS - 1] = (uint8_t)(b[BLOCK_OCTETS - 1] << 1 ^ (carry ? 0x87 : 0));
}

static void mix(struct cmac *c, const uint8_t b[BLOCK_OCTETS])
{
	uint8_t y[BLOCK_OCTETS];

	for (size_t i = 0; i < BLOCK_OCTETS; i++)
		y[i] = c->x[i] ^ b[i];
	c->key->encrypt(c->key->key, y, c->x);
}

struct cmac cmac_start(const struct block *key)
{
	return (struct cmac){ .key = key };
}

void cmac_add(struct cmac *c, struct span octets)
{
	while (octets.n > 0) {
		size_t take = BLOCK_OCTETS - c->n;

		if (take == 0) {
			mix(c, c->last);
			c->n = 0;
			continue;
		}
		if (take > octets.n)
			take = octets.n;
		memcpy(c->last + c->n, octets.p, take);
		c->n = (uint8_t)(c->n + take);
		octets.p += take;
		octets.n -= take;
	}
}

void cmac_finish(struct cmac *c, uint8_t out[CMAC_OCTETS])
{
	uint8_t k[BLOCK_OCTETS] = { 0 };

	c->key->encrypt(c->key->key, k, k);
	double_block(k);
	if (c->n < BLOCK_OCTETS) {
		memset(c->last + c->n, 0, BLOCK_OCTETS - c->n);
		c->last[c->n] = 0x80;
		double_block(k);
	}
	for (size_t i = 0; i < BLOCK_OCTETS; i++)
		c->last[i] ^= k[i];
	mix(c, c->last);
	memcpy(out, c->x, CMAC_OCTETS);
	*c = (struct cmac){ .key = c->key };
}

void cmac_of(const struct block *key, struct span message, uint8_t out[CMAC_OCTETS])
{
	struct cmac c = cmac_start(key);

	cmac_add(&c, message);
	cmac_finish(&c, out);
}
