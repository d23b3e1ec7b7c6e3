/* SPDX-License-Identifier: Apache-2.0 */
/*
 * result - what came of a request, in the words of Backend Interfaces.
 *
 *   Source     TS002-1.0.0 table 24, TS002-1.1.0 table 26.
 *   Versions   a peer that spoke 1.0 is told only codes of 1.0: an unknown one makes some
 *              servers refuse the whole answer. FrameReplayed becomes JoinReqFailed,
 *              MalformedMessage MalformedRequest, NoAction Other, UnknownReceiver UnkownReceiver
 *              (so spelt in 1.0).
 *   Reading    either spelling, either version; a code not known is RESULT_OTHER.
 */
#ifndef BACKEND_RESULT_H
#define BACKEND_RESULT_H

#include "json/fields.h"
#include "json/writer.h"

enum result_code {
	RESULT_SUCCESS,
	RESULT_MIC_FAILED,
	RESULT_JOIN_REQ_FAILED,
	RESULT_NO_ROAMING_AGREEMENT,
	RESULT_DEV_ROAMING_DISALLOWED,
	RESULT_ROAMING_ACT_DISALLOWED,
	RESULT_ACTIVATION_DISALLOWED,
	RESULT_UNKNOWN_DEV_EUI,
	RESULT_UNKNOWN_DEV_ADDR,
	RESULT_UNKNOWN_SENDER,
	RESULT_UNKNOWN_RECEIVER,
	RESULT_DEFERRED,
	RESULT_XMIT_FAILED,
	RESULT_INVALID_F_PORT,
	RESULT_INVALID_PROTOCOL_VERSION,
	RESULT_STALE_DEVICE_PROFILE,
	RESULT_MALFORMED_MESSAGE, /* MalformedRequest in 1.0 */
	RESULT_FRAME_SIZE_ERROR,
	RESULT_FRAME_REPLAYED, /* 1.1 */
	RESULT_NO_ACTION,      /* 1.1 */
	RESULT_OTHER,
};

#define RESULT_CODES           (RESULT_OTHER + 1)
#define RESULT_DESCRIPTION_MAX 200

struct result {
	enum result_code code;
	char description[RESULT_DESCRIPTION_MAX]; /* "" when there is nothing to add */
};

/* The word for a peer that speaks 1.1, or 1.0. */
const char *result_word(enum result_code code, bool peer_speaks_1_1);
enum result_code result_from_word(const char *word);

/* The member "Result"; an answer without one is refused. A longer description is cut. */
bool result_read(struct fields *f, struct result *out);
void result_write(struct writer *w, const struct result *r, bool peer_speaks_1_1);

#endif
