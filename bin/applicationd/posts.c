/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "applicationd/server.h"
#include "backend/prefix.h"
#include "core/secret.h"
#include "net/verdict.h"
#include "program/log.h"

/* A question under way: what it was about, then what was answered. */
struct asked {
	struct server_answer answer; /* first */
	struct server *server;
	struct application_ask ask;
	enum application_key verdict;
	uint8_t key[16];
};

struct sent {
	struct server_answer answer; /* first */
	struct server *server;
	uint64_t dev_eui, number;
	uint32_t f_cnt, net_id;
	enum application_handed handed;
	bool has_next;
	uint32_t next;
};

static const char *peer_words(const struct http_result *r)
{
	return r->peer ? verdict_words(r->peer) : "peer=plain";
}

/* Why there is no answer to read: NULL when there is one. */
static const char *failure(const struct http_result *r)
{
	static char words[64];

	if (!r->ok)
		return r->why;
	if (r->status == 200)
		return NULL;
	snprintf(words, sizeof(words), "HTTP status %u", r->status);
	return words;
}

static void log_key(const struct asked *a, const struct http_result *r, const char *why)
{
	if (why)
		log_warning("appskey.refused",
			"dev_eui=%016" PRIx64 " join_eui=%016" PRIx64 " reason=%s took_ms=%u %s",
			a->ask.dev_eui, a->ask.join_eui, log_value(why), r->total_ms,
			peer_words(r));
	else
		log_info("appskey.given",
			"dev_eui=%016" PRIx64 " join_eui=%016" PRIx64
			" dns_ms=%u connect_ms=%u took_ms=%u %s",
			a->ask.dev_eui, a->ask.join_eui, r->dns_ms, r->connect_ms, r->total_ms,
			peer_words(r));
}

static void take_key(struct server_answer *answer)
{
	struct asked *a = (struct asked *)answer;

	application_key(a->server->app, a->ask.dev_eui, &a->ask.session, a->verdict, a->key,
		server_now(a->server));
	secret_wipe_octets(a->key, sizeof(a->key));
	free(a);
}

static void key_answered(void *arg, const struct http_result *r)
{
	struct asked *a = arg;
	struct server *s = a->server;
	const char *why = failure(r);
	struct err err = { 0 };

	if (!why) {
		a->verdict =
			talk_key(r->body, &a->ask, s->keks, s->settings->keks_count, a->key, &err);
		why = a->verdict == APPLICATION_KEY_GIVEN ? NULL : err.msg;
	}
	log_key(a, r, why);
	server_take(s, &a->answer);
}

static void take_handed(struct server_answer *answer)
{
	struct sent *t = (struct sent *)answer;

	application_handed(t->server->app, t->dev_eui, t->number, t->handed,
		t->has_next ? &t->next : NULL, server_now(t->server));
	free(t);
}

static void send_answered(void *arg, const struct http_result *r)
{
	struct sent *t = arg;
	struct server *s = t->server;
	const char *why = failure(r);
	struct err err = { 0 };

	if (!why) {
		t->handed = talk_handed(r->body, &t->has_next, &t->next, &err);
		why = t->handed == APPLICATION_HANDED ? NULL : err.msg;
	}
	if (why)
		log_warning("downlink.refused",
			"dev_eui=%016" PRIx64 " f_cnt=%u net_id=%06x reason=%s took_ms=%u %s",
			t->dev_eui, t->f_cnt, t->net_id, log_value(why), r->total_ms,
			peer_words(r));
	else
		log_info("downlink.handed",
			"dev_eui=%016" PRIx64 " f_cnt=%u net_id=%06x took_ms=%u %s", t->dev_eui,
			t->f_cnt, t->net_id, r->total_ms, peer_words(r));
	server_take(s, &t->answer);
}

static struct http_target by_url(const char *url)
{
	return (struct http_target){ .kind = HTTP_TARGET_URL, .url = url };
}

/* A server of the list, the one server for all, or DNS. */
static bool join_server_of(const struct settings_peers *p, const struct application_ask *ask,
	struct http_target *out)
{
	for (unsigned i = 0; ask->has_join_eui && i < p->servers_count; i++)
		if (prefix_text_holds(p->servers[i].join_eui_prefix, ask->join_eui)) {
			*out = by_url(p->servers[i].server);
			return true;
		}
	if (p->tls.server) {
		*out = by_url(p->tls.server);
		return true;
	}
	if (!ask->has_join_eui || !p->resolve_join_eui_domain_suffix)
		return false;
	*out = (struct http_target){ .kind = HTTP_TARGET_JOIN_EUI,
		.id = ask->join_eui,
		.suffix = p->resolve_join_eui_domain_suffix,
		.port = p->port ? p->port : 8003 };
	return true;
}

static bool net_id_is(const char *text, uint32_t net_id)
{
	uint32_t it;

	return header_net_id(text, &it) && it == net_id;
}

static bool network_server_of(const struct settings_peers *p, uint32_t net_id,
	struct http_target *out)
{
	for (unsigned i = 0; i < p->servers_count; i++)
		if (net_id_is(p->servers[i].net_id, net_id)) {
			*out = by_url(p->servers[i].server);
			return true;
		}
	if (p->tls.server) {
		*out = by_url(p->tls.server);
		return true;
	}
	if (!p->resolve_net_id_domain_suffix)
		return false;
	*out = (struct http_target){ .kind = HTTP_TARGET_NET_ID,
		.id = net_id,
		.suffix = p->resolve_net_id_domain_suffix,
		.port = p->port ? p->port : 443 };
	return true;
}

bool server_make_ask(struct server *s, const struct application_ask *ask, struct post *out)
{
	struct asked *a;

	if (!join_server_of(&s->settings->join_server, ask, &out->target)) {
		log_warning("appskey.nowhere", "dev_eui=%016" PRIx64 " reason=%s", ask->dev_eui,
			ask->has_join_eui ? "\"no join_server for its JoinEUI\""
					  : "\"its JoinEUI is not known\"");
		return false;
	}
	a = malloc(sizeof(*a));
	if (!a || !talk_ask(&out->body, s->settings->as_id, ask, ++s->transactions)) {
		free(a);
		buf_done(&out->body);
		return false;
	}
	*a = (struct asked){ .answer.take = take_key,
		.server = s,
		.ask = *ask,
		.verdict = APPLICATION_KEY_FAILED };
	out->client = s->js_client;
	out->done = key_answered;
	out->arg = a;
	return true;
}

bool server_make_send(struct server *s, const struct application_send *send, struct post *out)
{
	struct sent *t;

	if (!network_server_of(&s->settings->network_server, send->net_id, &out->target)) {
		log_warning("downlink.nowhere",
			"dev_eui=%016" PRIx64
			" net_id=%06x reason=\"no network_server for its NetID\"",
			send->dev_eui, send->net_id);
		return false;
	}
	t = malloc(sizeof(*t));
	if (!t || !talk_send(&out->body, s->settings->as_id, send, ++s->transactions)) {
		free(t);
		buf_done(&out->body);
		return false;
	}
	*t = (struct sent){ .answer.take = take_handed,
		.server = s,
		.handed = APPLICATION_HANDED_FAILED,
		.dev_eui = send->dev_eui,
		.number = send->number,
		.f_cnt = send->f_cnt,
		.net_id = send->net_id };
	out->client = s->ns_client ? s->ns_client : s->js_client;
	out->done = send_answered;
	out->arg = t;
	return true;
}

void server_post(struct post *p)
{
	if (!p->client)
		return;
	http_client_post(p->client, &p->target, buf_span(&p->body), p->done, p->arg);
	buf_done(&p->body);
}
