/* SPDX-License-Identifier: Apache-2.0 */
#include "lorawan/mic.h"
#include "base/same.h"
#include "base/sink.h"
#include "lorawan/cmac.h"

#include <string.h>

/* CMAC over a prefix and the message. */
static void two_part(const struct block *key, struct span prefix, struct span message,
	uint8_t out[CMAC_OCTETS])
{
	struct cmac c = cmac_start(key);

	cmac_add(&c, prefix);
	cmac_add(&c, message);
	cmac_finish(&c, out);
}

void mic_of_message(const struct block *key, struct span message, uint8_t out[LORAWAN_MIC_OCTETS])
{
	uint8_t full[CMAC_OCTETS];

	cmac_of(key, message, full);
	memcpy(out, full, LORAWAN_MIC_OCTETS);
}

void mic_of_joinaccept_11(const struct block *js_int_key, uint8_t cause, uint64_t join_eui,
	uint16_t nonce, struct span message, uint8_t out[LORAWAN_MIC_OCTETS])
{
	uint8_t prefix[11];
	uint8_t full[CMAC_OCTETS];
	struct sink s = sink_into(prefix, sizeof(prefix));

	/* LoRaWAN 1.1 section 6.2.3: JoinReqType | JoinEUI | DevNonce | MHDR | ... */
	sink_u8(&s, cause);
	sink_u64_le(&s, join_eui);
	sink_u16_le(&s, nonce);
	two_part(js_int_key, sink_span(&s), message, full);
	memcpy(out, full, LORAWAN_MIC_OCTETS);
}

/*
 * B0 and B1 of LoRaWAN 1.1 section 4.4 share their shape: 49, two octets of ConfFCnt, TxDr,
 * TxCh, Dir, DevAddr, FCnt, 0, length. In 1.0.x the four octets after 49 are zero.
 */
static void data_cmac(const struct block *key, const struct mic_data *d, struct span message,
	uint8_t out[CMAC_OCTETS])
{
	uint8_t block[BLOCK_OCTETS];
	struct sink s = sink_into(block, sizeof(block));

	sink_u8(&s, 0x49);
	sink_u16_le(&s, d->conf_fcnt);
	sink_u8(&s, d->tx_dr);
	sink_u8(&s, d->tx_ch);
	sink_u8(&s, (uint8_t)d->direction);
	sink_u32_le(&s, d->dev_addr);
	sink_u32_le(&s, d->fcnt);
	sink_u8(&s, 0);
	sink_u8(&s, (uint8_t)message.n);
	two_part(key, sink_span(&s), message, out);
}

void mic_of_data_10(const struct block *nwk_s_key, const struct mic_data *d, struct span message,
	uint8_t out[LORAWAN_MIC_OCTETS])
{
	struct mic_data b0 = { .direction = d->direction,
		.dev_addr = d->dev_addr,
		.fcnt = d->fcnt };
	uint8_t full[CMAC_OCTETS];

	data_cmac(nwk_s_key, &b0, message, full);
	memcpy(out, full, LORAWAN_MIC_OCTETS);
}

void mic_of_uplink_11(const struct block *f_nwk_s_int_key, const struct block *s_nwk_s_int_key,
	const struct mic_data *d, struct span message, uint8_t out[LORAWAN_MIC_OCTETS])
{
	struct mic_data b1 = *d;
	uint8_t s_full[CMAC_OCTETS];

	/* LoRaWAN 1.1 section 4.4: MIC = cmacS[0..1] | cmacF[0..1]; cmacF is over B0 alone. */
	b1.direction = LORAWAN_UP;
	data_cmac(s_nwk_s_int_key, &b1, message, s_full);
	mic_of_data_10(f_nwk_s_int_key, &b1, message, out);
	memmove(out + 2, out, 2);
	memcpy(out, s_full, 2);
}

void mic_of_downlink_11(const struct block *s_nwk_s_int_key, const struct mic_data *d,
	struct span message, uint8_t out[LORAWAN_MIC_OCTETS])
{
	struct mic_data b0 = {
		.direction = LORAWAN_DOWN,
		.dev_addr = d->dev_addr,
		.fcnt = d->fcnt,
		.conf_fcnt = d->conf_fcnt,
	};
	uint8_t full[CMAC_OCTETS];

	data_cmac(s_nwk_s_int_key, &b0, message, full);
	memcpy(out, full, LORAWAN_MIC_OCTETS);
}

bool mic_equal(const uint8_t a[LORAWAN_MIC_OCTETS], const uint8_t b[LORAWAN_MIC_OCTETS])
{
	return same_octets((struct span){ a, LORAWAN_MIC_OCTETS },
		(struct span){ b, LORAWAN_MIC_OCTETS });
}
