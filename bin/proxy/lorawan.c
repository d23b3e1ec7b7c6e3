/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/lorawan.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/binding.h"
#include "net/exchange.h"
#include "net/http_client.h"
#include "net/secure.h"
#include "net/target.h"
#include "program/log.h"
#include "relay/router.h"

#define JS_PORT 8003 /* where DNS names none */

/* How a backend is spoken to: one way, or one for each NetID. */
struct way {
	uint32_t net_id;
	struct tls_client *tls;
	struct http_client *http;
};

/* What the rules of one way to be proved grant; NULL: there are none. */
struct grants {
	struct policy *policy;
	struct binding *binding;
};

struct lorawan {
	struct lorawan_config config;
	struct links *links;
	struct exchanges *exchanges;
	struct grants by_dane, by_pkix;
	struct way *way;
	unsigned ways;
	char url[512]; /* of a listener's backend */
	void (*done)(void *arg);
	void *done_arg;
};

/* One message on its way. */
struct job {
	struct lorawan *of;
	struct http_exchange *x;
	struct router_message message;
	int64_t start_ms;
};

static bool is_listener(const struct lorawan *l)
{
	return l->config.tls_server != NULL;
}

static void say_error(struct http_exchange *x, unsigned status, const char *why)
{
	struct buf out = { 0 };
	struct writer w = writer_into(&out);

	log_info("lorawan.refuse", "from=%s status=%u reason=%s", x->address, status,
		log_value(why));
	writer_open(&w, NULL, '{');
	writer_text(&w, "error", why);
	writer_close(&w);
	http_server_answer(x, status, NULL, writer_ok(&w) ? buf_span(&out) : (struct span){ 0 });
	buf_done(&out);
}

static void say_message(const struct job *j, const char *event, const char *result, const char *why)
{
	const struct header *h = &j->message.header;
	char peer[NAME_TEXT_MAX] = "-";

	if (j->x->peer->authenticated)
		(void)name_write_text(&j->x->peer->name, peer, sizeof(peer));
	log_info(event,
		"at=%s type=%s sender=%s receiver=%s from=%s peer=%s result=%s took_ms=%" PRId64
		" reason=%s",
		log_value(j->of->config.end->name), log_value(h->type_word),
		log_value(h->sender_id), log_value(h->receiver_id), j->x->address, peer, result,
		resolver_now() - j->start_ms, log_value(why));
}

static void refuse(struct job *j, enum result_code code, const char *why)
{
	struct buf out = { 0 };

	say_message(j, "lorawan.refuse", result_word(code, true), why);
	if (j->message.is_answer)
		http_server_answer(j->x, code == RESULT_UNKNOWN_SENDER ? 403 : 502, NULL,
			(struct span){ 0 });
	else if (router_write_refusal(&j->message, code, why, &out))
		http_server_answer(j->x, 200, NULL, buf_span(&out));
	else
		http_server_answer(j->x, 503, NULL, (struct span){ 0 });
	buf_done(&out);
	free(j);
}

static void count_late(const struct job *j)
{
	struct counts *c = j->of->config.counts;
	int64_t most_ms = (int64_t)j->of->config.end->answer_timeout * 1000;

	/* Timers count in whole ms. */
	if (c && resolver_now() >= j->start_ms + most_ms - 1)
		c->late_answers++;
}

static void posted(void *arg, const struct http_result *r)
{
	struct job *j = arg;
	char words[64];

	if (!r->ok) {
		count_late(j);
		refuse(j, r->nowhere ? RESULT_UNKNOWN_RECEIVER : RESULT_OTHER, r->why);
		return;
	}
	/* ChirpStack v3 says 400 and a Result; v4 reads no body but of 2xx. */
	if (r->status / 100 != 2 && !router_is_answer(r->body)) {
		snprintf(words, sizeof(words), "the peer answered HTTP %u", r->status);
		refuse(j, RESULT_OTHER, words);
		return;
	}
	say_message(j, "lorawan.pass", "passed", r->reused ? "kept open" : "connected");
	http_server_answer(j->x, 200, NULL, r->body);
	free(j);
}

