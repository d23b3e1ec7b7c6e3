/* SPDX-License-Identifier: Apache-2.0 */
#include "lorawan/joinaccept.h"
#include "lorawan/mic.h"

#include <string.h>

int joinaccept_read(struct span plain, struct joinaccept *out)
{
	struct cursor c = cursor_over(plain);
	struct joinaccept a = { 0 };
	struct span part;
	struct mhdr h;

	if (phy_read_mhdr(plain, &h) || h.type != PHY_JOIN_ACCEPT)
		return ERR_FORMAT;
	cursor_u8(&c);
	a.rfu = h.rfu;
	a.join_nonce = cursor_u24_le(&c);
	a.net_id = cursor_u24_le(&c);
	a.dev_addr = cursor_u32_le(&c);
	a.dl_settings = cursor_u8(&c);
	a.rx_delay = cursor_u8(&c);
	a.has_cflist = plain.n == JOINACCEPT_OCTETS_CFLIST;
	part = cursor_take(&c, a.has_cflist ? CFLIST_OCTETS : 0);
	if (part.n)
		memcpy(a.cflist, part.p, part.n);
	part = cursor_take(&c, LORAWAN_MIC_OCTETS);
	if (!cursor_done(&c))
		return ERR_FORMAT;
	memcpy(a.mic, part.p, part.n);
	*out = a;
	return 0;
}

size_t joinaccept_write(const struct joinaccept *a, uint8_t out[JOINACCEPT_MAX])
{
	struct sink s = sink_into(out, JOINACCEPT_MAX);

	sink_u8(&s, phy_mhdr_octet((struct mhdr){ .type = PHY_JOIN_ACCEPT, .rfu = a->rfu }));
	sink_u24_le(&s, a->join_nonce);
	sink_u24_le(&s, a->net_id);
	sink_u32_le(&s, a->dev_addr);
	sink_u8(&s, a->dl_settings);
	sink_u8(&s, a->rx_delay);
	if (a->has_cflist)
		sink_put(&s, (struct span){ a->cflist, sizeof(a->cflist) });
	sink_put(&s, (struct span){ a->mic, sizeof(a->mic) });
	return s.n;
}

static bool is_accept(struct span phy)
{
	struct mhdr h;

	if (phy_read_mhdr(phy, &h) || h.type != PHY_JOIN_ACCEPT)
		return false;
	return phy.n == JOINACCEPT_OCTETS || phy.n == JOINACCEPT_OCTETS_CFLIST;
}

int joinaccept_encrypt(const struct block *key, struct span plain, uint8_t out[JOINACCEPT_MAX])
{
	if (!is_accept(plain))
		return ERR_FORMAT;
	/* LoRaWAN 1.0.4 section 6.2.5: aes128_decrypt on the server, so the device only encrypts.
	 */
	for (size_t at = 1; at < plain.n; at += BLOCK_OCTETS)
		key->decrypt(key->key, plain.p + at, out + at);
	out[0] = plain.p[0];
	return 0;
}

int joinaccept_decrypt(const struct block *key, struct span phy, uint8_t out[JOINACCEPT_MAX])
{
	if (!is_accept(phy))
		return ERR_FORMAT;
	for (size_t at = 1; at < phy.n; at += BLOCK_OCTETS)
		key->encrypt(key->key, phy.p + at, out + at);
	out[0] = phy.p[0];
	return 0;
}

size_t joinaccept_seal_10(const struct block *app_key, struct joinaccept *a,
	uint8_t out[JOINACCEPT_MAX])
{
	size_t n = joinaccept_write(a, out);

	mic_of_message(app_key, (struct span){ out, n - sizeof(a->mic) }, a->mic);
	memcpy(out + n - sizeof(a->mic), a->mic, sizeof(a->mic));
	joinaccept_encrypt(app_key, (struct span){ out, n }, out);
	return n;
}

size_t joinaccept_seal_11(const struct block *js_int_key, const struct block *cipher_key,
	enum joinaccept_cause cause, uint64_t join_eui, uint16_t nonce, struct joinaccept *a,
	uint8_t out[JOINACCEPT_MAX])
{
	size_t n = joinaccept_write(a, out);

	mic_of_joinaccept_11(js_int_key, (uint8_t)cause, join_eui, nonce,
		(struct span){ out, n - sizeof(a->mic) }, a->mic);
	memcpy(out + n - sizeof(a->mic), a->mic, sizeof(a->mic));
	joinaccept_encrypt(cipher_key, (struct span){ out, n }, out);
	return n;
}
