/* SPDX-License-Identifier: Apache-2.0 */
/*
 * airtime - how long a frame occupies the channel.
 *
 *   Source     Semtech SX1276 datasheet section 4.1.1.7; coding rate 4/5, explicit header,
 *              8 symbols of preamble, low data rate optimisation where a symbol passes 16 ms.
 *   Units      microseconds, rounded up.
 */
#ifndef LORAWAN_AIRTIME_H
#define LORAWAN_AIRTIME_H

#include "lorawan/rate.h"

/* Uplinks carry a CRC, downlinks do not. 0 for a rate that makes no sense. */
uint32_t airtime_us(const struct rate *rate, size_t phy_octets, bool crc);

#endif
