/* SPDX-License-Identifier: Apache-2.0 */
/*
 * devaddr - which addresses a NetID may give, and whose an address is.
 *
 *   Source     LoRaWAN Backend Interfaces 1.0 section 8.1.1; 1.1 section 6.1.1.
 *   Layout     type prefix (1 to 8 bits), NwkID (6 to 17), NwkAddr (25 down to 7).
 *   NetID      24 bits; the type is its top 3, NwkID the low bits of the rest.
 */
#ifndef LORAWAN_DEVADDR_H
#define LORAWAN_DEVADDR_H

#include "lorawan/types.h"

/* 0..7: the top three bits of the NetID. */
unsigned int devaddr_netid_type(uint32_t net_id);

/* Bits left for the device: 25 for type 0 down to 7 for type 7. */
unsigned int devaddr_nwk_addr_bits(uint32_t net_id);

/* The address of this network whose NwkAddr is the low bits of nwk_addr. */
uint32_t devaddr_make(uint32_t net_id, uint32_t nwk_addr);

/*
 * True when the address carries this NetID's type and NwkID. Types 3 to 7 keep only some bits of
 * the NetID, so more than one network may say yes.
 */
bool devaddr_belongs(uint32_t dev_addr, uint32_t net_id);

#endif
