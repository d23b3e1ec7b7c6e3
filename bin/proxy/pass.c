/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/pass.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net/listen.h"
#include "net/reaches.h"
#include "net/secure.h"
#include "net/tunnel.h"
#include "net/verdict.h"
#include "program/log.h"
#include "proxy/lorawan.h"
#include "proxy/tell.h"
#include "relay/httphead.h"
#include "tls/alpn.h"

struct pass {
	uv_loop_t *loop;
	const struct config_end *end;
	struct resolver *resolver;
	struct rule_set *rules;
	struct tls_server *tls_server;
	struct tls_client *tls_client;
	struct reach *reach;
	struct reaches *reaches; /* of outbound by server name, instead */
	struct pass **inner;     /* one for each of the listener's names: rules, TLS and reach */
	struct tunnels *tunnels; /* or: */
	struct lorawan *lorawan;
	struct http_pass_config http;
	struct board_slot *slot;
	unsigned index;
	struct listen **listen;
	unsigned listens;
};

/* Of a client that sends its name, or of any in the modes with ca_cert. */
static bool authorise(void *arg, const struct name *client)
{
	const struct pass *p = arg;

	return rule_admits_name(p->rules, client,
		secure_mode(&p->end->tls) == TLS_DANE ? RULE_BY_DANE : RULE_BY_ANY);
}

static bool authorise_by_ca(void *arg, const struct name *client)
{
	const struct pass *p = arg;

	return rule_admits_name(p->rules, client, RULE_BY_PKIX);
}

/* Whom a program beside us may want. */
static bool serves(void *arg, const struct name *host)
{
	const struct pass *p = arg;

	return rule_admits_name(p->rules, host, RULE_BY_ANY);
}

static bool admit(void *arg, const struct peer *client)
{
	const struct pass *p = arg;

	return rule_admits(p->rules,
		&(struct rule_peer){ .name = &client->name,
			.by = client->how == PEER_BY_DANE ? RULE_BY_DANE : RULE_BY_PKIX,
			.usage = client->usage,
			.spki_sha256 = client->spki_sha256 });
}

static void accepted(void *arg, int fd, const struct sockaddr *from)
{
	struct pass *p = arg;

	if (p->lorawan)
		lorawan_accept(p->lorawan, fd, from);
	else
		tunnel_accept(p->tunnels, fd, from);
}

/* Who it is, to the backend, ahead of the first octet of the client. */
static void ahead(void *arg, const struct link *front, struct buf *out)
{
	const struct pass *p = arg;

	tell_proxy(p->end->identity, front, out);
}

/* The same, to a backend that reads HTTP: with each request. */
static void fields(void *arg, const struct link *front, struct buf *out)
{
	(void)arg;
	tell_http(front, out);
}

static struct tunnel_live *opened(void *arg, const struct tunnel_end *now)
{
	const struct pass *p = arg;

	return (struct tunnel_live *)board_peer_add(p->slot, p->index, now);
}

/* The server name that a client asked for; "-": none, or no DNS name. */
static const char *sni_of(const struct link *front, char *out, size_t cap)
{
	struct name name;

	if (!link_conn(front) || !conn_server_name(link_conn(front), &name) ||
		name_write_text(&name, out, cap) != 0)
		return "-";
	return out;
}

static void ended(void *arg, const struct tunnel_end *e)
{
	const struct pass *p = arg;
	const struct peer *peer = e->peer;
	char from[64], to[64] = "-", sni[NAME_TEXT_MAX];

	if (p->slot)
		board_peer_remove(p->slot, (struct board_peer *)e->live);
	if (!log_is_on(TRACE_INFO))
		return;
	if (e->back)
		link_address(e->back, to, sizeof(to));
	log_info("proxy.end",
		"at=%s sni=%s verdict=%s %s how=%s from=%s to=%s forth=%" PRIu64 " back=%" PRIu64
		" took_ms=%" PRId64 " reason=%s",
		log_value(p->end->name), sni_of(e->front, sni, sizeof(sni)),
		e->back ? "passed" : "refused", verdict_words(peer),
		peer->how == PEER_BY_DANE           ? "dane"
			: peer->how == PEER_BY_PKIX ? "pkix"
						    : "-",
		link_address(e->front, from, sizeof(from)), to, e->forth, e->back_again, e->took_ms,
		log_value(e->why));
}

/* By the rules of the name that was asked for it came in: its backend it meets. */
static struct reach *reach_of(void *arg, const struct link *front)
{
	const struct pass *p = arg;
	const struct tls_server *met = conn_server(link_conn(front));

	for (unsigned i = 0; i < p->end->names_count; i++)
		if (p->inner[i]->tls_server == met)
			return p->inner[i]->reach;
	return p->reach;
}

