/* SPDX-License-Identifier: Apache-2.0 */
/*
 * command - the MAC commands of a device answered, and the network's own asked.
 *
 *   Source     LoRaWAN 1.0.4 and 1.1 chapter 5.
 *   Answers    LinkCheckReq, DeviceTimeReq, RekeyInd, ResetInd (ABP 1.1). Notes: LinkADRAns,
 *              DevStatusAns. Asks: LinkADRReq, DevStatusReq.
 *   Bounds     answers end when the 15 octets of FOpts are full; what did not fit is asked
 *              for again by the device.
 */
#ifndef NETWORK_COMMAND_H
#define NETWORK_COMMAND_H

#include "base/sink.h"
#include "network/state.h"

void command_read(struct network *e, int64_t now_ms, struct session *s, const struct frame *f,
	uint8_t rate, struct span commands, struct sink *answers);

/* LinkADRReq, when the device should change. */
void command_adapt(struct network *e, struct session *s, bool device_asks, struct sink *answers);

/* DevStatusReq, now and then. */
void command_ask_status(struct network *e, int64_t now_ms, struct session *s, struct sink *answers);

#endif
