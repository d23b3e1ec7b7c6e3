/* SPDX-License-Identifier: Apache-2.0 */
#include "networkd/asking.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/prefix.h"
#include "base/hex.h"
#include "core/secret.h"
#include "crypto/keywrap.h"
#include "crypto/random.h"
#include "lorawan/joinaccept.h"
#include "program/log.h"
#include "json/doc.h"

#define JS_PORT 8003

struct asking {
	struct server *server;
	const char *suffix; /* NULL: no DNS */
};

/* One JoinReq on its way. */
struct ask_js {
	struct asking *asking;
	uint32_t id;
	uint64_t join_eui, dev_eui;
	uint64_t began_ns; /* of uv_hrtime */
	uint32_t transaction;
	bool rejoin;
};

int asking_new(struct server *s, struct asking **out, struct err *err)
{
	const struct settings_join_server *c = &s->settings->join_server;
	struct asking *a = calloc(1, sizeof(*a));

	if (!a)
		return err_set(err, ERR_NOMEM, "join_server: no memory");
	a->server = s;
	a->suffix = c->resolve_join_eui_domain_suffix ? c->resolve_join_eui_domain_suffix
						      : c->resolve_domain_suffix;
	if (c->resolve_join_eui && !*c->resolve_join_eui)
		a->suffix = NULL;
	/* Older configurations begin the suffix with a dot. */
	if (a->suffix && a->suffix[0] == '.')
		a->suffix++;
	*out = a;
	return 0;
}

void asking_free(struct asking *a)
{
	free(a);
}

/* Where to ask, and what the server there wants to be told. False: nowhere. */
static bool route(const struct asking *a, uint64_t join_eui, struct http_target *to,
	const struct settings_join **how)
{
	const struct settings_join_server *c = &a->server->settings->join_server;

	*to = (struct http_target){ .kind = HTTP_TARGET_URL };
	*how = &c->def;
	for (unsigned i = 0; i < c->servers_count; i++)
		if (c->servers[i].join_eui_prefix &&
			prefix_text_holds(c->servers[i].join_eui_prefix, join_eui)) {
			*how = &c->servers[i];
			to->url = c->servers[i].server;
			return true;
		}
	if (a->suffix) {
		*to = (struct http_target){ .kind = HTTP_TARGET_JOIN_EUI,
			.id = join_eui,
			.suffix = a->suffix,
			.port = JS_PORT };
		return true;
	}
	to->url = c->def.server ? c->def.server : c->tls.server;
	return to->url != NULL;
}

/* KEKs are exchanged offline; a label we do not have leaves the envelope wrapped. */
static void unwrap(const struct server *s, struct envelope *e)
{
	const struct settings *c = s->settings;
	uint8_t key[KEYWRAP_KEY_OCTETS];
	bool intact = false;
	size_t n;
	SECRET kek = { 0 };

	if (!e->n || !e->kek_label[0])
		return;
	for (unsigned i = 0; i < c->keks_count; i++) {
		const char *hex = c->keks[i].kek;

		if (strcmp(c->keks[i].label, e->kek_label) != 0)
			continue;
		if (hex_read((struct span){ (const uint8_t *)hex, strlen(hex) }, kek.octets,
			    sizeof(kek.octets), &n) < 0)
			continue;
		kek.n = (uint8_t)n;
		if (keywrap_unwrap(&kek, e->aes_key, key, &intact, NULL) < 0 || !intact)
			continue;
		envelope_wipe(e);
		memcpy(e->aes_key, key, sizeof(key));
		e->n = sizeof(key);
		secret_wipe_octets(key, sizeof(key));
		return;
	}
	log_warning("join.kek", "label=%s reason=\"no such KEK, or it does not open the envelope\"",
		log_value(e->kek_label));
}

static bool may_post_to(const struct server *s, const char *url)
{
	if (strncmp(url, "https://", 8) == 0 || s->settings->application_server.tls.insecure_plain)
		return true;
	log_warning("join.application_server", "url=%s reason=\"not https\"", log_value(url));
	return false;
}

/* The AS of the configuration comes before the one the JoinAns names. */
static void choose_as(struct server *s, uint64_t join_eui, struct joining_ans *ans)
{
	const struct settings_application_server *c = &s->settings->application_server;

	for (unsigned i = 0; i < c->servers_count; i++) {
		if (c->servers[i].join_eui_prefix &&
			!prefix_text_holds(c->servers[i].join_eui_prefix, join_eui))
			continue;
		strcpy(ans->application_server, c->servers[i].server);
		strcpy(ans->as_id, c->servers[i].as_id);
		server_know_as(s, ans->as_id);
		return;
	}
	if (c->accept_from_join_server && !*c->accept_from_join_server)
		ans->application_server[0] = ans->as_id[0] = 0;
	/* An address alone, or an id alone, is of no use; and a foreign server may not point us
	 * at plain services of our own network. */
	if (!ans->application_server[0] || !ans->as_id[0] ||
		!may_post_to(s, ans->application_server))
		ans->application_server[0] = ans->as_id[0] = 0;
	else
		server_know_as(s, ans->as_id);
}

