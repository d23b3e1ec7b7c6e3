/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/config.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net/http_head.h"
#include "net/listen.h"
#include "net/reaches.h"
#include "net/target.h"
#include "net/verdict.h"
#include "proxy/unused.h"
#include "tls/alpn.h"

#define ENDS_MAX    256
#define RULES_MAX   4096
#define ALPN_MAX    16
#define SRV         "srv:"
#define SNI         "sni:"
#define LORAWAN     "lorawan"
#define HEADER_MAX  8192
#define TIMEOUT_MAX 2000000
#define SPIN_US     100
#define SPIN_US_MAX 1000

#define TEXT(s, m) \
	CYAML_FIELD_STRING_PTR(#m, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, s, m, 1, 4096)
#define ALPN                                                                                      \
	CYAML_FIELD_SEQUENCE("alpn", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct config_end, \
		alpn, &alpn_schema, 1, ALPN_MAX)
#define TIMEOUT(m) CYAML_FIELD_UINT(#m, CYAML_FLAG_OPTIONAL, struct config_file, m)
#define LIMIT(m)   CYAML_FIELD_UINT(#m, CYAML_FLAG_OPTIONAL, struct config_end, limits.m)
#define LIMITS                                                                                     \
	LIMIT(connections_max), LIMIT(handshakes_max), LIMIT(per_source_max),                      \
		LIMIT(handshake_timeout), LIMIT(connect_timeout), LIMIT(idle_timeout),             \
		LIMIT(half_closed_timeout), LIMIT(lifetime), LIMIT(grace), LIMIT(request_timeout), \
		LIMIT(refusals_logged_max)

static const cyaml_schema_value_t alpn_schema = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, ALPN_NAME_MAX),
};

static const cyaml_strval_t identity_words[] = {
	{ "proxy_v2", CONFIG_PROXY_V2 },
	{ "proxy_v2_addresses", CONFIG_PROXY_V2_ADDRESSES },
	{ "proxy_v2_certificate", CONFIG_PROXY_V2_CERTIFICATE },
	{ "none", CONFIG_IDENTITY_NONE },
	{ "http", CONFIG_HTTP },
	{ "lorawan", CONFIG_LORAWAN },
};

static const cyaml_schema_field_t allow_fields[] = {
	TEXT(struct config_rule, name),
	TEXT(struct config_rule, by),
	TEXT(struct config_rule, usage),
	TEXT(struct config_rule, spki_sha256),
	TEXT(struct config_rule, net_id),
	TEXT(struct config_rule, as_id),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t allow_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct config_rule, allow_fields),
};

/* Of outbound: hosts. */
static const cyaml_schema_field_t host_fields[] = {
	TEXT(struct config_rule, name),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t host_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct config_rule, host_fields),
};

static const cyaml_schema_field_t certificate_fields[] = {
	CYAML_FIELD_STRING_PTR("net_id", CYAML_FLAG_POINTER, struct config_certificate, net_id, 1,
		64),
	CYAML_FIELD_STRING_PTR("tls_cert", CYAML_FLAG_POINTER, struct config_certificate, tls_cert,
		1, 4096),
	CYAML_FIELD_STRING_PTR("tls_key", CYAML_FLAG_POINTER, struct config_certificate, tls_key, 1,
		4096),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t certificate_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct config_certificate, certificate_fields),
};

static const cyaml_schema_field_t backend_tls_fields[] = {
	TEXT(struct config_backend_tls, name),
	TEXT(struct config_backend_tls, ca_cert),
	CYAML_FIELD_SEQUENCE("certificates", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
		struct config_backend_tls, certificates, &certificate_schema, 0, ENDS_MAX),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t route_fields[] = {
	TEXT(struct router_route, join_eui),
	TEXT(struct router_route, net_id),
	TEXT(struct router_route, as_id),
	TEXT(struct router_route, url),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t route_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct router_route, route_fields),
};

static const cyaml_schema_field_t name_fields[] = {
	CYAML_FIELD_STRING_PTR("name", CYAML_FLAG_POINTER, struct config_name, name, 1, 4096),
	TEXT(struct config_name, tls_cert),
	TEXT(struct config_name, tls_key),
	TEXT(struct config_name, tlsa_name),
	TEXT(struct config_name, backend),
	CYAML_FIELD_SEQUENCE("allow", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct config_name,
		allow, &allow_schema, 1, RULES_MAX),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t name_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct config_name, name_fields),
};

