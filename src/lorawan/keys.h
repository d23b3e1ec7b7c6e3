/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keys - from root keys and the nonces of a join to the keys of a session.
 *
 *   Source     LoRaWAN 1.0.4 section 6.2.5; 1.1 sections 6.1.1.3, 6.1.1.4 and 6.2.3.
 *   Rule       1.1 derivation when the device is provisioned as 1.1 and OptNeg is set; else
 *              1.0, whose root is AppKey (NwkKey for a 1.1 device on a 1.0 network).
 *   Rejoin     the 1.1 formula, RJcount in the place of DevNonce.
 *   Ownership  keys land in the caller's memory: wipe it.
 */
#ifndef LORAWAN_KEYS_H
#define LORAWAN_KEYS_H

#include "base/block.h"
#include "lorawan/types.h"

struct keys_session {
	uint8_t f_nwk_s_int[LORAWAN_KEY_OCTETS]; /* 1.0: the three network keys are NwkSKey */
	uint8_t s_nwk_s_int[LORAWAN_KEY_OCTETS];
	uint8_t nwk_s_enc[LORAWAN_KEY_OCTETS];
	uint8_t app_s[LORAWAN_KEY_OCTETS];
};

struct keys_nonces {
	uint32_t join_nonce; /* 24 bits */
	uint32_t net_id;     /* 1.0 only */
	uint64_t join_eui;   /* 1.1 only */
	uint16_t dev_nonce;  /* or RJcount */
};

void keys_derive_10(const struct block *root, const struct keys_nonces *n,
	struct keys_session *out);
void keys_derive_11(const struct block *nwk_key, const struct block *app_key,
	const struct keys_nonces *n, struct keys_session *out);

/* 1.1: the Join Server's own two keys, for the MIC of accepts and the cipher after rejoins. */
void keys_derive_js(const struct block *nwk_key, uint64_t dev_eui,
	uint8_t js_int[LORAWAN_KEY_OCTETS], uint8_t js_enc[LORAWAN_KEY_OCTETS]);

#endif
