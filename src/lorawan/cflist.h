/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cflist - the channels a join-accept adds to the region's own.
 *
 *   Source     LoRaWAN 1.1 section 6.2.3; RP002 section 2.4 (type 0) and 2.5 (type 1).
 *   Sizes      16 octets, the last is the type; frequencies in steps of 100 Hz.
 *   Errors     ERR_FORMAT (another type, another length), ERR_ARG (a frequency off the grid).
 */
#ifndef LORAWAN_CFLIST_H
#define LORAWAN_CFLIST_H

#include "base/code.h"
#include "base/cursor.h"

#define CFLIST_OCTETS   16
#define CFLIST_CHANNELS 5
#define CFLIST_MASKS    5
#define CFLIST_STEP_HZ  100u
#define CFLIST_HZ_MAX   (0xffffffu * CFLIST_STEP_HZ)

enum cflist_type {
	CFLIST_FREQUENCIES = 0,
	CFLIST_CHANNEL_MASKS = 1,
};

struct cflist {
	enum cflist_type type;
	uint32_t hz[CFLIST_CHANNELS]; /* type 0; 0 for an unused channel */
	uint16_t mask[CFLIST_MASKS];  /* type 1; bit 0 is the group's first channel */
};

int cflist_read(struct span octets, struct cflist *out);
int cflist_write(const struct cflist *c, uint8_t out[CFLIST_OCTETS]);

#endif
