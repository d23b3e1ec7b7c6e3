/* SPDX-License-Identifier: Apache-2.0 */
/*
 * xmit - XmitDataReq and XmitDataAns: a frame's payload on its way between servers.
 *
 *   Source     TS002-1.0.0 sections 11, 15; TS002-1.1.0 sections 11, 23.
 *   House      no standard joins a Network Server to an Application Server; ours do it with
 *              this message, in the standard's words:
 *
 *   NS --XmitDataReq--> AS  an uplink. SenderID NetID, ReceiverID AS-ID; FRMPayload as heard,
 *                           encrypted; ULMetaData with DevEUI, DevAddr, FPort, FCntUp, FCntDown
 *                           (the next downlink counter: encrypt for it), Confirmed, DataRate,
 *                           ULFreq, RecvTime, RFRegion, GWCnt, GWInfo[] with the gateway's full
 *                           ID; and beside it ADR, JoinEUI, SessionKeyID and MACVersion, so an
 *                           AS that meets the session first knows whom to ask for its key.
 *   AS --XmitDataReq--> NS  a downlink. SenderID AS-ID, ReceiverID NetID; FRMPayload encrypted
 *                           by the AS; DLMetaData with DevEUI, FPort, FCntDown (the counter it
 *                           is encrypted for), Confirmed, ClassMode "A".
 *   NS --XmitDataAns--> AS  Success: queued. XmitFailed with FCntDown: the AS encrypted for a
 *                           stale counter; FCntDown is the one expected.
 *
 *   What came of the downlink is told by DLStatusReq: dlstatus.h.
 *   Ownership  values, but tokens in the metadata borrow from the document.
 *   Errors     ERR_FORMAT with words; *out only on success.
 */
#ifndef BACKEND_XMIT_H
#define BACKEND_XMIT_H

#include "backend/joining.h"
#include "backend/metadata.h"

struct xmit_req {
	/* One of the two payloads, which may be empty when the frame carried none. */
	bool has_phy, has_frm;
	uint8_t payload[LORAWAN_PHY_MAX];
	size_t payload_n;
	/* One of the two metadata. */
	bool has_up, has_down;
	struct metadata_up up;
	struct metadata_down down;
	/* Of the house, beside ULMetaData. */
	bool has_join_eui, has_mac_version, has_adr;
	bool adr; /* the frame's ADR bit */
	uint64_t join_eui;
	enum version mac_version;
	struct joining_session session_key_id;
};

struct xmit_ans {
	struct result result;
	bool has_dl_freq1, has_dl_freq2;
	double dl_freq1, dl_freq2; /* MHz */
	bool has_f_cnt_down;       /* of the house */
	uint32_t f_cnt_down;
};

int xmit_read_req(const struct doc *root, struct xmit_req *out, struct err *err);
bool xmit_write_req(struct buf *out, const struct header *h, const struct xmit_req *r);
int xmit_read_ans(const struct doc *root, struct xmit_ans *out, struct err *err);
bool xmit_write_ans(struct buf *out, const struct header *h, const struct xmit_ans *a);

#endif
