/* SPDX-License-Identifier: Apache-2.0 */
#include "lorawan/rate.h"

#include <string.h>

static bool take_text(struct cursor *c, const char *word, size_t n)
{
	struct span s = cursor_take(c, n);

	return s.n == n && memcmp(s.p, word, n) == 0;
}

/* Digits without a leading zero, at most three. */
static unsigned int take_number(struct cursor *c)
{
	unsigned int v = 0;

	for (int i = 0; i < 3 && c->rest.n > 0; i++) {
		uint8_t ch = c->rest.p[0];

		if (ch < '0' || ch > '9' || (i == 0 && ch == '0'))
			break;
		v = v * 10 + (unsigned int)(cursor_u8(c) - '0');
	}
	return v;
}

int rate_read(struct span datr, struct rate *out)
{
	struct cursor c = cursor_over(datr);
	unsigned int sf, khz;

	if (!take_text(&c, "SF", 2))
		return ERR_FORMAT;
	sf = take_number(&c);
	if (!take_text(&c, "BW", 2))
		return ERR_FORMAT;
	khz = take_number(&c);
	if (!cursor_done(&c) || sf < 5 || sf > 12)
		return ERR_FORMAT;
	if (khz != 125 && khz != 250 && khz != 500)
		return ERR_FORMAT;
	*out = (struct rate){ .sf = (uint8_t)sf, .bandwidth_khz = (uint16_t)khz };
	return 0;
}

static char *put_number(char *at, unsigned int v)
{
	if (v >= 10)
		at = put_number(at, v / 10);
	*at = (char)('0' + v % 10);
	return at + 1;
}

int rate_write(const struct rate *r, char *out, size_t cap)
{
	char text[RATE_TEXT_MAX] = "SF";
	char *at = text + 2;
	size_t n;

	if (rate_is_fsk(r) || r->sf > 12 || r->bandwidth_khz > 999)
		return ERR_FORMAT;
	at = put_number(at, r->sf);
	*at++ = 'B';
	*at++ = 'W';
	at = put_number(at, r->bandwidth_khz);
	*at++ = '\0';
	n = (size_t)(at - text);
	if (n > cap)
		return ERR_SPACE;
	memcpy(out, text, n);
	return 0;
}

bool rate_equal(const struct rate *a, const struct rate *b)
{
	return a->sf == b->sf && a->bandwidth_khz == b->bandwidth_khz && a->bits_s == b->bits_s;
}

bool rate_is_fsk(const struct rate *r)
{
	return r->sf == 0;
}
