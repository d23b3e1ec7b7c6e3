/* SPDX-License-Identifier: Apache-2.0 */
#include "lorawan/crypt.h"
#include "base/sink.h"

#include <string.h>

/* LoRaWAN 1.0.4 section 4.3.3.1, with the counter's kind of 1.1 FOpts in octet 4. */
static void key_stream(const struct block *key, uint8_t kind, enum lorawan_direction direction,
	uint32_t dev_addr, uint32_t fcnt, uint8_t i, uint8_t out[BLOCK_OCTETS])
{
	uint8_t a[BLOCK_OCTETS];
	struct sink s = sink_into(a, sizeof(a));

	sink_u8(&s, 0x01);
	sink_zero(&s, 3);
	sink_u8(&s, kind);
	sink_u8(&s, (uint8_t)direction);
	sink_u32_le(&s, dev_addr);
	sink_u32_le(&s, fcnt);
	sink_u8(&s, 0);
	sink_u8(&s, i);
	key->encrypt(key->key, a, out);
}

void crypt_frm(const struct block *key, enum lorawan_direction direction, uint32_t dev_addr,
	uint32_t fcnt, struct span in, uint8_t *out)
{
	uint8_t stream[BLOCK_OCTETS];

	for (size_t at = 0; at < in.n; at++) {
		if (at % BLOCK_OCTETS == 0)
			key_stream(key, 0, direction, dev_addr, fcnt,
				(uint8_t)(at / BLOCK_OCTETS + 1), stream);
		out[at] = in.p[at] ^ stream[at % BLOCK_OCTETS];
	}
}

void crypt_fopts(const struct block *nwk_s_enc_key, enum lorawan_direction direction,
	enum crypt_counter counter, uint32_t dev_addr, uint32_t fcnt, struct span in, uint8_t *out)
{
	uint8_t stream[BLOCK_OCTETS];

	key_stream(nwk_s_enc_key, (uint8_t)counter, direction, dev_addr, fcnt, 1, stream);
	for (size_t at = 0; at < in.n && at < LORAWAN_FOPTS_MAX; at++)
		out[at] = in.p[at] ^ stream[at];
}
