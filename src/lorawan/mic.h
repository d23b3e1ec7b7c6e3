/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mic - the four octets that prove who sent a frame.
 *
 *   Source     LoRaWAN 1.0.4 section 4.4; 1.1 sections 4.4, 6.2.2, 6.2.3, 6.2.4.
 *   Message    what the MIC covers: MHDR up to the octet before the MIC (phy_split gives it).
 *   Keys       1.0.x: NwkSKey. 1.1: uplinks under FNwkSIntKey and SNwkSIntKey, two octets
 *              each; downlinks under SNwkSIntKey.
 */
#ifndef LORAWAN_MIC_H
#define LORAWAN_MIC_H

#include "base/block.h"
#include "base/cursor.h"
#include "lorawan/types.h"

/* First four octets of CMAC(key, message): join-requests, rejoins, 1.0.x join-accepts. */
void mic_of_message(const struct block *key, struct span message, uint8_t out[LORAWAN_MIC_OCTETS]);

/* 1.1: cause is an enum joinaccept_cause, nonce is DevNonce or RJcount. */
void mic_of_joinaccept_11(const struct block *js_int_key, uint8_t cause, uint64_t join_eui,
	uint16_t nonce, struct span message, uint8_t out[LORAWAN_MIC_OCTETS]);

/* What the B0 and B1 blocks add to a data frame. */
struct mic_data {
	enum lorawan_direction direction;
	uint32_t dev_addr;
	uint32_t fcnt;      /* all 32 bits */
	uint16_t conf_fcnt; /* 1.1, frames with ACK: low 16 bits of the counter acknowledged; else 0
			     */
	uint8_t tx_dr;      /* 1.1 uplinks: data rate and channel index it was sent with */
	uint8_t tx_ch;
};

/* 1.0.x, either direction; d's 1.1 fields are not used. */
void mic_of_data_10(const struct block *nwk_s_key, const struct mic_data *d, struct span message,
	uint8_t out[LORAWAN_MIC_OCTETS]);
void mic_of_uplink_11(const struct block *f_nwk_s_int_key, const struct block *s_nwk_s_int_key,
	const struct mic_data *d, struct span message, uint8_t out[LORAWAN_MIC_OCTETS]);
void mic_of_downlink_11(const struct block *s_nwk_s_int_key, const struct mic_data *d,
	struct span message, uint8_t out[LORAWAN_MIC_OCTETS]);

/* True when equal, in constant time. */
bool mic_equal(const uint8_t a[LORAWAN_MIC_OCTETS], const uint8_t b[LORAWAN_MIC_OCTETS]);

#endif
