/* SPDX-License-Identifier: Apache-2.0 */
#include "join/nonces.h"

#include <string.h>

static bool is_list(const struct nonces *s)
{
	return s->n < NONCES_OCTETS_MAX;
}

static uint16_t item(const uint8_t *list, size_t i)
{
	return (uint16_t)(list[2 * i] | list[2 * i + 1] << 8);
}

/* Where nonce is in the list, or where it belongs. */
static size_t place(const struct nonces *s, uint16_t nonce)
{
	size_t low = 0, high = s->n / 2;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (item(s->octets, mid) < nonce)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

int nonces_read(struct span stored, struct nonces *out)
{
	if (stored.n > NONCES_OCTETS_MAX || stored.n % 2)
		return ERR_FORMAT;
	if (stored.n < NONCES_OCTETS_MAX)
		for (size_t i = 1; i < stored.n / 2; i++)
			if (item(stored.p, i - 1) >= item(stored.p, i))
				return ERR_FORMAT;
	if (stored.n)
		memcpy(out->octets, stored.p, stored.n);
	out->n = stored.n;
	return 0;
}

struct span nonces_span(const struct nonces *s)
{
	return (struct span){ s->octets, s->n };
}

bool nonces_has(const struct nonces *s, uint16_t nonce)
{
	size_t at;

	if (!is_list(s))
		return s->octets[nonce / 8] >> nonce % 8 & 1;
	at = place(s, nonce);
	return at < s->n / 2 && item(s->octets, at) == nonce;
}

static void to_bitmap(struct nonces *s)
{
	uint8_t map[NONCES_OCTETS_MAX] = { 0 };

	for (size_t i = 0; i < s->n / 2; i++)
		map[item(s->octets, i) / 8] |= (uint8_t)(1u << item(s->octets, i) % 8);
	memcpy(s->octets, map, sizeof(map));
	s->n = NONCES_OCTETS_MAX;
}

void nonces_add(struct nonces *s, uint16_t nonce)
{
	size_t at;

	if (nonces_has(s, nonce))
		return;
	if (is_list(s) && s->n / 2 == NONCES_LIST_MAX)
		to_bitmap(s);
	if (!is_list(s)) {
		s->octets[nonce / 8] |= (uint8_t)(1u << nonce % 8);
		return;
	}
	at = 2 * place(s, nonce);
	memmove(s->octets + at + 2, s->octets + at, s->n - at);
	s->octets[at] = (uint8_t)nonce;
	s->octets[at + 1] = (uint8_t)(nonce >> 8);
	s->n += 2;
}

unsigned nonces_count(const struct nonces *s)
{
	unsigned n = 0;

	if (is_list(s))
		return (unsigned)(s->n / 2);
	for (size_t i = 0; i < NONCES_OCTETS_MAX; i++)
		n += (unsigned)__builtin_popcount(s->octets[i]);
	return n;
}
