/* SPDX-License-Identifier: Apache-2.0 */
#include "lorawan/phy.h"

#include <string.h>

#define MAJOR_R1 0

int phy_read_mhdr(struct span phy, struct mhdr *out)
{
	if (phy.n == 0 || phy.n > LORAWAN_PHY_MAX)
		return ERR_FORMAT;
	if ((phy.p[0] & 0x03) != MAJOR_R1)
		return ERR_FORMAT;
	*out = (struct mhdr){
		.type = (enum phy_type)(phy.p[0] >> 5),
		.rfu = (uint8_t)(phy.p[0] >> 2 & 0x07),
	};
	return 0;
}

uint8_t phy_mhdr_octet(struct mhdr h)
{
	return (uint8_t)((unsigned int)h.type << 5 | (h.rfu & 0x07u) << 2 | MAJOR_R1);
}

int phy_split(struct span phy, struct span *message, uint8_t mic[LORAWAN_MIC_OCTETS])
{
	if (phy.n < 1 + LORAWAN_MIC_OCTETS || phy.n > LORAWAN_PHY_MAX)
		return ERR_FORMAT;
	*message = (struct span){ .p = phy.p, .n = phy.n - LORAWAN_MIC_OCTETS };
	memcpy(mic, phy.p + message->n, LORAWAN_MIC_OCTETS);
	return 0;
}

const char *phy_type_text(enum phy_type type)
{
	switch (type) {
	case PHY_JOIN_REQUEST: return "join-request";
	case PHY_JOIN_ACCEPT: return "join-accept";
	case PHY_DATA_UP: return "unconfirmed-up";
	case PHY_DATA_DOWN: return "unconfirmed-down";
	case PHY_CONFIRMED_UP: return "confirmed-up";
	case PHY_CONFIRMED_DOWN: return "confirmed-down";
	case PHY_REJOIN_REQUEST: return "rejoin-request";
	case PHY_PROPRIETARY: return "proprietary";
	}
	return "unknown";
}

bool phy_is_up(enum phy_type type)
{
	switch (type) {
	case PHY_JOIN_REQUEST:
	case PHY_DATA_UP:
	case PHY_CONFIRMED_UP:
	case PHY_REJOIN_REQUEST: return true;
	case PHY_JOIN_ACCEPT:
	case PHY_DATA_DOWN:
	case PHY_CONFIRMED_DOWN:
	case PHY_PROPRIETARY: return false;
	}
	return false;
}
