/* SPDX-License-Identifier: Apache-2.0 */
#include "lorawan/keys.h"
#include "base/sink.h"

#include <string.h>

/* What goes before the nonces, LoRaWAN 1.1 section 6.2.3. */
enum kind {
	F_NWK_S_INT = 0x01, /* NwkSKey in 1.0.x */
	APP_S = 0x02,
	S_NWK_S_INT = 0x03,
	NWK_S_ENC = 0x04,
	JS_ENC = 0x05,
	JS_INT = 0x06,
};

/* 1.0.4 section 6.2.5: AES(root, kind | JoinNonce | NetID | DevNonce | pad). */
static void derive_10(const struct block *root, enum kind kind, const struct keys_nonces *n,
	uint8_t out[LORAWAN_KEY_OCTETS])
{
	uint8_t b[BLOCK_OCTETS] = { 0 };
	struct sink s = sink_into(b, sizeof(b));

	sink_u8(&s, (uint8_t)kind);
	sink_u24_le(&s, n->join_nonce);
	sink_u24_le(&s, n->net_id);
	sink_u16_le(&s, n->dev_nonce);
	root->encrypt(root->key, b, out);
}

/* 1.1 section 6.2.3: AES(root, kind | JoinNonce | JoinEUI | DevNonce | pad). */
static void derive_11(const struct block *root, enum kind kind, const struct keys_nonces *n,
	uint8_t out[LORAWAN_KEY_OCTETS])
{
	uint8_t b[BLOCK_OCTETS] = { 0 };
	struct sink s = sink_into(b, sizeof(b));

	sink_u8(&s, (uint8_t)kind);
	sink_u24_le(&s, n->join_nonce);
	sink_u64_le(&s, n->join_eui);
	sink_u16_le(&s, n->dev_nonce);
	root->encrypt(root->key, b, out);
}

void keys_derive_10(const struct block *root, const struct keys_nonces *n, struct keys_session *out)
{
	derive_10(root, F_NWK_S_INT, n, out->f_nwk_s_int);
	memcpy(out->s_nwk_s_int, out->f_nwk_s_int, LORAWAN_KEY_OCTETS);
	memcpy(out->nwk_s_enc, out->f_nwk_s_int, LORAWAN_KEY_OCTETS);
	derive_10(root, APP_S, n, out->app_s);
}

void keys_derive_11(const struct block *nwk_key, const struct block *app_key,
	const struct keys_nonces *n, struct keys_session *out)
{
	derive_11(nwk_key, F_NWK_S_INT, n, out->f_nwk_s_int);
	derive_11(nwk_key, S_NWK_S_INT, n, out->s_nwk_s_int);
	derive_11(nwk_key, NWK_S_ENC, n, out->nwk_s_enc);
	derive_11(app_key, APP_S, n, out->app_s);
}

/* 1.1 section 6.1.1.3: AES(NwkKey, kind | DevEUI | pad). */
static void derive_js(const struct block *nwk_key, enum kind kind, uint64_t dev_eui,
	uint8_t out[LORAWAN_KEY_OCTETS])
{
	uint8_t b[BLOCK_OCTETS] = { 0 };
	struct sink s = sink_into(b, sizeof(b));

	sink_u8(&s, (uint8_t)kind);
	sink_u64_le(&s, dev_eui);
	nwk_key->encrypt(nwk_key->key, b, out);
}

void keys_derive_js(const struct block *nwk_key, uint64_t dev_eui,
	uint8_t js_int[LORAWAN_KEY_OCTETS], uint8_t js_enc[LORAWAN_KEY_OCTETS])
{
	derive_js(nwk_key, JS_INT, dev_eui, js_int);
	derive_js(nwk_key, JS_ENC, dev_eui, js_enc);
}
