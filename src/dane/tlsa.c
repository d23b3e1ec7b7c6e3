/* SPDX-License-Identifier: Apache-2.0 */
#include "dane/tlsa.h"

#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "base/sink.h"

int tlsa_read(struct span rdata, struct tlsa *out, struct err *err)
{
	struct cursor c = cursor_over(rdata);
	struct tlsa t = { 0 };

	t.usage = cursor_u8(&c);
	t.selector = cursor_u8(&c);
	t.matching = cursor_u8(&c);
	t.data = cursor_rest(&c);
	if (!cursor_done(&c) || t.data.n == 0)
		return err_set(err, ERR_FORMAT, "TLSA: %zu octets, need at least 4", rdata.n);
	*out = t;
	return 0;
}

int tlsa_write(const struct tlsa *tlsa, uint8_t *out, size_t cap, size_t *n, struct err *err)
{
	struct sink s = sink_into(out, cap);

	sink_u8(&s, tlsa->usage);
	sink_u8(&s, tlsa->selector);
	sink_u8(&s, tlsa->matching);
	sink_put(&s, tlsa->data);
	if (!sink_fits(&s))
		return err_set(err, ERR_SPACE, "TLSA: %zu octets, room for %zu", 3 + tlsa->data.n,
			cap);
	*n = s.n;
	return 0;
}

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void skip_blanks(struct span *text)
{
	while (text->n && is_blank(text->p[0])) {
		text->p++;
		text->n--;
	}
}

/* A number of one octet, in decimal, up to a blank. */
static bool take_number(struct span *text, uint8_t *out)
{
	unsigned value = 0;
	size_t digits = 0;

	skip_blanks(text);
	while (digits < text->n && text->p[digits] >= '0' && text->p[digits] <= '9') {
		value = value * 10 + (text->p[digits] - '0');
		if (++digits > 3 || value > 255)
			return false;
	}
	if (!digits || digits == text->n || !is_blank(text->p[digits]))
		return false;
	text->p += digits;
	text->n -= digits;
	*out = (uint8_t)value;
	return true;
}

/* Hex in pieces, as zone files allow (RFC 6698 section 2.2), inside at most one bracket. */
static int take_hex(struct span text, uint8_t *memory, size_t cap, size_t *n)
{
	char pair[2];
	size_t held = 0, count = 0;
	int bracket = 0;

	for (size_t i = 0; i < text.n; i++) {
		uint8_t c = text.p[i];
		if (is_blank(c))
			continue;
		if ((c == '(' && bracket == 0) || (c == ')' && bracket == 1)) {
			bracket++;
			continue;
		}
		if (bracket == 2)
			return ERR_FORMAT;
		pair[held++] = (char)c;
		if (held < 2)
			continue;
		if (count == cap)
			return ERR_SPACE;
		struct span digits = { (const uint8_t *)pair, 2 };
		if (hex_read_exact(digits, memory + count, 1))
			return ERR_FORMAT;
		count++;
		held = 0;
	}
	if (held || bracket == 1)
		return ERR_FORMAT;
	*n = count;
	return 0;
}

int tlsa_read_text(struct span text, uint8_t *memory, size_t cap, struct tlsa *out, struct err *err)
{
	struct tlsa t = { 0 };
	size_t n = 0;

	if (!take_number(&text, &t.usage) || !take_number(&text, &t.selector) ||
		!take_number(&text, &t.matching))
		return err_set(err, ERR_FORMAT, "TLSA: need three numbers of 0 to 255, then hex");
	int rc = take_hex(text, memory, cap, &n);
	if (rc == ERR_SPACE)
		return err_set(err, ERR_SPACE, "TLSA: more than %zu octets of data", cap);
	if (rc)
		return err_set(err, ERR_FORMAT, "TLSA: data is not pairs of hex digits");
	if (n == 0)
		return err_set(err, ERR_FORMAT, "TLSA: no data");
	t.data = (struct span){ memory, n };
	*out = t;
	return 0;
}

int tlsa_write_text(const struct tlsa *tlsa, char *out, size_t cap, struct err *err)
{
	char head[16];
	int n = snprintf(head, sizeof head, "%u %u %u ", tlsa->usage, tlsa->selector,
		tlsa->matching);

	if (cap < (size_t)n + 2 * tlsa->data.n + 1)
		return err_set(err, ERR_SPACE, "TLSA: text needs %zu characters",
			(size_t)n + 2 * tlsa->data.n + 1);
	memcpy(out, head, (size_t)n);
	return hex_write(tlsa->data, out + n, cap - (size_t)n);
}

const char *tlsa_unusable(const struct tlsa *tlsa)
{
	if (tlsa->usage > TLSA_DANE_EE)
		return "unknown certificate usage";
	if (tlsa->selector > TLSA_SPKI)
		return "unknown selector";
	if (tlsa->matching > TLSA_SHA512)
		return "unknown matching type";
	if (tlsa->matching == TLSA_SHA256 && tlsa->data.n != 32)
		return "SHA2-256 digest is not 32 octets";
	if (tlsa->matching == TLSA_SHA512 && tlsa->data.n != 64)
		return "SHA2-512 digest is not 64 octets";
	return NULL;
}

static const char *word_of(const char *const *words, int count, int value)
{
	return value >= 0 && value < count ? words[value] : "?";
}

const char *tlsa_usage_word(int usage)
{
	static const char *const words[] = { "PKIX-TA", "PKIX-EE", "DANE-TA", "DANE-EE" };

	return word_of(words, 4, usage);
}

const char *tlsa_selector_word(int selector)
{
	static const char *const words[] = { "Cert", "SPKI" };

	return word_of(words, 2, selector);
}

const char *tlsa_matching_word(int matching)
{
	static const char *const words[] = { "Full", "SHA2-256", "SHA2-512" };

	return word_of(words, 3, matching);
}
