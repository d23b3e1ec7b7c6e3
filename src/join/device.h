/* SPDX-License-Identifier: Apache-2.0 */
/*
 * device - what the Join Server knows of a device: provisioned once, and moved by each join.
 *
 *   Source     LoRaWAN 1.0.4 and 1.1 chapter 6; TS002 section 8.
 *   Keys       1.0.x: app_key alone, the root of everything ("AppKey"; some servers store it
 *              in a field called NwkKey). 1.1: nwk_key and app_key.
 *   Rule       join_nonce only ever rises, also when nonces are flushed or the device is
 *              removed and added again.
 *   Ownership  values; device_wipe before they go out of scope.
 *   Errors     ERR_ARG with words.
 */
#ifndef JOIN_DEVICE_H
#define JOIN_DEVICE_H

#include "core/err.h"
#include "join/nonces.h"
#include "lorawan/types.h"
#include "lorawan/version.h"

#define DEVICE_NAME_MAX    128 /* each with the final zero */
#define DEVICE_URL_MAX     256
#define DEVICE_AS_ID_MAX   256
#define DEVICE_LABEL_MAX   65
#define DEVICE_NET_IDS_MAX 8
#define DEVICE_SESSIONS    10 /* the last ones, kept for AppSKeyReq */
#define DEVICE_SESSION_ID  16 /* octets */

/* How a DevNonce is judged. */
enum device_nonce_rule {
	DEVICE_NONCE_BY_VERSION,   /* UNUSED up to 1.0.3, RISING from 1.0.4 */
	DEVICE_NONCE_UNUSED,       /* never the same twice */
	DEVICE_NONCE_RISING,       /* greater than the last; the first is free */
	DEVICE_NONCE_INSECURE_ANY, /* a device that forgets its counter; replay is possible */
};

struct device {
	/* Provisioned. */
	uint64_t dev_eui;
	uint64_t join_eui;
	enum version version;
	char name[DEVICE_NAME_MAX];
	uint8_t app_key[LORAWAN_KEY_OCTETS];
	uint8_t nwk_key[LORAWAN_KEY_OCTETS];  /* 1.1 only; zero otherwise */
	uint32_t net_ids[DEVICE_NET_IDS_MAX]; /* networks that may ask; the first is home */
	unsigned net_ids_n;
	char application_server[DEVICE_URL_MAX]; /* told to the network; "" when there is none */
	char as_id[DEVICE_AS_ID_MAX];            /* who may fetch the AppSKey; "" for nobody */
	char ns_kek_label[DEVICE_LABEL_MAX];     /* "" for the network's own */
	char as_kek_label[DEVICE_LABEL_MAX];     /* "" for the AS's own */
	enum device_nonce_rule nonce_rule;
	/* Moved by joins. */
	uint32_t join_nonce; /* the last one given; 0 before the first */
	int32_t dev_nonce;   /* RISING: the last accepted; it and all below are used; -1: none */
	int32_t rj_count1;   /* the last accepted; -1 when none */
	struct nonces used;  /* accepted by the other rules */
};

struct device_session {
	uint8_t id[DEVICE_SESSION_ID]; /* SessionKeyID */
	uint32_t join_nonce;
	uint16_t nonce; /* DevNonce or RJcount it began with; not on disk */
	uint32_t net_id;
	uint32_t dev_addr;
	uint8_t app_s_key[LORAWAN_KEY_OCTETS];
	uint8_t s_nwk_s_int_key[LORAWAN_KEY_OCTETS]; /* for the MIC of rejoins 0 and 2; zero in 1.0
						      */
	bool is_1_1;
	int32_t rj_count0; /* the last accepted in this session; -1 when none */
};

/* The rule that holds for d, never BY_VERSION. */
enum device_nonce_rule device_nonce_rule(const struct device *d);
/* "by-version", "unused", "rising", "insecure-any". */
const char *device_nonce_rule_word(enum device_nonce_rule rule);
int device_nonce_rule_read(const char *word, enum device_nonce_rule *out);

/* What a record must have before it is stored. */
int device_check(const struct device *d, struct err *err);
bool device_allows_net_id(const struct device *d, uint32_t net_id);
/* AS-IDs are compared without case, as they may be DNS names. */
bool device_allows_as_id(const struct device *d, const char *as_id);

void device_wipe(struct device *d);
void device_wipe_session(struct device_session *s);

#endif
