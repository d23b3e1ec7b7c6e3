/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rate - how fast a frame is sent: a LoRa spreading factor and bandwidth, or FSK's bits.
 *
 *   Text       "SF7BW125", as gateways write it (the datr of Semtech's protocol).
 *   Errors     ERR_FORMAT, ERR_SPACE; *out only on success.
 */
#ifndef LORAWAN_RATE_H
#define LORAWAN_RATE_H

#include "base/code.h"
#include "base/cursor.h"

#define RATE_TEXT_MAX 12 /* with the final zero */

struct rate {
	uint8_t sf;             /* 5..12; 0 for FSK */
	uint16_t bandwidth_khz; /* 125, 250, 500; 0 for FSK */
	uint32_t bits_s;        /* FSK; 0 for LoRa */
};

int rate_read(struct span datr, struct rate *out);
int rate_write(const struct rate *r, char *out, size_t cap); /* LoRa only; else ERR_FORMAT */
bool rate_equal(const struct rate *a, const struct rate *b);
bool rate_is_fsk(const struct rate *r);

#endif
