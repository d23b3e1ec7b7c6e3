/* SPDX-License-Identifier: Apache-2.0 */
#include "resolve/key.h"

#include <string.h>

static uint64_t rotate(uint64_t v, unsigned bits)
{
	return v << bits | v >> (64 - bits);
}

static void rounds(uint64_t v[4], unsigned n)
{
	while (n-- > 0) {
		v[0] += v[1];
		v[2] += v[3];
		v[1] = rotate(v[1], 13) ^ v[0];
		v[3] = rotate(v[3], 16) ^ v[2];
		v[0] = rotate(v[0], 32);
		v[2] += v[1];
		v[0] += v[3];
		v[1] = rotate(v[1], 17) ^ v[2];
		v[3] = rotate(v[3], 21) ^ v[0];
		v[2] = rotate(v[2], 32);
	}
}

static uint64_t little(const uint8_t *p, size_t n)
{
	uint64_t word = 0;

	for (size_t i = 0; i < n; i++)
		word |= (uint64_t)p[i] << 8 * i;
	return word;
}

uint64_t key_hash(const struct key_seed *seed, struct span octets)
{
	uint64_t v[4] = {
		seed->k0 ^ 0x736f6d6570736575,
		seed->k1 ^ 0x646f72616e646f6d,
		seed->k0 ^ 0x6c7967656e657261,
		seed->k1 ^ 0x7465646279746573,
	};
	size_t whole = octets.n & ~(size_t)7;
	uint64_t last = little(octets.p + whole, octets.n - whole) | (uint64_t)octets.n << 56;

	for (size_t i = 0; i <= whole; i += 8) {
		uint64_t word = i < whole ? little(octets.p + i, 8) : last;

		v[3] ^= word;
		rounds(v, 2);
		v[0] ^= word;
	}
	v[2] ^= 0xff;
	rounds(v, 4);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

void key_of(const struct key_seed *seed, const struct question *q, struct key *out)
{
	struct key_seed typed = { seed->k0, seed->k1 ^ (uint64_t)q->type << 48 };

	out->name.n = q->name.n;
	memcpy(out->name.wire, q->name.wire, q->name.n);
	name_lower(&out->name);
	out->type = q->type;
	out->hash = key_hash(&typed, (struct span){ out->name.wire, out->name.n });
}