/* NULL, or why this answer does not count. */
static const char *read_answer(const struct ask_js *q, struct span body, struct joining_ans *ans,
	char *why, size_t cap)
{
	const struct server *s = q->asking->server;
	struct doc *root = NULL;
	struct header h;
	struct err err;
	uint64_t eui;
	uint32_t net_id;
	int rc = doc_read(body, &root, &err);

	rc = rc ? rc : header_read(root, &h, &err);
	rc = rc ? rc : joining_read_ans(root, ans, &err);
	doc_free(root);
	if (rc < 0) {
		snprintf(why, cap, "malformed answer: %s", err.msg);
		return why;
	}
	if (h.type != (q->rejoin ? HEADER_REJOIN_ANS : HEADER_JOIN_ANS))
		return "the answer is no JoinAns";
	if (!header_eui(h.sender_id, &eui) || eui != q->join_eui)
		return "JoinAns of another JoinEUI than was asked";
	if (!header_net_id(h.receiver_id, &net_id) || net_id != s->net_id)
		return "JoinAns for another NetID";
	if (h.transaction_id != q->transaction)
		return "JoinAns to another request";
	return NULL;
}

static enum header_type type_of(const struct ask_js *q)
{
	return q->rejoin ? HEADER_REJOIN_REQ : HEADER_JOIN_REQ;
}

static void log_answer(const struct ask_js *q, const struct http_result *r,
	const struct joining_ans *ans, const char *why)
{
	char peer[512];
	double took_ms = (double)(uv_hrtime() - q->began_ns) / 1e6;

	log_info("backend.finished",
		"message_type=%s sender_id=%06x receiver_id=%016llx transaction_id=%u dev_eui=%016llx "
		"result_code=%s peer=%s reused=%d dns_ms=%u connect_ms=%u took_ms=%.3f%s%s",
		header_type_word(type_of(q)), q->asking->server->net_id,
		(unsigned long long)q->join_eui, q->transaction, (unsigned long long)q->dev_eui,
		why ? "none" : result_word(ans->result.code, true),
		log_value(server_peer_words(r->peer, peer, sizeof(peer))), r->reused, r->dns_ms,
		r->connect_ms, took_ms, why ? " reason=" : "", why ? log_value(why) : "");
}

static void on_answer(void *arg, const struct http_result *r)
{
	struct ask_js *q = arg;
	struct server *s = q->asking->server;
	struct joining_ans ans = { 0 };
	char words[300];
	const char *why = r->ok ? NULL : r->why;

	if (!why)
		why = read_answer(q, r->body, &ans, words, sizeof(words));
	/* A refusal may come with an HTTP error; a success may not. */
	if (!why && (r->status < 200 || r->status > 299) && ans.result.code == RESULT_SUCCESS) {
		snprintf(words, sizeof(words), "HTTP status %u", r->status);
		why = words;
	}
	log_answer(q, r, &ans, why);
	if (!why && ans.result.code == RESULT_SUCCESS) {
		unwrap(s, &ans.nwk_s_key);
		unwrap(s, &ans.f_nwk_s_int_key);
		unwrap(s, &ans.s_nwk_s_int_key);
		unwrap(s, &ans.nwk_s_enc_key);
		choose_as(s, q->join_eui, &ans);
	}
	network_joined(s->engine, server_now(), q->id, why ? NULL : &ans, why);
	joining_wipe_ans(&ans);
	free(q);
	server_wake(s);
}

static void fill_header(const struct ask_js *q, struct header *h)
{
	*h = (struct header){ .version = HEADER_1_0,
		.type = type_of(q),
		.transaction_id = q->transaction };
	header_put_net_id(h->sender_id, q->asking->server->net_id);
	header_put_eui(h->receiver_id, q->join_eui);
}

/* What this server is told about the device: 1.0 must not be said with OptNeg. */
static void adapt(const struct settings_join *how, struct joining_req *r)
{
	enum version v;

	if (!how->mac_version ||
		version_read((struct span){ (const uint8_t *)how->mac_version,
				     strlen(how->mac_version) },
			&v) < 0)
		return;
	r->mac_version = v;
	if (!version_has_two_keys(v))
		r->dl_settings &= (uint8_t)~JOINACCEPT_OPT_NEG;
}

void asking_ask(struct asking *a, const struct network_event *ev)
{
	struct joining_req req = ev->ask.req;
	struct buf body = { .limit = SERVER_BODY_MAX };
	const struct settings_join *how;
	struct http_target to;
	struct ask_js *q = calloc(1, sizeof(*q));
	uint64_t began_ns = uv_hrtime();
	struct header h;

	if (!q || !route(a, ev->ask.join_eui, &to, &how)) {
		free(q);
		network_joined(a->server->engine, server_now(), ev->ask.id, NULL,
			"no Join Server is configured for this JoinEUI");
		return;
	}
	*q = (struct ask_js){ .asking = a,
		.id = ev->ask.id,
		.join_eui = ev->ask.join_eui,
		.dev_eui = ev->dev_eui,
		.began_ns = began_ns,
		.rejoin = ev->ask.rejoin };
	if (!q->rejoin)
		adapt(how, &req);
	if (random_octets(&q->transaction, sizeof(q->transaction), NULL) < 0) {
		free(q);
		return;
	}
	fill_header(q, &h);
	if (joining_write_req(&body, &h, &req, how->short_version))
		http_client_post(a->server->http_js, &to, buf_span(&body), on_answer, q);
	else
		free(q);
	buf_done(&body);
}
