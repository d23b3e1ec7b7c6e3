/* SPDX-License-Identifier: Apache-2.0 */
#include "lorawan/airtime.h"

#define PREAMBLE_SYMBOLS 8
#define CODING_RATE      1 /* 4/5 */
#define SLOW_SYMBOL_US   16000
/* FSK of LoRaWAN: 5 octets of preamble, 3 of sync word, 1 of length, 2 of CRC. */
#define FSK_EXTRA 11

static uint32_t fsk_us(const struct rate *rate, size_t octets)
{
	uint64_t bits = (uint64_t)(octets + FSK_EXTRA) * 8;

	return (uint32_t)((bits * 1000000 + rate->bits_s - 1) / rate->bits_s);
}

uint32_t airtime_us(const struct rate *rate, size_t phy_octets, bool crc)
{
	uint64_t symbol_ns;
	int64_t bits, per_symbol, symbols = 8;

	if (phy_octets > 255)
		return 0;
	if (rate_is_fsk(rate))
		return rate->bits_s ? fsk_us(rate, phy_octets) : 0;
	if (rate->sf > 12 || rate->sf < 6 || rate->bandwidth_khz == 0)
		return 0;
	symbol_ns = (1ull << rate->sf) * 1000000 / rate->bandwidth_khz;
	per_symbol = 4 * (rate->sf - (symbol_ns > SLOW_SYMBOL_US * 1000 ? 2 : 0));
	bits = 8 * (int64_t)phy_octets - 4 * rate->sf + 28 + (crc ? 16 : 0);
	if (bits > 0)
		symbols += (bits + per_symbol - 1) / per_symbol * (CODING_RATE + 4);
	/* The preamble ends with 4.25 symbols of sync. */
	return (uint32_t)(((uint64_t)(4 * (PREAMBLE_SYMBOLS + symbols) + 17) * symbol_ns / 4 +
				  999) /
		1000);
}
