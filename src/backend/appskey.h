/* SPDX-License-Identifier: Apache-2.0 */
/*
 * appskey - AppSKeyReq and AppSKeyAns: an Application Server fetches the key of its session.
 *
 *   Source     TS002-1.0.0 sections 9 and 15; TS002-1.1.0 sections 9 and 23. SenderID is the
 *              AS-ID, ReceiverID the JoinEUI.
 *   Ownership  values; wipe the answer: envelope_wipe(&a.app_s_key).
 *   Errors     ERR_FORMAT with words; *out only on success.
 */
#ifndef BACKEND_APPSKEY_H
#define BACKEND_APPSKEY_H

#include "backend/joining.h"

struct appskey_req {
	uint64_t dev_eui;
	struct joining_session session_key_id;
};

struct appskey_ans {
	struct result result;
	/* The rest is there on success only. */
	uint64_t dev_eui;
	struct envelope app_s_key;
	struct joining_session session_key_id;
};

int appskey_read_req(const struct doc *root, struct appskey_req *out, struct err *err);
bool appskey_write_req(struct buf *out, const struct header *h, const struct appskey_req *r);
int appskey_read_ans(const struct doc *root, struct appskey_ans *out, struct err *err);
bool appskey_write_ans(struct buf *out, const struct header *h, const struct appskey_ans *a);

#endif
