/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rejoin - a device with a session asks for a new one.
 *
 *   Source     LoRaWAN 1.1 section 6.2.4. Types 0 and 2 carry NetID, type 1 JoinEUI.
 *   Sizes      19 octets (types 0, 2) or 24 (type 1), MHDR and MIC included.
 *   MIC        mic_of_message under SNwkSIntKey (types 0, 2; the NS checks) or JSIntKey
 *              (type 1; the JS checks).
 *   Errors     ERR_FORMAT (another type or length); *out only on success.
 */
#ifndef LORAWAN_REJOIN_H
#define LORAWAN_REJOIN_H

#include "lorawan/phy.h"

#define REJOIN_OCTETS_02 19
#define REJOIN_OCTETS_1  24
#define REJOIN_MAX       REJOIN_OCTETS_1

struct rejoin {
	uint8_t type;      /* 0, 1 or 2 */
	uint32_t net_id;   /* types 0 and 2, else 0 */
	uint64_t join_eui; /* type 1, else 0 */
	uint64_t dev_eui;
	uint16_t rj_count; /* RJcount0 (types 0 and 2) or RJcount1 */
	uint8_t mic[LORAWAN_MIC_OCTETS];
	uint8_t rfu; /* of the MHDR */
};

int rejoin_read(struct span phy, struct rejoin *out);
size_t rejoin_write(const struct rejoin *r, uint8_t out[REJOIN_MAX]); /* octets; 0: another type */

#endif
