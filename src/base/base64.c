/* SPDX-License-Identifier: Apache-2.0 */
#include "base/base64.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

int base64_write(struct span octets, char *out, size_t cap)
{
	size_t at = 0;

	if (cap < BASE64_CHARS(octets.n) + 1)
		return ERR_SPACE;
	for (size_t i = 0; i < octets.n; i += 3) {
		uint32_t v = (uint32_t)octets.p[i] << 16;

		if (i + 1 < octets.n)
			v |= (uint32_t)octets.p[i + 1] << 8;
		if (i + 2 < octets.n)
			v |= octets.p[i + 2];
		out[at++] = alphabet[v >> 18];
		out[at++] = alphabet[v >> 12 & 63];
		out[at++] = i + 1 < octets.n ? alphabet[v >> 6 & 63] : '=';
		out[at++] = i + 2 < octets.n ? alphabet[v & 63] : '=';
	}
	out[at] = 0;
	return 0;
}

static int value(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+')
		return 62;
	return c == '/' ? 63 : -1;
}

/* The characters that carry data; padding, if any, must fill the last four. */
static int data_chars(struct span text, size_t *n)
{
	size_t pad = 0;

	while (pad < 2 && pad < text.n && text.p[text.n - 1 - pad] == '=')
		pad++;
	if (pad && text.n % 4)
		return ERR_FORMAT;
	if ((text.n - pad) % 4 == 1)
		return ERR_FORMAT;
	*n = text.n - pad;
	return 0;
}

int base64_read(struct span text, uint8_t *out, size_t cap, size_t *n)
{
	uint32_t v = 0;
	size_t chars, at = 0;
	unsigned bits = 0;

	if (data_chars(text, &chars) < 0)
		return ERR_FORMAT;
	if (chars / 4 * 3 + chars % 4 * 3 / 4 > cap)
		return ERR_SPACE;
	for (size_t i = 0; i < chars; i++) {
		int d = value(text.p[i]);

		if (d < 0)
			return ERR_FORMAT;
		v = (v << 6 | (uint32_t)d) & 0xffffff;
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			out[at++] = (uint8_t)(v >> bits);
		}
	}
	/* RFC 4648 section 3.5: the bits left over must be zero, so one text has one meaning. */
	if (v & ((1u << bits) - 1))
		return ERR_FORMAT;
	*n = at;
	return 0;
}
