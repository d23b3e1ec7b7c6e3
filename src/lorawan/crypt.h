/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crypt - payload and FOpts under AES in counter mode; doing it twice undoes it.
 *
 *   Source     LoRaWAN 1.0.4 section 4.3.3; 1.1 section 4.3.1.6 with the erratum of FOpts
 *              encryption (the counter's kind sits in octet 4 of the A block).
 *   Keys       FRMPayload: AppSKey, or NwkSKey / NwkSEncKey on port 0. FOpts: NwkSEncKey.
 *   Memory     in and out may be the same.
 */
#ifndef LORAWAN_CRYPT_H
#define LORAWAN_CRYPT_H

#include "base/block.h"
#include "base/cursor.h"
#include "lorawan/types.h"

/* Which counter fcnt is: only FOpts encryption asks. */
enum crypt_counter {
	CRYPT_FCNT_UP = 1, /* and NFCntDown */
	CRYPT_NFCNT_DOWN = 1,
	CRYPT_AFCNT_DOWN = 2,
};

/* Writes in.n octets, at most 255 blocks. */
void crypt_frm(const struct block *key, enum lorawan_direction direction, uint32_t dev_addr,
	uint32_t fcnt, struct span in, uint8_t *out);

/* Writes in.n octets, at most 15. */
void crypt_fopts(const struct block *nwk_s_enc_key, enum lorawan_direction direction,
	enum crypt_counter counter, uint32_t dev_addr, uint32_t fcnt, struct span in, uint8_t *out);

#endif
