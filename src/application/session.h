/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session - one session of one device: its AppSKey, the uplinks taken, the downlink
 * counters spent.
 *
 *   Source     LoRaWAN 1.0.3 section 4.3, LoRaWAN 1.1 section 4.3: the payload is encrypted in
 *              counter mode, so a counter used twice under one AppSKey gives the payloads
 *              away. The window is that of RFC 4303 section 3.4.3.
 *   Rule       every FCntDown below down_floor is spent: no plaintext but the one it was
 *              spent for is ever encrypted with it.
 *   Units      counters of 32 bits; down_floor reaches 2^32 when none is left.
 *   Ownership  a value; session_wipe before its memory goes.
 */
#ifndef APPLICATION_SESSION_H
#define APPLICATION_SESSION_H

#include "base/cursor.h"

#define SESSION_ID_MAX 64
#define SESSION_WINDOW 64

/* SessionKeyID; n is 0 for a device activated by personalisation. */
struct session_id {
	uint8_t n;
	uint8_t octets[SESSION_ID_MAX];
};

struct session {
	uint64_t dev_eui;
	struct session_id id;
	uint32_t net_id; /* of the NS that brought it; no other may speak for it */
	uint32_t dev_addr;
	uint8_t app_s_key[16];
	uint64_t key_check;                 /* tells keys apart once the key is wiped */
	bool up_any;                        /* an uplink was taken */
	uint32_t up_last;                   /* the highest FCntUp taken */
	uint64_t up_window;                 /* bit i: up_last - i was taken */
	uint32_t up_digest[SESSION_WINDOW]; /* of the frames taken, by FCntUp modulo the window */
	uint64_t down_floor;
};

enum session_uplink {
	SESSION_NEW,    /* not taken before */
	SESSION_AGAIN,  /* the very frame that was taken: the NS missed our answer */
	SESSION_REPLAY, /* its counter was taken by another frame */
	SESSION_OLD,    /* behind the window: nobody can tell */
};

bool session_id_equal(const struct session_id *a, const struct session_id *b);
/* ERR_FORMAT when it is longer than SESSION_ID_MAX. */
int session_id_of(struct span octets, struct session_id *out);

enum session_uplink session_see(const struct session *s, uint32_t f_cnt, uint32_t digest);
/* Only what session_see called new. */
void session_take(struct session *s, uint32_t f_cnt, uint32_t digest);

/* Tells one frame from another; no secret, no protection. */
uint32_t session_digest(struct span frame);

void session_wipe(struct session *s);

#endif
