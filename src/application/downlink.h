/* SPDX-License-Identifier: Apache-2.0 */
/*
 * downlink - one payload on its way to a device, and the counter it is encrypted with.
 *
 *   QUEUED --> HANDED --> SENT --> gone     HANDED: the NS has it. SENT: a gateway has sent
 *     ^__________|__________|               it; a confirmed one waits for the device's word
 *
 *   Source     LoRaWAN 1.0.3 section 4.3.3: the key stream is named by AppSKey, direction,
 *              DevAddr and FCntDown. The NS owns the counter (1.0: of all downlinks, 1.1:
 *              AFCntDown) and says in each uplink which comes next.
 *   Rule       downlink_spend decides the counter. A counter is spent before its ciphertext
 *              leaves, for good, and serves again only for the same plaintext of the same
 *              downlink: then it is the same ciphertext.
 *   Ownership  a value; the queue owns its links.
 */
#ifndef APPLICATION_DOWNLINK_H
#define APPLICATION_DOWNLINK_H

#include "application/session.h"

#define DOWNLINK_PAYLOAD_MAX 242 /* octets: EU868 DR4 and above, without FOpts */
#define DOWNLINK_ID_MAX      64  /* characters */

enum downlink_state { DOWNLINK_QUEUED, DOWNLINK_HANDED, DOWNLINK_SENT };

struct downlink {
	struct downlink *next;
	uint64_t number; /* order of arrival, of all devices */
	uint64_t dev_eui;
	char id[DOWNLINK_ID_MAX + 1];
	bool confirmed;
	uint8_t f_port; /* 1 to 223 */
	uint8_t n;
	uint8_t data[DOWNLINK_PAYLOAD_MAX]; /* plaintext */
	enum downlink_state state;
	bool bound; /* f_cnt was spent for it in session */
	struct session_id session;
	uint32_t f_cnt;
	uint8_t tries;      /* times its counter was refused */
	uint8_t failures;   /* times the NS did not answer, in a row */
	uint8_t uplinks;    /* that came since it was handed over or sent */
	int64_t not_before; /* ms; 0: at once */
};

enum downlink_spending {
	DOWNLINK_SPEND_NEW,  /* a counter never used: floor moves above it */
	DOWNLINK_SPEND_SAME, /* the counter it already has: the same ciphertext again */
	DOWNLINK_SPEND_NONE, /* no counter is left in this session */
};

/* next: the FCntDown the NS announced. *f_cnt is written unless NONE. */
enum downlink_spending downlink_spend(const struct session *s, const struct downlink *d,
	uint32_t next, uint32_t *f_cnt);

const char *downlink_word(enum downlink_state state);

#endif