/* Where the program beside us wants to go, which the rules allowed in the ClientHello. */
static struct reach *reach_asked(void *arg, const struct link *front)
{
	const struct pass *p = arg;
	struct name host;

	if (!conn_server_name(link_conn(front), &host) || !serves(arg, &host))
		return NULL;
	return reaches_find(p->reaches, &host);
}

/* Of both ends of TLS that it has. */
static int set_alpn(const struct pass *p, struct err *err)
{
	const struct config_end *e = p->end;
	struct buf names = { 0 };
	int rc = alpn_write((const char *const *)e->alpn, e->alpn_count, &names, err);

	if (rc == 0 && names.n && p->tls_server)
		rc = alpn_accept(p->tls_server, buf_span(&names), err);
	if (rc == 0 && names.n && p->tls_client)
		rc = alpn_offer(p->tls_client, buf_span(&names), err);
	buf_done(&names);
	return rc;
}

static int open_server(struct pass *p, struct err *err)
{
	const struct config_end *e = p->end;
	const struct secure_gate gate = {
		.authorise = authorise,
		.admit = admit,
		.client_ca = e->client_ca,
		.authorise_by_ca = e->client_ca ? authorise_by_ca : NULL,
		.arg = p,
	};
	union dial_address backend;
	int rc = config_rules(e, &p->rules, err);

	rc = rc ? rc
		: secure_server_new_by(&e->tls, e->name, &gate, p->resolver, &p->tls_server, err);
	rc = rc ? rc : set_alpn(p, err);
	if (config_is_lorawan(e))
		return rc;
	rc = rc ? rc : dial_read_address(e->backend, &backend, err);
	return rc ? rc : reach_new_fixed(&backend, &p->reach, err);
}

static int open_name(struct pass *p, unsigned i, struct err *err)
{
	struct pass *inner = calloc(1, sizeof(*inner));
	struct pattern name;
	int rc;

	if (!inner)
		return err_set(err, ERR_NOMEM, "no memory");
	p->inner[i] = inner;
	inner->end = &p->end->inner[i];
	inner->resolver = p->resolver;
	rc = open_server(inner, err);
	if (rc == 0 && pattern_read(inner->end->server_name, &name) != 0)
		rc = err_set(err, ERR_FORMAT, "no name");
	rc = rc ? rc : tls_server_add_name(p->tls_server, &name, inner->tls_server, err);
	return rc ? err_wrap(err, rc, "names[%u]", i) : 0;
}

static int open_listener(struct pass *p, struct err *err)
{
	int rc = open_server(p, err);

	p->inner = calloc(p->end->names_count + 1, sizeof(*p->inner));
	if (rc == 0 && !p->inner)
		rc = err_set(err, ERR_NOMEM, "no memory");
	for (unsigned i = 0; i < p->end->names_count && rc == 0; i++)
		rc = open_name(p, i, err);
	if (rc == 0 && p->end->sni_required)
		tls_server_require_name(p->tls_server);
	return rc;
}

static int open_by_name(struct pass *p, const struct reach_config *reach, struct err *err)
{
	const struct config_end *e = p->end;
	const struct secure_gate gate = { .authorise = serves, .arg = p };
	int rc = secure_local_new(e->local_cert, e->local_key, e->name, &gate, &p->tls_server, err);

	rc = rc ? rc : set_alpn(p, err);
	return rc ? rc : reaches_new(reach, e->targets_max, &p->reaches, err);
}

static int open_outbound(struct pass *p, struct err *err)
{
	struct reach_config reach = { .loop = p->loop,
		.resolver = p->resolver,
		.mode = secure_mode(&p->end->tls) };
	/* bind is the plain end. */
	struct tls_block client = p->end->tls;
	int rc = 0;

	client.bind = NULL;
	if (p->end->allow_count)
		rc = config_rules(p->end, &p->rules, err);
	rc = rc ? rc : secure_client_new(&client, p->end->name, &p->tls_client, err);
	if (config_is_lorawan(p->end))
		return rc;
	rc = rc ? rc : config_target(p->end, &reach.target, err);
	if (rc == 0 && config_is_by_name(p->end))
		return open_by_name(p, &reach, err);
	rc = rc ? rc : set_alpn(p, err);
	return rc ? rc : reach_new(&reach, &p->reach, err);
}

