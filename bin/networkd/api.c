/* SPDX-License-Identifier: Apache-2.0 */
#include "networkd/api.h"

#include <stdio.h>
#include <string.h>

#include "program/log.h"
#include "json/doc.h"

static void answer(struct http_exchange *x, const struct header *asked, const struct xmit_ans *ans)
{
	struct buf body = { .limit = SERVER_BODY_MAX };
	struct header h;

	header_answer(asked, &h);
	if (h.type == HEADER_UNKNOWN) {
		http_server_answer(x, 400, NULL, (struct span){ (const uint8_t *)"{}", 2 });
		return;
	}
	if (h.type == HEADER_XMIT_DATA_ANS ? xmit_write_ans(&body, &h, ans)
					   : dlstatus_write_ans(&body, &h, &ans->result))
		http_server_answer(x, 200, NULL, buf_span(&body));
	else
		http_server_answer(x, 500, NULL, (struct span){ (const uint8_t *)"{}", 2 });
	buf_done(&body);
}

static enum result_code code_of(enum network_downlink_verdict v)
{
	switch (v) {
	case NETWORK_DOWNLINK_QUEUED: return RESULT_SUCCESS;
	case NETWORK_DOWNLINK_UNKNOWN:
	case NETWORK_DOWNLINK_FOREIGN: return RESULT_UNKNOWN_DEV_EUI;
	case NETWORK_DOWNLINK_SESSION:
	case NETWORK_DOWNLINK_STALE:
	case NETWORK_DOWNLINK_FULL: return RESULT_XMIT_FAILED;
	case NETWORK_DOWNLINK_PORT: return RESULT_INVALID_F_PORT;
	case NETWORK_DOWNLINK_SIZE: return RESULT_FRAME_SIZE_ERROR;
	}
	return RESULT_OTHER;
}

/* A downlink we understand: has everything that must be there. */
static bool is_whole(const struct xmit_req *r)
{
	return r->has_frm && r->has_down && r->down.has_dev_eui && r->down.has_f_port &&
		r->down.has_f_cnt_down;
}

static void queue(struct server *s, const struct http_exchange *x, const struct header *h,
	const struct xmit_req *r, struct xmit_ans *ans)
{
	struct session_item item = { .f_cnt = r->down.f_cnt_down,
		.f_port = r->down.f_port,
		.confirmed = r->down.has_confirmed && r->down.confirmed };
	const struct network_downlink d = { h->sender_id, r->down.dev_eui, &r->session_key_id,
		&item };
	enum network_downlink_verdict v = NETWORK_DOWNLINK_SIZE;
	uint32_t expected = 0;

	if (r->payload_n <= sizeof(item.payload)) {
		item.n = (uint8_t)r->payload_n;
		memcpy(item.payload, r->payload, r->payload_n);
		v = network_downlink(s->engine, server_now(), &d, &expected);
	}
	ans->result.code = code_of(v);
	snprintf(ans->result.description, sizeof(ans->result.description), "%s",
		v == NETWORK_DOWNLINK_FOREIGN ? network_downlink_word(NETWORK_DOWNLINK_UNKNOWN)
					      : network_downlink_word(v));
	if (v == NETWORK_DOWNLINK_STALE) {
		ans->has_f_cnt_down = true;
		ans->f_cnt_down = expected;
	}
	if (v != NETWORK_DOWNLINK_QUEUED)
		log_warning("downlink.refused",
			"as_id=%s dev_eui=%016llx f_cnt_down=%u from=%s reason=%s",
			log_value(h->sender_id), (unsigned long long)r->down.dev_eui, item.f_cnt,
			x->address, network_downlink_word(v));
}

/* Everything about the sender that must hold before its message is looked at. */
static enum result_code judge_sender(const struct server *s, const struct http_exchange *x,
	const struct header *h)
{
	uint32_t net_id;

	if (!server_grants(s, x->peer, h->sender_id))
		return RESULT_UNKNOWN_SENDER;
	if (!header_net_id(h->receiver_id, &net_id) || net_id != s->net_id)
		return RESULT_UNKNOWN_RECEIVER;
	if (h->type != HEADER_XMIT_DATA_REQ)
		return RESULT_MALFORMED_MESSAGE;
	return RESULT_SUCCESS;
}

void api_handle(void *arg, struct http_exchange *x)
{
	struct server *s = arg;
	struct xmit_ans ans = { 0 };
	struct doc *root = NULL;
	struct xmit_req req;
	struct header h;
	struct err err;
	char peer[512];

	if (strcmp(x->method, "POST") != 0) {
		http_server_answer(x, 405, NULL, (struct span){ (const uint8_t *)"{}", 2 });
		return;
	}
	if (doc_read(x->body, &root, &err) < 0 || header_read(root, &h, &err) < 0) {
		log_warning("api.malformed", "from=%s reason=%s", x->address, log_value(err.msg));
		http_server_answer(x, 400, NULL, (struct span){ (const uint8_t *)"{}", 2 });
		doc_free(root);
		return;
	}
	ans.result.code = judge_sender(s, x, &h);
	if (ans.result.code == RESULT_SUCCESS && xmit_read_req(root, &req, &err) < 0) {
		ans.result.code = RESULT_MALFORMED_MESSAGE;
		snprintf(ans.result.description, sizeof(ans.result.description), "%.190s", err.msg);
	} else if (ans.result.code == RESULT_SUCCESS && !is_whole(&req)) {
		ans.result.code = RESULT_MALFORMED_MESSAGE;
	} else if (ans.result.code == RESULT_SUCCESS) {
		queue(s, x, &h, &req, &ans);
	}
	log_info("backend.request",
		"message_type=%s sender_id=%s receiver_id=%s transaction_id=%llu peer=%s from=%s "
		"result_code=%s",
		h.type_word, log_value(h.sender_id), log_value(h.receiver_id),
		(unsigned long long)h.transaction_id,
		log_value(server_peer_words(x->peer, peer, sizeof(peer))), x->address,
		result_word(ans.result.code, true));
	answer(x, &h, &ans);
	doc_free(root);
}
