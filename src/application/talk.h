/* SPDX-License-Identifier: Apache-2.0 */
/*
 * talk - the engine's inputs and works as Backend Interfaces messages, and back.
 *
 *   NS --XmitDataReq (uplink)--> talk_uplink --> struct uplink
 *   NS --DLStatusReq-----------> talk_report --> struct application_report
 *   JS <--AppSKeyReq------------ talk_ask        talk_key <-- AppSKeyAns
 *   NS <--XmitDataReq (downlink) talk_send       talk_handed <-- XmitDataAns
 *
 *   Source     TS002; the NS-AS link of this house: backend/xmit.h, backend/dlstatus.h.
 *   Trust      the NetID in a header counts only once net/binding granted it to the peer.
 *   Answers    Success: told or known; Deferred: send it again; the rest: do not.
 *   Ownership  values; keys are the caller's to wipe.
 *   Errors     ERR_FORMAT with words; outputs only on success.
 */
#ifndef APPLICATION_TALK_H
#define APPLICATION_TALK_H

#include "application/application.h"
#include "backend/dlstatus.h"
#include "backend/xmit.h"
#include "core/secret.h"

/* A key that a Join Server may wrap AppSKeys with. */
struct talk_kek {
	char label[ENVELOPE_LABEL_MAX];
	struct secret key;
};

int talk_uplink(const struct header *h, const struct xmit_req *r, struct uplink *out,
	struct err *err);
int talk_report(const struct header *h, const struct dlstatus_req *r,
	struct application_report *out, struct err *err);

/* What the NS is told about its uplink. */
void talk_verdict(enum uplink_verdict verdict, struct result *out);

/* False: memory. */
bool talk_ask(struct buf *out, const char *as_id, const struct application_ask *ask,
	uint64_t transaction);
bool talk_send(struct buf *out, const char *as_id, const struct application_send *send,
	uint64_t transaction);

/* The answer to ask: GIVEN only when it is about the same device and session, from the
 * JoinEUI asked, and its envelope opens. err has words for the other two. */
enum application_key talk_key(struct span body, const struct application_ask *ask,
	const struct talk_kek *keks, size_t kek_count, uint8_t key[16], struct err *err);

/* *has_next and *next: the counter the NS expects. err has words unless HANDED. */
enum application_handed talk_handed(struct span body, bool *has_next, uint32_t *next,
	struct err *err);

#endif
