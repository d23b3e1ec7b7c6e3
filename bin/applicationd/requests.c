/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "applicationd/server.h"
#include "net/verdict.h"
#include "program/log.h"

/* A request that waits: for the binding of its sender, then for the engine. */
struct request {
	struct server *server;
	struct http_exchange *x;
	struct header asked;
	uint64_t dev_eui; /* for the log */
	uint32_t f_cnt;
	int64_t since;
};

static void send_body(struct http_exchange *x, unsigned status, struct buf *body)
{
	static const char none[] = "{}";

	if (buf_ok(body))
		http_server_answer(x, status, NULL, buf_span(body));
	else
		http_server_answer(x, 500, NULL, (struct span){ (const uint8_t *)none, 2 });
	buf_done(body);
}

/* Result, in the answer that belongs to the request; frees it. */
static void answer(struct request *r, const struct result *result)
{
	struct xmit_ans ans = { .result = *result };
	struct buf body = { 0 };
	struct header h;

	header_answer(&r->asked, &h);
	if (r->asked.type == HEADER_XMIT_DATA_REQ)
		xmit_write_ans(&body, &h, &ans);
	else
		dlstatus_write_ans(&body, &h, result);
	send_body(r->x, 200, &body);
	free(r);
}

static void refuse(struct request *r, enum result_code code, const char *words)
{
	struct result result = { .code = code };

	log_warning("request.refused", "sender=%s type=%s result=%s reason=%s from=%s %s",
		log_value(r->asked.sender_id), log_value(r->asked.type_word),
		result_word(code, true), log_value(words), r->x->address,
		verdict_words(r->x->peer));
	snprintf(result.description, sizeof(result.description), "%s", words);
	answer(r, &result);
}

void server_answer_uplink(struct server *s, uint64_t ticket, enum uplink_verdict verdict)
{
	struct request *r = (struct request *)(uintptr_t)ticket;
	struct result result;

	(void)s;
	talk_verdict(verdict, &result);
	if (verdict == UPLINK_TAKEN || verdict == UPLINK_AGAIN)
		log_info("uplink.take",
			"dev_eui=%016" PRIx64 " f_cnt=%u net_id=%s verdict=%s took_ms=%d %s",
			r->dev_eui, r->f_cnt, log_value(r->asked.sender_id), uplink_word(verdict),
			(int)(server_now(r->server) - r->since), verdict_words(r->x->peer));
	else
		log_warning("uplink.refuse",
			"dev_eui=%016" PRIx64 " f_cnt=%u net_id=%s verdict=%s took_ms=%d %s",
			r->dev_eui, r->f_cnt, log_value(r->asked.sender_id), uplink_word(verdict),
			(int)(server_now(r->server) - r->since), verdict_words(r->x->peer));
	answer(r, &result);
}

void server_answer_report(struct server *s, uint64_t ticket, bool kept)
{
	struct request *r = (struct request *)(uintptr_t)ticket;
	const struct result result = { .code = kept ? RESULT_SUCCESS : RESULT_DEFERRED };

	(void)s;
	log_info("downlink.report", "dev_eui=%016" PRIx64 " f_cnt=%u net_id=%s kept=%d", r->dev_eui,
		r->f_cnt, log_value(r->asked.sender_id), kept);
	answer(r, &result);
}

static void take_uplink(struct request *r, const struct doc *root)
{
	struct server *s = r->server;
	struct xmit_req req;
	struct uplink u;
	struct err err = { 0 };

	if (xmit_read_req(root, &req, &err) < 0 || talk_uplink(&r->asked, &req, &u, &err) < 0) {
		refuse(r, RESULT_MALFORMED_MESSAGE, err.msg);
		return;
	}
	r->dev_eui = u.dev_eui;
	r->f_cnt = u.f_cnt;
	if (s->stopping || application_uplink(s->app, &u, (uintptr_t)r, server_now(s)) < 0)
		refuse(r, RESULT_DEFERRED, "busy");
}

static void take_report(struct request *r, const struct doc *root)
{
	struct server *s = r->server;
	struct application_report report;
	struct dlstatus_req req;
	struct err err = { 0 };

	if (dlstatus_read_req(root, &req, &err) < 0 ||
		talk_report(&r->asked, &req, &report, &err) < 0) {
		refuse(r, RESULT_MALFORMED_MESSAGE, err.msg);
		return;
	}
	r->dev_eui = req.dev_eui;
	r->f_cnt = req.f_cnt_down;
	if (application_report(s->app, &report, (uintptr_t)r) < 0)
		refuse(r, RESULT_DEFERRED, "busy");
}

/* The sender is who it says; now the message itself. */
static void take(struct request *r)
{
	struct server *s = r->server;
	struct doc *root = NULL;
	struct err err = { 0 };

	if (doc_read(r->x->body, &root, &err) < 0) {
		refuse(r, RESULT_MALFORMED_MESSAGE, err.msg);
		return;
	}
	if (r->asked.type == HEADER_XMIT_DATA_REQ)
		take_uplink(r, root);
	else
		take_report(r, root);
	doc_free(root);
	server_turn(s);
}

static void bound(void *arg, enum binding_verdict verdict, const char *words)
{
	struct request *r = arg;

	switch (verdict) {
	case BINDING_GRANTED: take(r); break;
	case BINDING_REFUSED: refuse(r, RESULT_UNKNOWN_SENDER, words); break;
	case BINDING_UNKNOWN: refuse(r, RESULT_DEFERRED, words); break;
	}
}

/* Not a message of ours at all: 4xx is for that, and only for that. */
static void not_ours(struct http_exchange *x, unsigned status, const char *words)
{
	struct buf body = { 0 };

	log_warning("request.malformed", "status=%u reason=%s from=%s %s", status, log_value(words),
		x->address, verdict_words(x->peer));
	buf_printf(&body, "{\"Result\":{\"ResultCode\":\"MalformedRequest\"}}");
	send_body(x, status, &body);
}

static int header_of(struct span body, struct header *out, struct err *err)
{
	struct doc *root = NULL;
	int rc = doc_read(body, &root, err);

	if (rc < 0)
		return rc;
	rc = header_read(root, out, err);
	doc_free(root);
	return rc;
}

void server_request(void *arg, struct http_exchange *x)
{
	struct server *s = arg;
	struct request *r;
	struct err err = { 0 };
	struct header h;

	if (strcmp(x->method, "POST") != 0) {
		not_ours(x, 405, "not a POST");
		return;
	}
	if (header_of(x->body, &h, &err) < 0) {
		not_ours(x, 400, err.msg);
		return;
	}
	r = calloc(1, sizeof(*r));
	if (!r) {
		not_ours(x, 503, "no memory");
		return;
	}
	*r = (struct request){ .server = s, .x = x, .asked = h, .since = server_now(s) };
	if (strcasecmp(h.receiver_id, s->settings->as_id) != 0)
		refuse(r, RESULT_UNKNOWN_RECEIVER, "ReceiverID is not this server's as_id");
	else if (h.type != HEADER_XMIT_DATA_REQ && h.type != HEADER_DL_STATUS_REQ)
		refuse(r, RESULT_MALFORMED_MESSAGE, "MessageType is not for an application server");
	else if (!s->binding)
		take(r);
	else
		binding_check(s->binding, BINDING_NET_ID, h.sender_id, x->peer, bound, r);
}