static const cyaml_schema_field_t listener_fields[] = {
	TLS_CONFIG_FIELDS(struct config_end, tls.),
	TEXT(struct config_end, name),
	TEXT(struct config_end, client_ca),
	TEXT(struct config_end, backend),
	TEXT(struct config_end, tlsa_name),
	CYAML_FIELD_ENUM("identity", CYAML_FLAG_OPTIONAL | CYAML_FLAG_STRICT, struct config_end,
		identity, identity_words, sizeof(identity_words) / sizeof(identity_words[0])),
	CYAML_FIELD_UINT("header_max", CYAML_FLAG_OPTIONAL, struct config_end, header_max),
	CYAML_FIELD_SEQUENCE("allow", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct config_end,
		allow, &allow_schema, 0, RULES_MAX),
	CYAML_FIELD_SEQUENCE("names", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct config_end,
		names, &name_schema, 0, ENDS_MAX),
	CYAML_FIELD_BOOL("sni_required", CYAML_FLAG_OPTIONAL, struct config_end, sni_required),
	ALPN,
	TEXT(struct config_end, net_id_suffix),
	CYAML_FIELD_MAPPING("backend_tls", CYAML_FLAG_OPTIONAL, struct config_end, backend_tls,
		backend_tls_fields),
	CYAML_FIELD_UINT("answer_timeout", CYAML_FLAG_OPTIONAL, struct config_end, answer_timeout),
	CYAML_FIELD_UINT("body_max", CYAML_FLAG_OPTIONAL, struct config_end, body_max),
	LIMITS,
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t listener_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct config_end, listener_fields),
};

static const cyaml_schema_field_t outbound_fields[] = {
	TLS_CONFIG_FIELDS(struct config_end, tls.),
	TEXT(struct config_end, name),
	TEXT(struct config_end, to),
	ALPN,
	TEXT(struct config_end, local_cert),
	TEXT(struct config_end, local_key),
	CYAML_FIELD_UINT("targets_max", CYAML_FLAG_OPTIONAL, struct config_end, targets_max),
	TEXT(struct config_end, socket_mode),
	TEXT(struct config_end, socket_group),
	CYAML_FIELD_BOOL("insecure_bind_anywhere", CYAML_FLAG_OPTIONAL, struct config_end,
		insecure_bind_anywhere),
	CYAML_FIELD_SEQUENCE("allow", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct config_end,
		allow, &host_schema, 0, RULES_MAX),
	CYAML_FIELD_SEQUENCE("routes", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct config_end,
		routes, &route_schema, 0, RULES_MAX),
	TEXT(struct config_end, join_eui_suffix),
	TEXT(struct config_end, net_id_suffix),
	CYAML_FIELD_UINT("as_id_port", CYAML_FLAG_OPTIONAL, struct config_end, as_id_port),
	CYAML_FIELD_UINT("answer_timeout", CYAML_FLAG_OPTIONAL, struct config_end, answer_timeout),
	CYAML_FIELD_UINT("body_max", CYAML_FLAG_OPTIONAL, struct config_end, body_max),
	LIMITS,
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t outbound_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct config_end, outbound_fields),
};

