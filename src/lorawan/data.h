/* SPDX-License-Identifier: Apache-2.0 */
/*
 * data - a data frame, up or down: read first, judge after.
 *
 *   Source     LoRaWAN 1.0.4 and 1.1 sections 4.3.
 *   Sizes      12 octets at least, LORAWAN_PHY_MAX at most, MHDR and MIC included.
 *   MIC        not checked here: mic.h, over the octets received.
 *   Ownership  spans borrow the octets given.
 *   Errors     ERR_FORMAT, ERR_SPACE; outputs only on success.
 */
#ifndef LORAWAN_DATA_H
#define LORAWAN_DATA_H

#include "lorawan/fhdr.h"
#include "lorawan/phy.h"

#define DATA_MIN       12
#define DATA_PORT_MAC  0
#define DATA_PORT_TEST 224 /* certification protocol; 225 and above are reserved */

struct data {
	enum phy_type type; /* one of the four data types */
	uint8_t rfu;        /* of the MHDR */
	struct fhdr fhdr;
	bool has_port;
	uint8_t port;
	struct span frm; /* FRMPayload, encrypted; empty without a port */
	uint8_t mic[LORAWAN_MIC_OCTETS];
};

/* What breaks the rules though every field is there; a receiver discards such a frame. */
enum data_fault {
	DATA_SOUND,
	DATA_FOPTS_WITH_PORT_0, /* 1.0.4 section 4.3.1.6: never both */
	DATA_PORT_RESERVED,     /* 1.0.4 section 4.3.2: 225..255 */
	DATA_TOO_LONG,          /* FOpts and FRMPayload pass the N of this data rate */
};

int data_read(struct span phy, struct data *out);

/* n_max: region_max_payload of the rate it was sent at; 0 does not judge the length. */
enum data_fault data_check(const struct data *d, size_t n_max);
const char *data_fault_text(enum data_fault fault);

/* The whole frame, with d->mic as its last four octets; *n gets its length. */
int data_write(const struct data *d, uint8_t *out, size_t cap, size_t *n);

bool data_is_confirmed(const struct data *d);
enum lorawan_direction data_direction(const struct data *d);

#endif
