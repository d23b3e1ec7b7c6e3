/* SPDX-License-Identifier: Apache-2.0 */
/*
 * transmission - one downlink on its way: what it carries, through which gateway, in
 * which window, and what became of it.
 *
 *   WAITING --due--> RX1 --TX_ACK NONE--> gone
 *      |             |--TX_ACK error, or too late for RX1--> RX2 --> gone
 *      |______ nothing to say ______> gone
 *
 *   WAITING    the AS may still answer the uplink; then one frame carries its payload, the
 *              acknowledgement and the MAC answers together.
 *   Source     LoRaWAN 1.0.4 section 3.3 (class A windows), Semtech UDP: tmst modulo 2^32.
 *   Counters   spent, and saved, before the frame is sent. A confirmed payload that the device
 *              did not acknowledge is sent again with its own counter: the AS encrypted it for
 *              that one.
 *   Failure    a v2 gateway that does not acknowledge within a second of RX2 counts as one
 *              that did not send. A v1 gateway never acknowledges: its frames count as sent.
 */
#ifndef NETWORK_TRANSMISSION_H
#define NETWORK_TRANSMISSION_H

#include "network/state.h"

/* What the uplink asks for. */
struct transmission_wish {
	const struct frame *frame;
	uint8_t rate;
	uint32_t f_cnt;
	bool ack, reply;
	uint8_t mac_n;
	uint8_t mac[LORAWAN_FOPTS_MAX];
};

/* After an accepted uplink: waits for the AS, then answers if there is anything to say. */
void transmission_begin(struct network *e, int64_t now_ms, const struct session *s,
	const struct transmission_wish *wish);

/* A join-accept, encrypted by the JS. */
void transmission_accept(struct network *e, int64_t now_ms, const struct session *s,
	const struct frame *f, struct span phy);

void transmission_due(struct network *e, int64_t now_ms, struct transmission *t);
void transmission_acknowledged(struct network *e, int64_t now_ms,
	const struct gateway_address *from, const struct gwmp *m);

/* An uplink came: did it acknowledge the confirmed downlink before it? */
void transmission_heard(struct network *e, struct session *s, bool ack);

/* next takes the stead of its device's active session: what waits in that one has expired. */
void transmission_retire(struct network *e, const struct session *next);

enum network_downlink_verdict transmission_queue(struct network *e, int64_t now_ms,
	const struct network_downlink *d, uint32_t *expected);

#endif