static const cyaml_schema_field_t file_fields[] = {
	CYAML_FIELD_UINT("workers", CYAML_FLAG_OPTIONAL, struct config_file, workers),
	TEXT(struct config_file, user),
	CYAML_FIELD_BOOL_PTR("sandbox", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
		struct config_file, sandbox),
	TIMEOUT(drain),
	TIMEOUT(start_timeout),
	TIMEOUT(stuck_timeout),
	CYAML_FIELD_UINT_PTR("spin_us", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
		struct config_file, spin_us),
	TEXT(struct config_file, status),
	TEXT(struct config_file, status_mode),
	TEXT(struct config_file, status_group),
	TEXT(struct config_file, token_folder),
	CYAML_FIELD_SEQUENCE("listeners", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
		struct config_file, listeners, &listener_schema, 0, ENDS_MAX),
	CYAML_FIELD_SEQUENCE("outbound", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
		struct config_file, outbound, &outbound_schema, 0, ENDS_MAX),
	CYAML_FIELD_MAPPING("resolver", CYAML_FLAG_OPTIONAL, struct config_file, resolver,
		resolver_config_fields),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t file_schema = CONFIG_SCHEMA(struct config_file, file_fields);

unsigned config_spin_us(const struct config *c)
{
	return c->file->spin_us ? *c->file->spin_us : SPIN_US;
}

unsigned config_ends(const struct config *c)
{
	return c->file->listeners_count + c->file->outbound_count;
}

bool config_is_listener(const struct config *c, unsigned i)
{
	return i < c->file->listeners_count;
}

const struct config_end *config_end_at(const struct config *c, unsigned i)
{
	return config_is_listener(c, i) ? &c->file->listeners[i]
					: &c->file->outbound[i - c->file->listeners_count];
}

bool config_is_lorawan(const struct config_end *e)
{
	return e->to ? strcmp(e->to, LORAWAN) == 0 : e->identity == CONFIG_LORAWAN;
}

static enum tls_config_mode mode_of(const struct config_end *e)
{
	enum tls_config_mode mode = TLS_CONFIG_DANE;

	(void)tls_config_mode(&e->tls, &mode, NULL);
	return mode;
}

const char *config_rule_by(const struct config_end *e, const struct config_rule *r)
{
	return !r->by && mode_of(e) == TLS_CONFIG_PKIX ? "pkix" : r->by;
}

bool config_is_by_name(const struct config_end *e)
{
	return e->to && strncmp(e->to, SNI, strlen(SNI)) == 0;
}

int config_rules(const struct config_end *e, struct rule_set **out, struct err *err)
{
	struct rule_words *words = calloc(e->allow_count + 1, sizeof(*words));
	int rc;

	if (!words)
		return err_set(err, ERR_NOMEM, "allow: no memory");
	for (unsigned i = 0; i < e->allow_count; i++)
		words[i] = (struct rule_words){ e->allow[i].name, config_rule_by(e, &e->allow[i]),
			e->allow[i].usage, e->allow[i].spki_sha256 };
	rc = rule_set_new(words, e->allow_count, out, err);
	free(words);
	return rc == 0 ? 0 : err_wrap(err, rc, "allow");
}

int config_rights(const struct config *c, const struct config_end *e, struct rights *out,
	struct err *err)
{
	return e ? rights_read(e->socket_mode, e->socket_group, out, err)
		 : rights_read(c->file->status_mode, c->file->status_group, out, err);
}

static int read_name(const char *text, size_t n, struct name *out)
{
	return name_read_text((struct span){ (const uint8_t *)text, n }, out) == 0 &&
			name_labels(out) > 0
		? 0
		: ERR_FORMAT;
}

/* Behind the colon; 0: it is none. */
static uint16_t read_port(const char *colon)
{
	unsigned long port;
	char *end;

	if (!colon || colon[1] < '0' || colon[1] > '9')
		return 0;
	port = strtoul(colon + 1, &end, 10);
	return *end == '\0' && port <= 65535 ? (uint16_t)port : 0;
}

int config_target(const struct config_end *e, struct service_target *out, struct err *err)
{
	struct service_target t = { .start = SERVICE_HOST };
	const char *colon = strrchr(e->to, ':');

	if (strncmp(e->to, SRV, strlen(SRV)) == 0) {
		const char *owner = e->to + strlen(SRV);

		t.start = SERVICE_SRV;
		if (read_name(owner, strlen(owner), &t.name) != 0)
			return err_set(err, ERR_FORMAT, "to '%s': no DNS name", e->to);
		*out = t;
		return 0;
	}
	t.port = read_port(colon);
	if (!t.port ||
		(!config_is_by_name(e) && read_name(e->to, (size_t)(colon - e->to), &t.name) != 0))
		return err_set(err, ERR_FORMAT,
			"to '%s': need host:port, srv:_service._tcp.name or sni:port", e->to);
	*out = t;
	return 0;
}

static void set_default(unsigned *v, unsigned otherwise)
{
	if (*v == 0)
		*v = otherwise;
}

static void set_defaults(struct config_end *e)
{
	struct config_limits *l = &e->limits;

	set_default(&l->connections_max, 10000);
	set_default(&l->handshakes_max, 10000);
	set_default(&l->per_source_max, 1000);
	set_default(&l->handshake_timeout, 10);
	set_default(&l->connect_timeout, 10);
	set_default(&l->idle_timeout, 3600);
	set_default(&e->header_max, HEADER_MAX);
	/* ChirpStack v4 waits 5 s in all. */
	set_default(&e->answer_timeout, 4);
	set_default(&l->half_closed_timeout, 60);
	set_default(&e->targets_max, REACHES_USUAL);
	set_default(&l->request_timeout, 10);
	set_default(&l->refusals_logged_max, VERDICT_LINES_MAX);
	set_default(&e->body_max, ROUTER_OCTETS_MAX);
	/* A program beside us is one source for everybody behind it. */
	if (e->to)
		l->per_source_max = l->connections_max;
	if (!e->name && e->tls.bind)
		e->name = strdup(e->tls.bind);
}

static int check_times(const struct config_limits *l, struct err *err)
{
	const unsigned seconds[] = { l->handshake_timeout, l->connect_timeout, l->idle_timeout,
		l->half_closed_timeout, l->lifetime, l->grace, l->request_timeout };

	/* In ms they must fit. */
	for (unsigned i = 0; i < sizeof(seconds) / sizeof(seconds[0]); i++)
		if (seconds[i] > TIMEOUT_MAX)
			return err_set(err, ERR_FORMAT, "a time above %d seconds", TIMEOUT_MAX);
	return 0;
}

/* What cannot be kept may not be agreed on. */
static int check_alpn(const struct config_end *e, struct err *err)
{
	/* The other side is asked for what this one agreed on, whatever the program chose. */
	if (e->alpn_count > 1 && config_is_by_name(e))
		return err_set(err, ERR_FORMAT, "alpn: only one with to: sni:port");
	for (unsigned i = 0; i < e->alpn_count; i++)
		if (!e->to && e->identity == CONFIG_HTTP && strcmp(e->alpn[i], "http/1.1") != 0)
			return err_set(err, ERR_FORMAT,
				"alpn '%s': identity http speaks http/1.1 alone", e->alpn[i]);
	return 0;
}

static int check_common(const struct config_end *e, struct err *err)
{
	int rc;

	if (!e->tls.bind)
		return err_set(err, ERR_FORMAT, "bind is missing");
	if (!e->name)
		return err_set(err, ERR_NOMEM, "no memory");
	if (e->tls.insecure_plain || e->tls.server)
		return err_set(err, ERR_FORMAT, "insecure_plain and server are not for a proxy");
	if (e->answer_timeout > 3600)
		return err_set(err, ERR_FORMAT, "answer_timeout above 3600");
	if (e->targets_max > REACHES_MAX)
		return err_set(err, ERR_FORMAT, "targets_max above %d", REACHES_MAX);
	if (e->body_max > ROUTER_OCTETS_MAX)
		return err_set(err, ERR_FORMAT, "body_max above %d", ROUTER_OCTETS_MAX);
	rc = check_alpn(e, err);
	return rc ? rc : check_times(&e->limits, err);
}

/* A name is granted an id whatever key it showed: a rule may not seem to say otherwise. */
static int check_grants(const struct config_end *e, struct err *err)
{
	for (unsigned i = 0; i < e->allow_count; i++) {
		const struct config_rule *r = &e->allow[i];
		bool grants = r->net_id || r->as_id, narrow = r->usage || r->spki_sha256;

		if (grants && !config_is_lorawan(e))
			return err_set(err, ERR_FORMAT,
				"allow[%u]: net_id and as_id are for identity lorawan", i);
		if (grants && narrow)
			return err_set(err, ERR_FORMAT,
				"allow[%u]: no usage and no spki_sha256 here", i);
	}
	return 0;
}

/* A rule that nobody can ever meet says something that is not so. */
static int check_ways(const struct config_end *e, struct err *err)
{
	enum tls_config_mode mode = mode_of(e);

	if (e->client_ca && mode != TLS_CONFIG_DANE)
		return err_set(err, ERR_FORMAT, "client_ca is for mode dane");
	for (unsigned i = 0; i < e->allow_count; i++) {
		const char *by = e->allow[i].by;

		if (by && strcmp(by, "pkix") == 0 && mode == TLS_CONFIG_DANE && !e->client_ca)
			return err_set(err, ERR_FORMAT, "allow[%u]: by pkix needs client_ca", i);
		if (by && strcmp(by, "dane") == 0 && mode == TLS_CONFIG_PKIX)
			return err_set(err, ERR_FORMAT, "allow[%u]: by dane, in mode pkix", i);
	}
	return 0;
}

static int check_name(const char *key, const char *text, struct err *err)
{
	struct name name;

	/* ChirpStack writes suffixes with a dot in front. */
	if (text && (name_of(text + (text[0] == '.'), &name) != 0 || name_labels(&name) == 0))
		return err_set(err, ERR_FORMAT, "%s '%s': no DNS name", key, text);
	return 0;
}

static int check_backend_tls(const struct config_end *e, struct err *err)
{
	const struct config_backend_tls *t = &e->backend_tls;
	int rc = check_name("backend_tls.name", t->name, err);

	if (rc == 0 && (t->name || t->ca_cert || t->certificates_count) &&
		!(t->name && t->ca_cert && t->certificates_count))
		rc = err_set(err, ERR_FORMAT, "backend_tls: need name, ca_cert and certificates");
	return rc;
}

/* A plain message may go to this host only. */
static int check_backend_of_lorawan(const struct config_end *e, struct err *err)
{
	struct sockaddr_storage address;
	int rc = listen_read_address(e->backend, &address, err);

	if (rc == 0 && !e->backend_tls.name &&
		!listen_is_loopback((const struct sockaddr *)&address))
		rc = err_set(err, ERR_FORMAT, "backend '%s': without backend_tls only loopback",
			e->backend);
	return rc;
}

static int check_route(const struct router_route *r, struct err *err)
{
	const struct http_target to = { .kind = HTTP_TARGET_URL, .url = r->url };
	struct target target;
	int rc = router_check(r, err);

	rc = rc ? rc : target_read(&to, &target, err);
	/* What is plain is not proved. */
	if (rc == 0 && target.plain)
		rc = err_set(err, ERR_FORMAT, "'%s': need https", r->url);
	return rc;
}

static int check_router(const struct config_end *e, struct err *err)
{
	struct rule_set *rules = NULL;
	int rc = check_name("join_eui_suffix", e->join_eui_suffix, err);

	rc = rc ? rc : check_name("net_id_suffix", e->net_id_suffix, err);
	for (unsigned i = 0; i < e->routes_count && rc == 0; i++) {
		rc = check_route(&e->routes[i], err);
		if (rc != 0)
			err_wrap(err, rc, "routes[%u]", i);
	}
	if (rc == 0 && !e->routes_count && !e->join_eui_suffix && !e->net_id_suffix &&
		!e->as_id_port)
		rc = err_set(err, ERR_FORMAT,
			"to lorawan: need routes, join_eui_suffix, net_id_suffix or as_id_port");
	/* A Join Server's answer says which AS-ID is asked next: not any name in the world. */
	if (rc == 0 && (e->allow_count || e->as_id_port))
		rc = config_rules(e, &rules, err);
	rule_set_free(rules);
	return rc;
}

static int check_listener(const struct config_end *e, struct err *err)
{
	union dial_address address;
	struct sockaddr_storage bind;
	struct rule_set *rules;
	struct name owner;
	int rc = check_common(e, err);

	rc = rc ? rc : listen_read_address(e->tls.bind, &bind, err);
	rc = rc ? rc : tls_config_check(&e->tls, "tls", err);
	if (rc == 0 && !e->backend)
		rc = err_set(err, ERR_FORMAT, "backend is missing");
	if (rc == 0 && e->header_max > HTTP_HEAD_OCTETS_MAX)
		rc = err_set(err, ERR_FORMAT, "header_max above %d", HTTP_HEAD_OCTETS_MAX);
	if (rc == 0 && e->tlsa_name && read_name(e->tlsa_name, strlen(e->tlsa_name), &owner) != 0)
		rc = err_set(err, ERR_FORMAT, "tlsa_name '%s': no DNS name", e->tlsa_name);
	rc = rc ? rc : dial_read_address(e->backend, &address, err);
	rc = rc ? rc : check_name("net_id_suffix", e->net_id_suffix, err);
	rc = rc ? rc : check_backend_tls(e, err);
	if (rc == 0 && config_is_lorawan(e))
		rc = check_backend_of_lorawan(e, err);
	rc = rc ? rc : check_grants(e, err);
	rc = rc ? rc : check_ways(e, err);
	rc = rc ? rc : config_rules(e, &rules, err);
	if (rc == 0)
		rule_set_free(rules);
	return rc;
}

static void set_inner(const struct config_end *e, const struct config_name *n,
	struct config_end *out)
{
	*out = *e;
	out->names = NULL;
	out->names_count = 0;
	out->inner = NULL;
	out->sni_required = false;
	out->server_name = n->name;
	out->tlsa_name = n->tlsa_name;
	if (n->tls_cert || n->tls_key) {
		out->tls.tls_cert = n->tls_cert;
		out->tls.tls_key = n->tls_key;
	}
	if (n->allow) {
		out->allow = n->allow;
		out->allow_count = n->allow_count;
	}
	if (n->backend)
		out->backend = n->backend;
}

/* Each is held to what a listener is held to. */
static int check_names(struct config_end *e, struct err *err)
{
	struct pattern p;
	int rc = 0;

	e->inner = calloc(e->names_count + 1, sizeof(*e->inner));
	if (!e->inner)
		return err_set(err, ERR_NOMEM, "names: no memory");
	for (unsigned i = 0; i < e->names_count && rc == 0; i++) {
		set_inner(e, &e->names[i], &e->inner[i]);
		if (pattern_read(e->names[i].name, &p) != 0)
			rc = err_set(err, ERR_FORMAT,
				"'%s' is no name, subtree (.example) or one label (*.example)",
				e->names[i].name);
		rc = rc ? rc : check_listener(&e->inner[i], err);
		if (rc != 0)
			err_wrap(err, rc, "names[%u]", i);
	}
	return rc;
}

/* Of this machine alone, unless anywhere. */
static int check_plain(const char *where, bool anywhere, const char *key, struct err *err)
{
	struct sockaddr_storage bind;
	struct sockaddr_un path;
	int rc;

	if (listen_is_unix(where))
		return listen_read_unix(where, &path, err);
	rc = listen_read_address(where, &bind, err);
	if (rc == 0 && !anywhere && !listen_is_loopback((const struct sockaddr *)&bind))
		rc = err_set(err, ERR_FORMAT, "%s '%s': only loopback or unix:/path", key, where);
	return rc;
}

/* The program beside us is led where it likes: only so far as a rule says. */
static int check_by_name(const struct config_end *e, struct err *err)
{
	struct rule_set *rules = NULL;
	int rc;

	if (!e->local_cert || !e->local_key)
		return err_set(err, ERR_FORMAT, "to '%s': need local_cert and local_key", e->to);
	rc = config_rules(e, &rules, err);
	rule_set_free(rules);
	return rc;
}

static int check_outbound(const struct config_end *e, struct err *err)
{
	struct service_target target;
	/* What it binds to is plain; the rest of the block is about its client side. */
	struct tls_block client = e->tls;
	int rc = check_common(e, err);

	/* Whoever reaches it speaks in our name. */
	rc = rc ? rc
		: check_plain(e->tls.bind, e->insecure_bind_anywhere,
			  "bind (without insecure_bind_anywhere)", err);
	client.bind = NULL;
	rc = rc ? rc : tls_config_check(&client, "tls", err);
	if (rc == 0 && !e->to)
		rc = err_set(err, ERR_FORMAT, "to is missing");
	if (rc == 0 && config_is_lorawan(e))
		return check_router(e, err);
	rc = rc ? rc : config_target(e, &target, err);
	return rc == 0 && config_is_by_name(e) ? check_by_name(e, err) : rc;
}

/* Two on one port would take each other's connections. */
static int check_apart(const struct config *c, struct err *err)
{
	for (unsigned i = 0; i < config_ends(c); i++)
		for (unsigned k = 0; k < i; k++) {
			const struct config_end *a = config_end_at(c, i), *b = config_end_at(c, k);
			size_t n = strlen(a->tls.bind);
			bool any = n >= 2 && strcmp(a->tls.bind + n - 2, ":0") == 0;

			if (strcmp(any ? a->name : a->tls.bind, any ? b->name : b->tls.bind) == 0)
				return err_set(err, ERR_FORMAT, "bind '%s' of %s is that of %s too",
					a->tls.bind, a->name, b->name);
		}
	return 0;
}

static int check_ends(struct config *c, struct err *err)
{
	struct config_file *f = c->file;
	int rc;

	for (unsigned i = 0; i < f->listeners_count; i++) {
		set_defaults(&f->listeners[i]);
		rc = check_listener(&f->listeners[i], err);
		rc = rc ? rc : check_names(&f->listeners[i], err);
		if (rc != 0)
			return err_wrap(err, rc, "listeners[%u]", i);
	}
	for (unsigned i = 0; i < f->outbound_count; i++) {
		set_defaults(&f->outbound[i]);
		rc = check_outbound(&f->outbound[i], err);
		if (rc != 0)
			return err_wrap(err, rc, "outbound[%u]", i);
	}
	if (config_ends(c) == 0)
		return err_set(err, ERR_FORMAT, "neither listeners nor outbound: nothing to do");
	return 0;
}

static int check_file(struct config *c, struct err *err)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	struct config_file *f = c->file;
	int rc;

	set_default(&f->workers, cores > 0 ? (unsigned)cores : 1);
	set_default(&f->drain, 30);
	set_default(&f->start_timeout, 60);
	set_default(&f->stuck_timeout, 30);
	if (f->workers > CONFIG_WORKERS_MAX)
		return err_set(err, ERR_FORMAT, "workers above %d", CONFIG_WORKERS_MAX);
	if (f->drain > TIMEOUT_MAX || f->start_timeout > TIMEOUT_MAX ||
		f->stuck_timeout > TIMEOUT_MAX)
		return err_set(err, ERR_FORMAT, "drain, start_timeout or stuck_timeout above %d",
			TIMEOUT_MAX);
	if (config_spin_us(c) > SPIN_US_MAX)
		return err_set(err, ERR_FORMAT, "spin_us above %d", SPIN_US_MAX);
	rc = f->status ? check_plain(f->status, false, "status", err) : 0;
	rc = rc ? rc : check_ends(c, err);
	return rc ? rc : check_apart(c, err);
}

