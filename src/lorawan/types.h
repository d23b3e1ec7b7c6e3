/* SPDX-License-Identifier: Apache-2.0 */
/*
 * types - the numbers every LoRaWAN file shares.
 *
 *   Source     LoRaWAN 1.0.4 and 1.1 chapters 4 and 6.
 *   Numbers    an EUI-64 is a uint64_t whose printed hex is its big-endian form; DevAddr is a
 *              uint32_t, NetID and the nonces of 24 bits sit in a uint32_t. All are
 *              little-endian on the air; the readers and writers turn them.
 */
#ifndef LORAWAN_TYPES_H
#define LORAWAN_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LORAWAN_KEY_OCTETS 16
#define LORAWAN_MIC_OCTETS 4
#define LORAWAN_PHY_MAX    255 /* octets of a PHYPayload: what a LoRa radio can carry */
#define LORAWAN_FRM_MAX    242 /* octets of an FRMPayload without FOpts, at the fastest rates */
#define LORAWAN_FOPTS_MAX  15
#define LORAWAN_NONCE_MAX  0xffffffu /* last JoinNonce */

/* The Dir octet of the B0 and A blocks. */
enum lorawan_direction {
	LORAWAN_UP = 0,
	LORAWAN_DOWN = 1,
};

#endif
