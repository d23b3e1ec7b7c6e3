/* SPDX-License-Identifier: Apache-2.0 */
/*
 * joining - JoinReq and JoinAns, RejoinReq and RejoinAns.
 *
 *   NS --JoinReq--> JS:   the frame as heard, and what the network wants in the answer
 *   NS <--JoinAns-- JS:   the join-accept ready for the air, and the network's session keys
 *
 *   Source     TS002-1.0.0 sections 8, 15; TS002-1.1.0 sections 8, 23.
 *   House      JoinAns may carry where the device's Application Server is, for a network that
 *              has never heard of it:
 *                "VSExtension":{"VendorID":"000000","Object":{"Sardane":{
 *                  "ApplicationServer":"https://as.b.example:8005","ASID":"as.b.example"}}}
 *              Other software ignores it.
 *   Ownership  values; joining_wipe_ans after use, for its keys.
 *   Errors     ERR_FORMAT with words; *out only on success.
 */
#ifndef BACKEND_JOINING_H
#define BACKEND_JOINING_H

#include "backend/envelope.h"
#include "backend/header.h"
#include "backend/result.h"
#include "lorawan/cflist.h"
#include "lorawan/types.h"
#include "lorawan/version.h"

#define JOINING_SESSION_MAX 32 /* octets of a SessionKeyID; ours have 16 */
#define JOINING_URL_MAX     256
#define JOINING_PHY_MAX     33 /* a join-accept with CFList */

struct joining_req {
	enum version mac_version;
	uint8_t phy_payload[LORAWAN_PHY_MAX];
	size_t phy_n;
	uint64_t dev_eui;
	uint32_t dev_addr;
	uint8_t dl_settings;
	uint8_t rx_delay; /* seconds, 0 to 15 */
	uint8_t cflist[CFLIST_OCTETS];
	bool has_cflist;
};

struct joining_session {
	uint8_t octets[JOINING_SESSION_MAX];
	size_t n; /* 0 when there is none */
};

struct joining_ans {
	struct result result;
	/* The rest is there on success only. */
	uint8_t phy_payload[JOINING_PHY_MAX];
	size_t phy_n;
	uint32_t lifetime;         /* seconds; 0 for ever */
	struct envelope nwk_s_key; /* 1.0: this one alone; 1.1: the next three */
	struct envelope s_nwk_s_int_key;
	struct envelope f_nwk_s_int_key;
	struct envelope nwk_s_enc_key;
	struct envelope app_s_key; /* usually empty: the AS asks for it */
	struct joining_session session_key_id;
	char application_server[JOINING_URL_MAX]; /* of the house; "" when not told */
	char as_id[HEADER_ID_MAX];
};

/* h says JoinReq or RejoinReq; short_version: "1.0" and "1.1", for peers that know only those. */
int joining_read_req(const struct doc *root, struct joining_req *out, struct err *err);
bool joining_write_req(struct buf *out, const struct header *h, const struct joining_req *r,
	bool short_version);

int joining_read_ans(const struct doc *root, struct joining_ans *out, struct err *err);
bool joining_write_ans(struct buf *out, const struct header *h, const struct joining_ans *a);
void joining_wipe_ans(struct joining_ans *a);

/* The member "SessionKeyID", hexadecimal. */
bool joining_read_session(struct fields *f, enum fields_need need, struct joining_session *out);
void joining_write_session(struct writer *w, const struct joining_session *s);

/* The member "MACVersion". */
bool joining_read_version(struct fields *f, enum fields_need need, enum version *out);

#endif