/* Clients are proved by DNS unless by a CA alone, ids and servers are always found there. */
static bool asks_dns(const struct config *c)
{
	enum tls_config_mode mode = TLS_CONFIG_DANE;

	for (unsigned i = 0; i < c->file->listeners_count; i++)
		if (config_is_lorawan(&c->file->listeners[i]) ||
			(tls_config_mode(&c->file->listeners[i].tls, &mode, NULL) == 0 &&
				mode != TLS_CONFIG_PKIX))
			return true;
	return c->file->outbound_count > 0;
}

static int load(const char *path, struct config *c, struct err *err)
{
	struct buf text;
	void *file = NULL;
	int rc = config_text(path, &text, err);

	rc = rc ? rc : config_load_text(path, buf_string(&text), &file_schema, &file, err);
	c->file = file;
	rc = rc ? rc : unused_check(c, path, buf_string(&text), err);
	if (rc != 0)
		config_done(c);
	buf_done(&text);
	return rc;
}

int config_read(const char *path, struct config *out, struct err *err)
{
	struct config c = { 0 };
	int rc = load(path, &c, err);

	if (rc != 0)
		return rc;
	rc = check_file(&c, err);
	if (rc == 0 && asks_dns(&c)) {
		rc = resolver_config_of(&c.file->resolver, &c.resolver, err);
		c.has_resolver = rc == 0;
	}
	if (rc != 0) {
		config_done(&c);
		return err_wrap(err, rc, "%s", path);
	}
	/* Started again behind the walls, the helper can be nobody else any more. */
	c.resolver.config.user = c.file->user;
	*out = c;
	return 0;
}

void config_done(struct config *c)
{
	if (c->has_resolver)
		resolver_config_done(&c->resolver);
	for (unsigned i = 0; c->file && i < c->file->listeners_count; i++)
		free(c->file->listeners[i].inner);
	if (c->file)
		config_free(&file_schema, c->file);
	*c = (struct config){ 0 };
}
