/* SPDX-License-Identifier: Apache-2.0 */
#include "joind/serve.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/dlstatus.h"
#include "core/buf.h"
#include "dns/name.h"
#include "program/log.h"

#define ANSWER_MAX    8192
#define ANSWER_MOSTLY 1000

/* One request, from handle to answer. */
struct request {
	struct serve *serve;
	struct http_exchange *exchange;
	uint64_t began_ns;
	struct header header; /* of the request */
	char peer[256];       /* the proven name, for logs */
	struct keeper_job job;
};

static unsigned took_ms(const struct request *r)
{
	return (unsigned)((uv_hrtime() - r->began_ns) / 1000000);
}

static void peer_name(const struct peer *peer, char *out, size_t cap)
{
	if (!peer->authenticated || !peer->name.n || name_write_text(&peer->name, out, cap))
		snprintf(out, cap, "-");
}

/* The end of a request: sends the body, wipes it (it may hold keys), forgets the request. */
static void finish(struct request *r, unsigned status, struct buf *body)
{
	static const struct span nothing = { (const uint8_t *)"{}", 2 };

	http_server_answer(r->exchange, buf_ok(body) ? status : 500, NULL,
		buf_ok(body) ? buf_span(body) : nothing);
	if (body->p)
		secret_wipe_octets(body->p, body->cap);
	buf_done(body);
	r->serve->open--;
	secret_wipe_octets(r, sizeof(*r));
	free(r);
}

/* An answer that is a Result and nothing else. */
static void answer_result(struct request *r, enum result_code code, const char *words)
{
	struct buf body = { .limit = ANSWER_MAX };
	struct result result = { .code = code };
	struct header h;

	snprintf(result.description, sizeof(result.description), "%s", words);
	header_answer(&r->header, &h);
	if (!dlstatus_write_ans(&body, &h, &result))
		body.bad = true;
	finish(r, 200, &body);
}

static void refuse(struct request *r, enum result_code code, const char *words)
{
	r->serve->refused++;
	log_warning("request.refuse",
		"type=%s sender=%s receiver=%s name=%s address=%s result=%s reason=%s took_ms=%u",
		log_value(r->header.type_word), log_value(r->header.sender_id),
		log_value(r->header.receiver_id), r->peer, r->exchange->address,
		result_word(code, true), log_value(words), took_ms(r));
	answer_result(r, code, words);
}

/* Not a Backend Interfaces message at all: there is no header to answer with. */
static void refuse_body(struct serve *s, struct http_exchange *x, unsigned status,
	const char *words)
{
	struct buf body = { .limit = ANSWER_MAX };
	struct result result = { .code = RESULT_MALFORMED_MESSAGE };
	struct writer w = writer_into(&body);

	s->refused++;
	log_warning("request.refuse", "address=%s status=%u reason=%s", x->address, status,
		log_value(words));
	snprintf(result.description, sizeof(result.description), "%s", words);
	writer_open(&w, NULL, '{');
	result_write(&w, &result, false);
	writer_close(&w);
	http_server_answer(x, status, NULL, buf_span(&body));
	buf_done(&body);
}

static void log_decided(const struct request *r, const char *what, bool accepted)
{
	const struct keeper_job *job = &r->job;
	char event[32];

	snprintf(event, sizeof(event), "%s.%s", what, accepted ? "accept" : "refuse");
	if (accepted)
		log_info(event,
			"dev_eui=%016llx join_eui=%016llx sender=%s name=%s nonce=%d join_nonce=%u "
			"group=%u took_ms=%u",
			(unsigned long long)job->dev_eui, (unsigned long long)job->join_eui,
			log_value(r->header.sender_id), r->peer, job->nonce, job->join_nonce,
			job->group, took_ms(r));
	else
		log_warning(event,
			"dev_eui=%016llx join_eui=%016llx sender=%s name=%s reason=%s took_ms=%u",
			(unsigned long long)job->dev_eui, (unsigned long long)job->join_eui,
			log_value(r->header.sender_id), r->peer,
			job->known ? decide_word(job->verdict) : "unknown-device", took_ms(r));
}

