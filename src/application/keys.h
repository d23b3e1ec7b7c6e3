/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keys - sessions whose AppSKey is not here yet, and the uplinks that wait for it.
 *
 *   Source     TS002 AppSKeyReq. A key is asked for once per session, however many uplinks
 *              wait; a refusal holds for cool_ms, so no NS makes us hammer a Join Server.
 *   Rule       a key this device has had under another SessionKeyID is refused: its downlink
 *              counters are spent.
 */
#ifndef APPLICATION_KEYS_H
#define APPLICATION_KEYS_H

#include "application/engine.h"

/* Holds the uplink of j until its key is here, or refuses it. */
void keys_hold(struct application *a, struct job *j, int64_t now_ms);
void keys_answer(struct application *a, uint64_t dev_eui, const struct session_id *session,
	enum application_key verdict, const uint8_t key[16], int64_t now_ms);

/* What a new session's work looks like, and what its end means. */
void keys_prepare_adopt(struct application *a, struct job *j, int64_t wall_ms,
	struct application_work *out);
void keys_adopted(struct application *a, struct job *j, bool ok, int64_t now_ms);

/* First octets of AES(key, 0): tells keys apart, says nothing about them. */
int keys_check(struct application *a, const uint8_t key[16], uint64_t *out);

void keys_tick(struct application *a, int64_t now_ms);
int64_t keys_deadline(const struct application *a);
void keys_done(struct application *a);

#endif