static void post(struct job *j, struct http_client *http, const struct http_target *to)
{
	http_client_post(http, to, j->x->body, posted, j);
}

static bool admit(void *arg, const struct name *host)
{
	const struct lorawan *l = arg;

	return !l->config.rules || rule_admits_name(l->config.rules, host, RULE_BY_ANY);
}

/* An AS-ID that is a DNS name is its host, if a rule says so: a Join Server far away may have made
 * it up. */
static bool find_as(const struct job *j, char *url, size_t cap)
{
	const struct config_end *e = j->of->config.end;
	char text[NAME_TEXT_MAX];
	struct name host;

	return e->as_id_port && name_of(j->message.header.receiver_id, &host) == 0 &&
		name_is_plain(&host) && admit(j->of, &host) &&
		name_write_text(&host, text, sizeof(text)) == 0 &&
		snprintf(url, cap, "https://%s:%u/", text, e->as_id_port) < (int)cap;
}

/* Where the receiver is: by the table, or by DNS. False: nowhere. url is borrowed by *to. */
static bool find_receiver(const struct job *j, char *url, size_t cap, struct http_target *to)
{
	const struct config_end *e = j->of->config.end;
	const struct router_message *m = &j->message;
	const char *suffix = NULL;

	*to = (struct http_target){ .kind = HTTP_TARGET_URL,
		.url = router_find(e->routes, e->routes_count, m) };
	if (!to->url && m->to == ROUTER_AS_ID && find_as(j, url, cap))
		to->url = url;
	if (to->url)
		return true;
	if (m->to == ROUTER_JOIN_EUI)
		suffix = e->join_eui_suffix;
	else if (m->to == ROUTER_NET_ID)
		suffix = e->net_id_suffix;
	*to = (struct http_target){
		.kind = m->to == ROUTER_JOIN_EUI ? HTTP_TARGET_JOIN_EUI : HTTP_TARGET_NET_ID,
		.id = m->to_id,
		.suffix = suffix,
		.port = m->to == ROUTER_JOIN_EUI ? JS_PORT : 0,
	};
	return suffix != NULL;
}

static void route(struct job *j)
{
	char url[TARGET_TEXT_MAX];
	struct http_target to;

	if (find_receiver(j, url, sizeof(url), &to))
		post(j, j->of->way[0].http, &to);
	else
		refuse(j, RESULT_UNKNOWN_RECEIVER, "no route to this ReceiverID");
}

/* The way to the backend in the name of this NetID; NULL: none. */
static struct http_client *way_of(const struct lorawan *l, const struct router_message *m)
{
	if (!l->config.end->backend_tls.certificates_count)
		return l->way[0].http;
	for (unsigned i = 0; i < l->ways; i++)
		if (m->from == ROUTER_NET_ID && l->way[i].net_id == m->from_id)
			return l->way[i].http;
	return NULL;
}

static void bound(void *arg, enum binding_verdict verdict, const char *words)
{
	struct job *j = arg;
	const struct lorawan *l = j->of;
	struct http_client *http = way_of(l, &j->message);
	struct http_target to = { .kind = HTTP_TARGET_URL,
		.url = l->url,
		.address = l->config.end->backend };

	if (verdict != BINDING_GRANTED)
		refuse(j, RESULT_UNKNOWN_SENDER, words);
	else if (!http)
		refuse(j, RESULT_UNKNOWN_SENDER, "no certificate for this NetID");
	else
		post(j, http, &to);
}

/* Behind us nobody asks again who the sender is. */
static void hold_sender(struct job *j)
{
	const struct lorawan *l = j->of;
	const struct router_message *m = &j->message;
	struct binding *binding =
		j->x->peer->how == PEER_BY_DANE ? l->by_dane.binding : l->by_pkix.binding;

	if (!binding)
		refuse(j, RESULT_UNKNOWN_SENDER, "no rule for this kind of proof");
	else if (m->from == ROUTER_JOIN_EUI)
		refuse(j, RESULT_UNKNOWN_SENDER, "no rule grants a JoinEUI");
	else
		binding_check(binding, m->from == ROUTER_NET_ID ? BINDING_NET_ID : BINDING_AS_ID,
			m->header.sender_id, j->x->peer, bound, j);
}

