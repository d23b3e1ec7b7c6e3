/* SPDX-License-Identifier: Apache-2.0 */
/*
 * phy - the first octet of every frame (MHDR), and the last four (MIC).
 *
 *   Source     LoRaWAN 1.0.4 section 4.2: MType 3 bits, RFU 3 bits, Major 2 bits (0).
 *   RFU        ignored on reading but kept, since the MIC covers it and write(read(x)) is x.
 *   Ownership  spans borrow the octets given.
 *   Errors     ERR_FORMAT (empty, another Major, longer than a radio carries).
 */
#ifndef LORAWAN_PHY_H
#define LORAWAN_PHY_H

#include "base/code.h"
#include "base/sink.h"
#include "lorawan/types.h"

enum phy_type {
	PHY_JOIN_REQUEST = 0,
	PHY_JOIN_ACCEPT = 1,
	PHY_DATA_UP = 2,
	PHY_DATA_DOWN = 3,
	PHY_CONFIRMED_UP = 4,
	PHY_CONFIRMED_DOWN = 5,
	PHY_REJOIN_REQUEST = 6,
	PHY_PROPRIETARY = 7,
};

struct mhdr {
	enum phy_type type;
	uint8_t rfu; /* 3 bits; 0 when we send */
};

/* What kind of frame this is; nothing after the first octet is looked at. */
int phy_read_mhdr(struct span phy, struct mhdr *out);
uint8_t phy_mhdr_octet(struct mhdr h);

/* All but the MIC, and the MIC; ERR_FORMAT when there are fewer than 5 octets. */
int phy_split(struct span phy, struct span *message, uint8_t mic[LORAWAN_MIC_OCTETS]);

/* A static word: "join-request", "unconfirmed-up", ... */
const char *phy_type_text(enum phy_type type);

bool phy_is_up(enum phy_type type);

#endif
