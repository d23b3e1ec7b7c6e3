/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fcnt - 32-bit frame counters out of the 16 bits on the air.
 *
 *   Source     LoRaWAN 1.0.4 section 4.3.1.5; MAX_FCNT_GAP of 1.0.3 (16384) as a choice.
 *   Rule       the counter is the lowest value not below the expected one that ends in the
 *              16 bits received. The MIC covers all 32, so a wrong guess fails there; no state
 *              changes before the MIC is right.
 */
#ifndef LORAWAN_FCNT_H
#define LORAWAN_FCNT_H

#include "lorawan/types.h"

#define FCNT_MAX_GAP 16384u

enum fcnt_verdict {
	FCNT_FRESH,     /* *out is the counter to check the MIC with */
	FCNT_REPEAT,    /* the last counter again: a retransmission, if the MIC is right */
	FCNT_TOO_FAR,   /* older than the last, or more than max_gap ahead */
	FCNT_EXHAUSTED, /* past 2^32 - 1: the session is over */
};

/*
 * next: the counter expected (last + 1); 0 when none was seen.
 * max_gap: frames that may be missing; 0 for no limit (1.0.4, 1.1).
 * *out is written for FCNT_FRESH and FCNT_REPEAT.
 */
enum fcnt_verdict fcnt_widen(uint32_t next, uint16_t wire, uint32_t max_gap, uint32_t *out);

#endif