/* Parameters do not matter. What a web page can make a browser send without asking is another. */
static bool is_json(const char *content_type)
{
	static const char json[] = "application/json";
	size_t n = strcspn(content_type, "; \t");

	return n == sizeof(json) - 1 && strncasecmp(content_type, json, n) == 0;
}

static void handle(void *arg, struct http_exchange *x)
{
	struct lorawan *l = arg;
	struct router_message m;
	struct job *j;
	struct err err;

	if (strcmp(x->method, "POST") != 0) {
		say_error(x, 405, "only POST");
		return;
	}
	if (!is_json(x->content_type)) {
		say_error(x, 415, "only application/json");
		return;
	}
	if (router_read(x->body, &m, &err) != 0) {
		say_error(x, 400, err.msg);
		return;
	}
	j = calloc(1, sizeof(*j));
	if (!j) {
		say_error(x, 503, "no memory");
		return;
	}
	*j = (struct job){ .of = l, .x = x, .message = m, .start_ms = resolver_now() };
	if (is_listener(l))
		hold_sender(j);
	else
		route(j);
}

static int open_way(struct lorawan *l, struct way *w, struct tls_client *tls, enum tls_mode mode,
	struct err *err)
{
	const struct config_end *e = l->config.end;
	struct http_client_config c = {
		.loop = l->config.loop,
		.tls = tls,
		.mode = mode,
		.resolver = l->config.resolver,
		.timeout_ms = e->answer_timeout * 1000,
		/* One for each connection at most, and those have their own bound. */
		.waiting_max = e->limits.connections_max,
		.body_max = ROUTER_OCTETS_MAX,
		.admit = admit,
		.arg = l,
	};

	return http_client_new(&c, &w->http, err);
}

/* A backend that knows its clients by certificates, each of a CA beside it. */
static int open_certificate(struct lorawan *l, struct way *w, const struct config_certificate *from,
	struct err *err)
{
	struct tls_client_config c = { .mode = TLS_PKIX,
		.tls_cert = from->tls_cert,
		.tls_key = from->tls_key,
		.ca_cert = l->config.end->backend_tls.ca_cert };
	int rc = policy_net_id_read(from->net_id, &w->net_id);

	if (rc != 0)
		return err_set(err, rc, "net_id '%s': need 6 digits", from->net_id);
	rc = tls_client_new(&c, &w->tls, err);
	return rc ? rc : open_way(l, w, w->tls, TLS_PKIX, err);
}

static int open_backend(struct lorawan *l, struct err *err)
{
	const struct config_end *e = l->config.end;
	const struct config_backend_tls *t = &e->backend_tls;
	const char *port = strrchr(e->backend, ':');
	int rc = 0;

	if (!t->certificates_count) {
		snprintf(l->url, sizeof(l->url), "http://%s/", e->backend);
		return open_way(l, &l->way[l->ways++], NULL, TLS_DANE, err);
	}
	snprintf(l->url, sizeof(l->url), "https://%s%s/", t->name, port ? port : "");
	for (unsigned i = 0; i < t->certificates_count && rc == 0; i++)
		rc = open_certificate(l, &l->way[l->ways++], &t->certificates[i], err);
	return rc ? err_wrap(err, rc, "backend_tls") : 0;
}

static bool is_about(const struct config_end *e, const struct config_rule *r, const char *by)
{
	const char *said = config_rule_by(e, r);

	return strcmp(said ? said : "dane", by) == 0;
}

