/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dlstatus - DLStatusReq and DLStatusAns: what became of a downlink. The house's own.
 *
 *   NS --DLStatusReq--> AS   DevEUI, FCntDown, Status
 *   NS <--DLStatusAns-- AS   Result
 *
 *   Status     "sent"    a gateway put it on the air
 *              "acked"   confirmed, and the device acknowledged it
 *              "nacked"  confirmed, and the device's next uplink did not
 *              "failed"  no gateway could send it
 *              "expired" the session ended, or it waited too long
 *   Errors     ERR_FORMAT with words; *out only on success.
 */
#ifndef BACKEND_DLSTATUS_H
#define BACKEND_DLSTATUS_H

#include "backend/header.h"
#include "backend/result.h"

enum dlstatus {
	DLSTATUS_SENT,
	DLSTATUS_ACKED,
	DLSTATUS_NACKED,
	DLSTATUS_FAILED,
	DLSTATUS_EXPIRED,
};

struct dlstatus_req {
	uint64_t dev_eui;
	uint32_t f_cnt_down;
	enum dlstatus status;
};

int dlstatus_read_req(const struct doc *root, struct dlstatus_req *out, struct err *err);
bool dlstatus_write_req(struct buf *out, const struct header *h, const struct dlstatus_req *r);
const char *dlstatus_word(enum dlstatus status);

/* An answer that is a Result and nothing else: DLStatusAns, and any refusal. */
int dlstatus_read_ans(const struct doc *root, struct result *out, struct err *err);
bool dlstatus_write_ans(struct buf *out, const struct header *h, const struct result *r);

#endif
