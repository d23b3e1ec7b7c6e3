/* SPDX-License-Identifier: Apache-2.0 */
#include "lorawan/devaddr.h"

struct layout {
	uint8_t nwk_id_bits;
	uint8_t nwk_addr_bits;
};

/* LoRaWAN Backend Interfaces 1.0 section 8.1.1, by NetID type; prefix bits = type + 1. */
static const struct layout layouts[] = {
	{ 6, 25 },
	{ 6, 24 },
	{ 9, 20 },
	{ 11, 17 },
	{ 12, 15 },
	{ 13, 13 },
	{ 15, 10 },
	{ 17, 7 },
};

unsigned int devaddr_netid_type(uint32_t net_id)
{
	return net_id >> 21 & 0x07;
}

unsigned int devaddr_nwk_addr_bits(uint32_t net_id)
{
	return layouts[devaddr_netid_type(net_id)].nwk_addr_bits;
}

/* Type prefix (that many ones, then a zero) and NwkID in their places. */
static uint32_t network_part(uint32_t net_id)
{
	unsigned int type = devaddr_netid_type(net_id);
	struct layout l = layouts[type];
	uint32_t ones = (1u << type) - 1;
	uint32_t nwk_id = net_id & ((1u << l.nwk_id_bits) - 1);

	return ones << (32 - type) % 32 | nwk_id << l.nwk_addr_bits;
}

uint32_t devaddr_make(uint32_t net_id, uint32_t nwk_addr)
{
	uint32_t mask = (1u << devaddr_nwk_addr_bits(net_id)) - 1;

	return network_part(net_id) | (nwk_addr & mask);
}

bool devaddr_belongs(uint32_t dev_addr, uint32_t net_id)
{
	uint32_t mask = (1u << devaddr_nwk_addr_bits(net_id)) - 1;

	return (dev_addr & ~mask) == network_part(net_id);
}