static bool write_answer(struct request *r, const struct header *h, struct buf *body)
{
	struct keeper_job *job = &r->job;

	switch (job->kind) {
	case KEEPER_JOIN:
	case KEEPER_REJOIN: return joining_write_ans(body, h, &job->join_ans);
	case KEEPER_APP_S_KEY: return appskey_write_ans(body, h, &job->app_s_key_ans);
	case KEEPER_HOME_NS: return homens_write_ans(body, h, &job->home_ns_ans);
	}
	return false;
}

/* On the loop, after the commit. */
static void decided(struct keeper_job *job)
{
	static const char *const kinds[] = { "join", "rejoin", "appskey", "homens" };
	struct request *r = job->user;
	struct buf body = { .limit = ANSWER_MAX };
	struct header h;

	if (job->failed) {
		log_error("request.failed", "dev_eui=%016llx reason=%s",
			(unsigned long long)job->dev_eui, log_value(job->err.msg));
		answer_result(r, RESULT_OTHER, "not now");
		return;
	}
	if (!job->known || job->verdict != DECIDE_ACCEPT) {
		r->serve->refused++;
		log_decided(r, kinds[job->kind], false);
		answer_result(r, job->known ? decide_result(job->verdict) : RESULT_UNKNOWN_DEV_EUI,
			job->known ? decide_word(job->verdict) : "unknown-device");
		return;
	}
	r->serve->accepted++;
	log_decided(r, kinds[job->kind], true);
	header_answer(&r->header, &h);
	buf_reserve(&body, ANSWER_MOSTLY);
	if (!write_answer(r, &h, &body))
		body.bad = true;
	finish(r, 200, &body);
}

/* The sender is who it says. */
static void put(struct request *r)
{
	r->job.done = decided;
	r->job.user = r;
	if (!keeper_put(r->serve->keeper, &r->job))
		refuse(r, RESULT_OTHER, "too many requests are waiting");
}

static void bound(void *arg, enum binding_verdict verdict, const char *words)
{
	struct request *r = arg;

	switch (verdict) {
	case BINDING_GRANTED:
		log_debug("sender.granted", "sender=%s name=%s by=%s",
			log_value(r->header.sender_id), r->peer, log_value(words));
		put(r);
		break;
	case BINDING_REFUSED:
	case BINDING_UNKNOWN: refuse(r, RESULT_UNKNOWN_SENDER, words); break;
	}
}

/* Without TLS there is no name: the id alone must be one a rule grants. */
static bool plain_grants(const struct config_file *file, const struct request *r)
{
	for (unsigned i = 0; i < file->clients_count; i++) {
		const struct policy_rule *rule = &file->clients[i];
		uint32_t net_id;

		if (r->job.kind == KEEPER_APP_S_KEY) {
			if (rule->as_id && strcmp(rule->as_id, r->job.as_id) == 0)
				return true;
		} else if (rule->net_id && header_net_id(rule->net_id, &net_id) &&
			net_id == r->job.net_id) {
			return true;
		}
	}
	return false;
}

static void check_sender(struct request *r)
{
	struct serve *s = r->serve;

	if (s->binding)
		binding_check(s->binding,
			r->job.kind == KEEPER_APP_S_KEY ? BINDING_AS_ID : BINDING_NET_ID,
			r->header.sender_id, r->exchange->peer, bound, r);
	else if (s->config->file->join_server.tls.insecure_plain &&
		plain_grants(s->config->file, r))
		put(r);
	else
		refuse(r, RESULT_UNKNOWN_SENDER, "no rule grants this id");
}