static int open_tunnels(struct pass *p, struct err *err)
{
	const struct config_end *e = p->end;
	const struct config_limits *l = &e->limits;
	bool listener = !e->to;
	struct tunnels_config c = {
		.loop = p->loop,
		.resolver = p->resolver,
		.tls_server = p->tls_server,
		.tls_client = p->tls_client,
		.reach = p->reach,
		.tunnels_max = l->connections_max,
		.half_open_max = l->handshakes_max,
		.per_source_max = l->per_source_max,
		.handshake_timeout_ms = l->handshake_timeout * 1000,
		.connect_timeout_ms = l->connect_timeout * 1000,
		.idle_timeout_ms = l->idle_timeout * 1000,
		.half_closed_timeout_ms = l->half_closed_timeout * 1000,
		.lifetime_ms = l->lifetime * 1000,
		.grace_ms = l->grace * 1000,
		.refusals_logged_max = l->refusals_logged_max,
		.ended = ended,
		.arg = p,
	};

	if (listener)
		c.reach_of = reach_of;
	else if (p->reaches)
		c.reach_of = reach_asked;
	if (listener && tell_is_proxy(e->identity))
		c.ahead = ahead;
	p->http =
		(struct http_pass_config){ .head_max = e->header_max, .is_ours = httphead_is_ours };
	if (listener && e->identity == CONFIG_HTTP) {
		c.http = &p->http;
		c.fields = fields;
	}
	if (p->slot) {
		c.opened = opened;
		c.counts = &p->slot->counts[p->index];
	}
	return tunnel_table_new(&c, &p->tunnels, err);
}

static int open_lorawan(struct pass *p, struct err *err)
{
	struct lorawan_config c = { .loop = p->loop,
		.end = p->end,
		.resolver = p->resolver,
		.tls_server = p->tls_server,
		.tls_client = p->tls_client,
		.counts = p->slot ? &p->slot->counts[p->index] : NULL,
		.rules = p->rules };

	return lorawan_new(&c, &p->lorawan, err);
}

int pass_open(const struct pass_config *c, struct pass **out, struct err *err)
{
	struct pass *p = calloc(1, sizeof(*p));
	int rc;

	if (!p)
		return err_set(err, ERR_NOMEM, "no memory");
	p->loop = c->loop;
	p->end = config_end_at(c->config, c->end);
	p->index = c->end;
	p->resolver = c->resolver;
	p->slot = c->slot;
	rc = config_is_listener(c->config, c->end) ? open_listener(p, err) : open_outbound(p, err);
	if (rc == 0)
		rc = config_is_lorawan(p->end) ? open_lorawan(p, err) : open_tunnels(p, err);
	if (rc == 0)
		*out = p;
	else
		pass_close(p);
	return rc;
}

int pass_listen(struct pass *p, int fd, struct err *err)
{
	struct listen **more = realloc(p->listen, (p->listens + 1) * sizeof(struct listen *));
	int rc;

	if (!more) {
		close(fd);
		return err_set(err, ERR_NOMEM, "no memory");
	}
	p->listen = more;
	rc = listen_begin(fd, err);
	if (rc != 0) {
		close(fd);
		return err_wrap(err, rc, "%s", p->end->tls.bind);
	}
	rc = listen_new_on(p->loop, fd, accepted, p, &p->listen[p->listens], err);
	if (rc == 0)
		listen_count_rests(p->listen[p->listens], &p->slot->counts[p->index].rests);
	p->listens += rc == 0;
	return rc;
}

void pass_stop(struct pass *p)
{
	for (unsigned i = 0; i < p->listens; i++)
		listen_free(p->listen[i]);
	p->listens = 0;
	if (p->lorawan)
		lorawan_drain(p->lorawan);
}

unsigned pass_fronts(const struct pass *p)
{
	return p->lorawan ? lorawan_count(p->lorawan) : tunnel_table_fronts(p->tunnels);
}

void pass_set_gauges(const struct pass *p)
{
	struct counts *counts = &p->slot->counts[p->index];

	if (p->lorawan) {
		counts->open = lorawan_count(p->lorawan);
		return;
	}
	counts->open = tunnel_table_count(p->tunnels);
	counts->half_open = tunnel_table_half_open(p->tunnels);
}

void pass_count_drained(const struct pass *p)
{
	p->slot->counts[p->index].drained += pass_count(p);
}

unsigned pass_count(const struct pass *p)
{
	return p->lorawan ? lorawan_count(p->lorawan) : tunnel_table_count(p->tunnels);
}

static void release(void *arg)
{
	struct pass *p = arg;

	for (unsigned i = 0; p->inner && i < p->end->names_count; i++)
		if (p->inner[i])
			release(p->inner[i]);
	free(p->inner);
	reach_free(p->reach);
	reaches_free(p->reaches);
	tls_server_free(p->tls_server);
	tls_client_free(p->tls_client);
	rule_set_free(p->rules);
	free(p->listen);
	free(p);
}

void pass_close(struct pass *p)
{
	if (!p)
		return;
	pass_stop(p);
	if (p->lorawan)
		lorawan_close(p->lorawan, release, p);
	else if (p->tunnels)
		tunnel_table_close(p->tunnels, release, p);
	else
		release(p);
}
