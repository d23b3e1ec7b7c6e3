/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decide - may this device join, and with what keys. No file, no socket, no clock.
 *
 *   frame sane > JoinEUI and DevEUI are the record's > network allowed > MIC > nonce fresh
 *     > a JoinNonce is left > KEKs there > JoinNonce + 1 > keys > accept
 *
 *   Source     LoRaWAN 1.0.4 section 6.2, 1.1 section 6.2; TS002 sections 8, 9, 12.
 *   Rule       nothing of the device changes unless the verdict is DECIDE_ACCEPT, and then it
 *              must be stored, durably, before the answer leaves.
 *   Keys       1.1 derivation when the device is provisioned as 1.1 and OptNeg is set; else
 *              1.0, for a 1.1 device with its NwkKey as the root.
 *   Rejoin     types 0 and 2: the MIC is SNwkSIntKey's of one of the last sessions, RJcount0
 *              greater than the last in that session (1.1 section 6.2.4.1: it restarts with
 *              each accept the device has heard). Type 1: JSIntKey's, RJcount1 only rises.
 *   Ownership  one decide per thread: it holds two AES schedules. Answers hold keys: wipe.
 *   Errors     ERR_NOMEM, ERR_CRYPTO with words; a refusal is a verdict.
 */
#ifndef JOIN_DECIDE_H
#define JOIN_DECIDE_H

#include "backend/appskey.h"
#include "backend/homens.h"
#include "backend/joining.h"
#include "join/device.h"
#include "join/kek.h"

/* What is done with the AppSKey in a JoinAns. */
enum decide_app_s_key {
	DECIDE_APP_S_KEY_WITHHELD,       /* the AS asks for it by SessionKeyID */
	DECIDE_APP_S_KEY_WRAPPED,        /* under the KEK the network does not have */
	DECIDE_APP_S_KEY_INSECURE_CLEAR, /* the network can read payloads */
};

struct decide_policy {
	const struct kek_set *keks;
	bool kek_required;               /* a session key never leaves in clear */
	enum decide_app_s_key app_s_key; /* in a JoinAns */
	const char *as_kek_label; /* WRAPPED: where a device names none; "" for the AS's own */
	bool strict_version;      /* MACVersion and OptNeg must say the same */
	uint32_t lifetime;        /* seconds, told to the network; 0 for ever */
};

struct decide_join {
	uint64_t join_eui; /* whom the network asked: ReceiverID */
	uint32_t net_id;   /* of the network, which has proved it */
	const struct joining_req *req;
	const uint8_t *session_id; /* DEVICE_SESSION_ID random octets */
};

enum decide_verdict {
	DECIDE_ACCEPT,
	DECIDE_BAD_FRAME,   /* not a join-request (rejoin-request) */
	DECIDE_OTHER_EUI,   /* the frame and the message, or the record, do not agree */
	DECIDE_BAD_VERSION, /* rejoin of a 1.0 device; strict: MACVersion against OptNeg */
	DECIDE_NOT_ALLOWED, /* this network (AS) is not the device's */
	DECIDE_BAD_MIC,
	DECIDE_NONCE_USED,       /* DevNonce was accepted before */
	DECIDE_NONCE_NOT_HIGHER, /* DevNonce or RJcount is not above the last */
	DECIDE_EXHAUSTED,        /* JoinNonce has reached 2^24 - 1 */
	DECIDE_NO_KEK,           /* a KEK that is demanded is not there */
	DECIDE_NO_SESSION,       /* SessionKeyID unknown, or no longer kept */
	DECIDE_NO_HOME,          /* no home network on record */
};

struct decide;

int decide_new(struct decide **out, struct err *err);
void decide_free(struct decide *d);

/*
 * A join-request for this device. On DECIDE_ACCEPT: *device has moved on, *session is the new
 * session, *ans the answer. Otherwise all three are untouched.
 */
int decide_join(struct decide *d, const struct decide_policy *policy, const struct decide_join *q,
	struct device *device, struct device_session *session, struct joining_ans *ans,
	enum decide_verdict *verdict, struct err *err);

/*
 * A rejoin-request. sessions: the kept ones, newest first. On DECIDE_ACCEPT of type 0 or 2
 * *moved is the index of the session whose rj_count0 has moved (to be stored too), else -1.
 */
int decide_rejoin(struct decide *d, const struct decide_policy *policy, const struct decide_join *q,
	struct device *device, struct device_session *sessions, size_t sessions_n,
	struct device_session *session, int *moved, struct joining_ans *ans,
	enum decide_verdict *verdict, struct err *err);

/* The AppSKey of session (NULL: not found) for the AS of this (proven) AS-ID. */
int decide_app_s_key(const struct decide_policy *policy, const struct device *device,
	const struct device_session *session, const char *as_id, struct appskey_ans *ans,
	enum decide_verdict *verdict, struct err *err);

void decide_home_ns(const struct device *device, struct homens_ans *ans,
	enum decide_verdict *verdict);

/* What the peer is told, and the word for the log: "nonce-used". */
enum result_code decide_result(enum decide_verdict verdict);
const char *decide_word(enum decide_verdict verdict);

#endif