/* The members of the one message asked. */
static int read_message(struct request *r, const struct doc *root, struct err *err)
{
	struct keeper_job *job = &r->job;
	struct homens_req home;
	int rc = ERR_FORMAT;

	switch (job->kind) {
	case KEEPER_JOIN:
	case KEEPER_REJOIN:
		rc = joining_read_req(root, &job->join, err);
		job->dev_eui = job->join.dev_eui;
		break;
	case KEEPER_APP_S_KEY:
		rc = appskey_read_req(root, &job->app_s_key, err);
		job->dev_eui = job->app_s_key.dev_eui;
		break;
	case KEEPER_HOME_NS:
		rc = homens_read_req(root, &home, err);
		if (!rc)
			job->dev_eui = home.dev_eui;
		break;
	}
	return rc;
}

/* Which of our jobs this message is; false when it is none. */
static bool kind_of(enum header_type type, enum keeper_kind *out)
{
	static const struct {
		enum header_type type;
		enum keeper_kind kind;
	} kinds[] = {
		{ HEADER_JOIN_REQ, KEEPER_JOIN },
		{ HEADER_REJOIN_REQ, KEEPER_REJOIN },
		{ HEADER_APP_S_KEY_REQ, KEEPER_APP_S_KEY },
		{ HEADER_HOME_NS_REQ, KEEPER_HOME_NS },
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (kinds[i].type == type) {
			*out = kinds[i].kind;
			return true;
		}
	return false;
}

/* The ids as numbers (an AS-ID as text); false when they cannot be what they must be. */
static bool read_ids(struct request *r, enum result_code *code, const char **words)
{
	struct keeper_job *job = &r->job;

	if (job->kind == KEEPER_APP_S_KEY) {
		memcpy(job->as_id, r->header.sender_id, sizeof(job->as_id));
	} else if (!header_net_id(r->header.sender_id, &job->net_id)) {
		*code = RESULT_UNKNOWN_SENDER;
		*words = "SenderID: not a NetID";
		return false;
	}
	if (!header_eui(r->header.receiver_id, &job->join_eui)) {
		*code = RESULT_UNKNOWN_RECEIVER;
		*words = "ReceiverID: not a JoinEUI";
		return false;
	}
	return true;
}

static void understand(struct request *r, const struct doc *root)
{
	enum result_code code = RESULT_MALFORMED_MESSAGE;
	const char *words = "";
	struct err err = { 0 };

	if (r->header.version == HEADER_VERSION_UNKNOWN)
		refuse(r, RESULT_INVALID_PROTOCOL_VERSION, "ProtocolVersion: need 1.0 or 1.1");
	else if (!kind_of(r->header.type, &r->job.kind))
		refuse(r, RESULT_MALFORMED_MESSAGE, "MessageType: not for a Join Server");
	else if (!read_ids(r, &code, &words))
		refuse(r, code, words);
	else if (read_message(r, root, &err))
		refuse(r, RESULT_MALFORMED_MESSAGE, err.msg);
	else
		check_sender(r);
}

static struct request *request_new(struct serve *s, struct http_exchange *x)
{
	struct request *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->serve = s;
	r->exchange = x;
	r->began_ns = uv_hrtime();
	peer_name(x->peer, r->peer, sizeof(r->peer));
	s->open++;
	return r;
}

void serve_handle(void *arg, struct http_exchange *x)
{
	struct serve *s = arg;
	struct doc *root = NULL;
	struct err err = { 0 };
	struct request *r;
	struct header h;

	if (strcmp(x->method, "POST") != 0) {
		refuse_body(s, x, 405, "need POST");
		return;
	}
	if (doc_read(x->body, &root, &err) || header_read(root, &h, &err)) {
		refuse_body(s, x, err.code == ERR_NOMEM ? 503 : 400, err.msg);
		doc_free(root);
		return;
	}
	r = request_new(s, x);
	if (r) {
		r->header = h;
		understand(r, root);
	} else {
		refuse_body(s, x, 503, "no memory");
	}
	doc_free(root);
}
