/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reception - whose a data frame is, and whether it may count.
 *
 *   DevAddr --> every session with it --> counter of 32 bits --> MIC --> TAKEN
 *
 *   Source     LoRaWAN 1.0.4 section 4.3.1.5, 1.1 sections 4.3 and 4.4.
 *   Rule       a counter counts once. The very last frame again, if confirmed, is answered
 *              again but not handed on: the device did not hear the acknowledgement.
 *   Cost       at most two MICs per session with the address.
 */
#ifndef NETWORK_RECEPTION_H
#define NETWORK_RECEPTION_H

#include "network/state.h"

enum reception_verdict {
	RECEPTION_TAKEN,
	RECEPTION_REPEATED, /* the last frame once more */
	RECEPTION_REPLAYED, /* its MIC is right for a counter that was used */
	RECEPTION_BAD_MIC,  /* no session with this address made it */
	RECEPTION_UNKNOWN,  /* no session has this address */
	RECEPTION_MALFORMED,
};

/* A data frame whose window is over: judged, and everything that follows begun. */
enum reception_verdict reception_judge(struct network *e, int64_t now_ms, const struct frame *f);

const char *reception_word(enum reception_verdict v);

#endif
