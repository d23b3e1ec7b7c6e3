/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hex.h"

static int digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int hex_write(struct span octets, char *out, size_t cap)
{
	static const char digits[] = "0123456789abcdef";

	if (cap / 2 < octets.n || cap < 2 * octets.n + 1)
		return ERR_SPACE;
	for (size_t i = 0; i < octets.n; i++) {
		out[2 * i] = digits[octets.p[i] >> 4];
		out[2 * i + 1] = digits[octets.p[i] & 15];
	}
	out[2 * octets.n] = 0;
	return 0;
}

int hex_read(struct span text, uint8_t *out, size_t cap, size_t *n)
{
	if (text.n % 2)
		return ERR_FORMAT;
	if (text.n / 2 > cap)
		return ERR_SPACE;
	for (size_t i = 0; i < text.n; i++)
		if (digit(text.p[i]) < 0)
			return ERR_FORMAT;
	for (size_t i = 0; i < text.n / 2; i++)
		out[i] = (uint8_t)(digit(text.p[2 * i]) << 4 | digit(text.p[2 * i + 1]));
	*n = text.n / 2;
	return 0;
}

int hex_read_exact(struct span text, uint8_t *out, size_t n)
{
	size_t got;

	return text.n == 2 * n ? hex_read(text, out, n, &got) : ERR_FORMAT;
}
