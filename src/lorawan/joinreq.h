/* SPDX-License-Identifier: Apache-2.0 */
/*
 * joinreq - a device asks for a session: who it is, whom to ask, a nonce.
 *
 *   Source     LoRaWAN 1.0.4 section 6.2.4, 1.1 section 6.2.2.
 *   Sizes      23 octets: MHDR, JoinEUI 8, DevEUI 8, DevNonce 2, MIC 4.
 *   MIC        not checked here: mic_of_message under AppKey (1.0) or NwkKey (1.1).
 *   Errors     ERR_FORMAT; *out only on success.
 */
#ifndef LORAWAN_JOINREQ_H
#define LORAWAN_JOINREQ_H

#include "lorawan/phy.h"

#define JOINREQ_OCTETS 23

struct joinreq {
	uint64_t join_eui; /* AppEUI in 1.0.x */
	uint64_t dev_eui;
	uint16_t dev_nonce;
	uint8_t mic[LORAWAN_MIC_OCTETS];
	uint8_t rfu; /* of the MHDR */
};

int joinreq_read(struct span phy, struct joinreq *out);
void joinreq_write(const struct joinreq *r, uint8_t out[JOINREQ_OCTETS]);

#endif
