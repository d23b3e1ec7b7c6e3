/* SPDX-License-Identifier: Apache-2.0 */
/*
 * region - a band's rates, channels and windows, as a table.
 *
 *   Source     LoRaWAN Regional Parameters RP002-1.0.3 section 2.4 (EU863-870).
 *   Units      Hz; microseconds of the gateway's counter; dBm EIRP.
 *   Ownership  static tables; nothing to free.
 */
#ifndef LORAWAN_REGION_H
#define LORAWAN_REGION_H

#include "lorawan/cflist.h"
#include "lorawan/rate.h"
#include "lorawan/types.h"

#define REGION_RATES     8
#define REGION_CHANNELS  16
#define REGION_RX_GAP_US 1000000u /* RX2 opens one second after RX1 */

struct region_channel {
	uint32_t hz;
	uint8_t min_rate;
	uint8_t max_rate;
};

struct region {
	const char *name;   /* "EU868" */
	const char *common; /* "EU863-870" */
	uint8_t rates;
	struct rate rate[REGION_RATES];
	uint8_t max_payload[REGION_RATES]; /* N: FRMPayload octets without FOpts, no repeater */
	uint8_t own_channels;              /* in every device */
	uint8_t channels;                  /* with those of the CFList */
	struct region_channel channel[REGION_CHANNELS];
	uint8_t max_rx1_offset;
	uint32_t rx2_hz;
	uint8_t rx2_rate;
	uint32_t rx1_delay_us; /* data; a join-accept's RxDelay may change it */
	uint32_t join_delay1_us;
	uint32_t join_delay2_us;
	int8_t max_eirp_dbm;
};

/* "EU868", "EU863-870" or "eu868"; NULL for a region not known. */
const struct region *region_find(struct span name);
const struct region *region_eu868(void);

/* 0..15, or -1 when the region has no such rate. */
int region_rate_index(const struct region *r, const struct rate *rate);

/* The rate of RX1 for an uplink's rate and the RX1DROffset of the session. -1: no such offset. */
int region_rx1_rate(const struct region *r, uint8_t up_rate, uint8_t offset);

/* Index in r->channel (TxCh of the 1.1 MIC), or -1 for a frequency that is not one of them. */
int region_channel_index(const struct region *r, uint32_t hz);

/* N of the rate; 0 for a rate the region does not have. */
size_t region_max_payload(const struct region *r, uint8_t rate);

/* The CFList that adds the usual channels beyond the region's own. */
void region_cflist(const struct region *r, struct cflist *out);

/* Microseconds from the end of the uplink to RX1; rx_delay is the octet of the join-accept. */
uint32_t region_rx1_delay_us(uint8_t rx_delay);

#endif
