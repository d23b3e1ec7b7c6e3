/* SPDX-License-Identifier: Apache-2.0 */
/*
 * adr - the data rate and power a device should use.
 *
 *   margin = best SNR of the last uplinks - SNR the rate needs - installation margin
 *   each 3 dB of it is one step: first up the data rates, then down in power; a negative
 *   margin raises the power again
 *
 *   Source     the common algorithm of LoRaWAN servers, as Semtech recommends it; required SNR:
 *              SX1276 datasheet table 13. EU868: DR5 is the fastest at 125 kHz, TXPower 7 the
 *              lowest (RP002-1.0.3 section 2.4).
 *   Units      tenths of dB.
 */
#ifndef NETWORK_ADR_H
#define NETWORK_ADR_H

#include "lorawan/region.h"
#include "network/session.h"

/* One more uplink and how well its best copy was heard. */
void adr_note(struct session *s, int16_t lsnr);

/* True when the device should change; out says to what. Not before enough uplinks were
 * heard, unless the device asks. */
bool adr_decide(const struct session *s, const struct region *region, int16_t margin,
	bool device_asks, struct mac_link_adr_req *out);

/* What the device made of adr_asked. */
void adr_answered(struct session *s, const struct mac_link_adr_ans *ans);

/* SNR that demodulation needs at this spreading factor, tenths of dB. */
int16_t adr_required_snr(uint8_t sf);

#endif