static int open_grants(struct lorawan *l, const char *by, struct grants *out, struct err *err)
{
	const struct config_end *e = l->config.end;
	struct policy_rule *rules = calloc(e->allow_count + 1, sizeof(*rules));
	struct binding_config c = { .resolver = l->config.resolver,
		.net_id_suffix = e->net_id_suffix,
		.as_id_by_name = true };
	unsigned n = 0;
	int rc;

	if (!rules)
		return err_set(err, ERR_NOMEM, "allow: no memory");
	for (unsigned i = 0; i < e->allow_count; i++)
		if (is_about(e, &e->allow[i], by))
			rules[n++] = (struct policy_rule){ e->allow[i].name, e->allow[i].net_id,
				e->allow[i].as_id };
	rc = n ? policy_new(rules, n, &out->policy, err) : 0;
	free(rules);
	c.policy = out->policy;
	return rc || !n ? rc : binding_new(&c, &out->binding, err);
}

static int open_front(struct lorawan *l, struct err *err)
{
	const struct config_limits *limits = &l->config.end->limits;
	struct http_server_config http = {
		.handle = handle,
		.arg = l,
		.body_max = l->config.end->body_max,
		.request_timeout_ms = limits->request_timeout * 1000,
		.idle_timeout_ms = limits->idle_timeout * 1000,
		.counts = l->config.counts,
	};
	struct links_config links = {
		.loop = l->config.loop,
		.tls = l->config.tls_server,
		.resolver = l->config.resolver,
		.links_max = limits->connections_max,
		.half_open_max = limits->handshakes_max,
		.per_source_max = limits->per_source_max,
		.handshake_timeout_ms = limits->handshake_timeout * 1000,
		.grace_ms = limits->grace * 1000,
		.refusals_logged_max = limits->refusals_logged_max,
		.counts = l->config.counts,
		.open = exchange_link_open,
		.input = exchange_link_input,
		.sent = exchange_link_sent,
		.gone = exchange_link_gone,
	};
	int rc = exchange_open(&http, &l->exchanges, err);

	if (rc != 0)
		return rc;
	links.arg = l->exchanges;
	return link_table_new(&links, &l->links, err);
}

int lorawan_new(const struct lorawan_config *config, struct lorawan **out, struct err *err)
{
	struct lorawan *l = calloc(1, sizeof(*l));
	int rc;

	if (!l ||
		!(l->way = calloc(config->end->backend_tls.certificates_count + 1,
			  sizeof(*l->way)))) {
		free(l);
		return err_set(err, ERR_NOMEM, "no memory");
	}
	l->config = *config;
	rc = open_front(l, err);
	if (rc == 0 && is_listener(l)) {
		rc = open_grants(l, "dane", &l->by_dane, err);
		rc = rc ? rc : open_grants(l, "pkix", &l->by_pkix, err);
		rc = rc ? rc : open_backend(l, err);
	} else if (rc == 0) {
		rc = open_way(l, &l->way[l->ways++], config->tls_client,
			secure_mode(&config->end->tls), err);
	}
	if (rc == 0)
		*out = l;
	else
		lorawan_close(l, NULL, NULL);
	return rc;
}

void lorawan_accept(struct lorawan *l, int fd, const struct sockaddr *from)
{
	link_accept(l->links, fd, from);
}

void lorawan_drain(struct lorawan *l)
{
	exchange_drain(l->exchanges);
}

unsigned lorawan_count(const struct lorawan *l)
{
	return exchange_count(l->exchanges) + link_table_unsent(l->links);
}

static void release(void *arg)
{
	struct lorawan *l = arg;

	if (l->exchanges)
		exchange_close(l->exchanges);
	policy_free(l->by_dane.policy);
	policy_free(l->by_pkix.policy);
	for (unsigned i = 0; i < l->ways; i++)
		tls_client_free(l->way[i].tls);
	if (l->done)
		l->done(l->done_arg);
	free(l->way);
	free(l);
}

void lorawan_close(struct lorawan *l, void (*done)(void *arg), void *arg)
{
	l->done = done;
	l->done_arg = arg;
	/* What waits for an answer gets one now, so that nothing points here any more. */
	binding_free(l->by_dane.binding);
	binding_free(l->by_pkix.binding);
	for (unsigned i = 0; i < l->ways; i++)
		http_client_free(l->way[i].http);
	if (l->links)
		link_table_close(l->links, release, l);
	else
		release(l);
}
