/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fhdr - the header of a data frame: address, flags, counter, options.
 *
 *   Source     LoRaWAN 1.0.4 section 4.3.1, 1.1 section 4.3.1.
 *   Flags      bit 4 means FPending on a downlink and Class B on an uplink; bit 6 means
 *              ADRACKReq on an uplink and is reserved on a downlink.
 *   Ownership  fopts borrows the octets given.
 *   Errors     sticky in the cursor and the sink.
 */
#ifndef LORAWAN_FHDR_H
#define LORAWAN_FHDR_H

#include "base/cursor.h"
#include "base/sink.h"
#include "lorawan/types.h"

struct fhdr {
	uint32_t dev_addr;
	bool adr;
	bool adr_ack_req;
	bool ack;
	bool pending;      /* FPending (down), Class B (up) */
	uint16_t fcnt;     /* the low 16 bits of the counter */
	struct span fopts; /* at most 15 octets; encrypted in 1.1 */
};

void fhdr_read(struct cursor *c, struct fhdr *out);
void fhdr_write(const struct fhdr *h, struct sink *s); /* more than 15 FOpts make the sink bad */

#endif
