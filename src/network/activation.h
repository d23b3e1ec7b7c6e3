/* SPDX-License-Identifier: Apache-2.0 */
/*
 * activation - from a join-request or rejoin-request to the session it makes.
 *
 *   first copy --> ASKED --answer--> ANSWERED --window over--> session, join-accept sent
 *                    |___window over___^   (either may come first)
 *                    |__refused, or no answer in time__> gone
 *
 *   Source     LoRaWAN 1.0.4 and 1.1 section 6.2; TS002 section 8.
 *   Rule       the JS is asked at the first copy, while other gateways are still collected. No
 *              session before its Success.
 *   Rejoin     types 0 and 2 count when one of our 1.1 sessions signed them (SNwkSIntKey), and
 *              its JoinEUI says whom to ask; type 1 names its JoinEUI, and the JS checks it.
 *              1.1 section 6.2.4.
 *   Bounds     joins_max at a time, a quarter of them from one address; a join-request beyond
 *              them is dropped and the device tries again.
 */
#ifndef NETWORK_ACTIVATION_H
#define NETWORK_ACTIVATION_H

#include "network/state.h"

void activation_ask(struct network *e, int64_t now_ms, struct frame *f);
void activation_collected(struct network *e, int64_t now_ms, const struct frame *f);
void activation_answered(struct network *e, int64_t now_ms, uint32_t id,
	const struct joining_ans *ans, const char *why);
void activation_expired(struct network *e, int64_t now_ms, struct activation *a);

#endif
