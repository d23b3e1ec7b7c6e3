/* SPDX-License-Identifier: Apache-2.0 */
/*
 * echod - an HTTP server that sends bodies back, for the tests of net/.
 *
 *   echod CONFIG            YAML: server (tls block), clients, resolver, limits
 *   Prints "port N" when it listens. Paths: / echoes at once; /later after 50 ms;
 *   /never does not answer; /who says whom it believes to talk to.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/binding.h"
#include "net/http_server.h"
#include "net/loop.h"
#include "net/resolving.h"
#include "net/secure.h"
#include "net/stall.h"
#include "program/log.h"
#include "program/resolver_config.h"

struct echod_config {
	struct tls_block server;
	struct policy_rule *clients;
	unsigned clients_count;
	struct resolver_block resolver;
	char *net_id_suffix;
	unsigned body_max, connections_max, handshakes_max, per_source_max;
	unsigned handshake_timeout_ms, request_timeout_ms, idle_timeout_ms, drain_ms;
};

#define NUMBER(key) CYAML_FIELD_UINT(#key, CYAML_FLAG_OPTIONAL, struct echod_config, key)

static const cyaml_schema_field_t fields[] = {
	CYAML_FIELD_MAPPING("server", CYAML_FLAG_DEFAULT, struct echod_config, server,
		tls_config_fields),
	CYAML_FIELD_SEQUENCE("clients", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
		struct echod_config, clients, &policy_rule_schema, 0, 64),
	CYAML_FIELD_MAPPING("resolver", CYAML_FLAG_OPTIONAL, struct echod_config, resolver,
		resolver_config_fields),
	CYAML_FIELD_STRING_PTR("net_id_suffix", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
		struct echod_config, net_id_suffix, 1, 256),
	NUMBER(body_max),
	NUMBER(connections_max),
	NUMBER(handshakes_max),
	NUMBER(per_source_max),
	NUMBER(handshake_timeout_ms),
	NUMBER(request_timeout_ms),
	NUMBER(idle_timeout_ms),
	NUMBER(drain_ms),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t schema = CONFIG_SCHEMA(struct echod_config, fields);

struct echod {
	uv_loop_t loop;
	struct echod_config *config;
	struct resolver_settings settings;
	struct resolver *resolver;
	struct resolving *resolving;
	struct policy *policy;
	struct binding *binding;
	struct tls_server *tls;
	struct http_server *http;
	struct loop_watch *watch;
	struct stall *stall;
};

struct later {
	uv_timer_t timer;
	struct http_exchange *x;
};

static void later_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static void later_due(uv_timer_t *timer)
{
	struct later *l = timer->data;

	http_server_answer(l->x, 200, NULL, l->x->body);
	uv_close((uv_handle_t *)timer, later_closed);
}

static void bound(void *arg, enum binding_verdict verdict, const char *words)
{
	char text[600];

	snprintf(text, sizeof(text), "%s %s", binding_verdict_word(verdict), words);
	http_server_answer(arg, 200, "text/plain",
		(struct span){ (const uint8_t *)text, strlen(text) });
}

static void handle(void *arg, struct http_exchange *x)
{
	struct echod *d = arg;
	char words[NAME_TEXT_MAX + 128], name[NAME_TEXT_MAX] = "-";
	struct later *l;

	log_info("echo.request", "method=%s path=%s octets=%zu from=%s", log_value(x->method),
		log_value(x->path), x->body.n, x->address);
	if (strcmp(x->path, "/never") == 0)
		return;
	if (strcmp(x->path, "/later") == 0) {
		l = calloc(1, sizeof(*l));
		uv_timer_init(&d->loop, &l->timer);
		l->timer.data = l;
		l->x = x;
		uv_timer_start(&l->timer, later_due, 50, 0);
	} else if (d->binding && strncmp(x->path, "/net/", 5) == 0) {
		binding_check(d->binding, BINDING_NET_ID, x->path + 5, x->peer, bound, x);
	} else if (d->binding && strncmp(x->path, "/as/", 4) == 0) {
		binding_check(d->binding, BINDING_AS_ID, x->path + 4, x->peer, bound, x);
	} else if (strcmp(x->path, "/who") == 0) {
		if (x->peer->name.n)
			name_write_text(&x->peer->name, name, sizeof(name));
		snprintf(words, sizeof(words), "%s %s", name,
			x->peer->authenticated ? "authenticated" : "unknown");
		http_server_answer(x, 200, "text/plain",
			(struct span){ (const uint8_t *)words, strlen(words) });
	} else {
		http_server_answer(x, 200, NULL, x->body);
	}
}

static void closed(void *arg)
{
	struct echod *d = arg;
	struct stall_report r;

	stall_report(d->stall, &r);
	log_info("echo.end", "turns=%" PRIu64 " longest_us=%" PRIu64 " longest_cpu_us=%" PRIu64,
		r.turns, r.longest_us, r.longest_cpu_us);
	resolving_free(d->resolving);
	loop_watch_free(d->watch);
	stall_free(d->stall);
}

static void stop(void *arg)
{
	struct echod *d = arg;

	http_server_close(d->http, d->config->drain_ms, closed, d);
}

static int open_all(struct echod *d, struct err *err)
{
	struct echod_config *c = d->config;
	struct http_server_config http = {
		.loop = &d->loop,
		.bind = c->server.bind,
		.handle = handle,
		.arg = d,
		.body_max = c->body_max,
		.connections_max = c->connections_max,
		.handshakes_max = c->handshakes_max,
		.per_source_max = c->per_source_max,
		.handshake_timeout_ms = c->handshake_timeout_ms,
		.request_timeout_ms = c->request_timeout_ms,
		.idle_timeout_ms = c->idle_timeout_ms,
	};
	int rc = 0;

	if (!c->server.insecure_plain) {
		rc = resolver_config_of(&c->resolver, &d->settings, err);
		if (rc == 0)
			rc = resolver_new(&d->settings.config, &d->resolver, err);
		if (rc == 0)
			rc = resolving_new(&d->loop, d->resolver, &d->resolving, err);
		if (rc == 0)
			rc = policy_new(c->clients, c->clients_count, &d->policy, err);
		if (rc == 0)
			rc = binding_new(&(struct binding_config){ .policy = d->policy,
						 .resolver = d->resolver,
						 .net_id_suffix = c->net_id_suffix,
						 .as_id_by_name = true },
				&d->binding, err);
	}
	if (rc == 0)
		rc = secure_server_new(&c->server, "server", d->policy, d->resolver, &d->tls, err);
	http.tls = d->tls;
	http.resolver = d->resolver;
	if (rc == 0)
		rc = http_server_new(&http, &d->http, err);
	if (rc == 0)
		rc = loop_watch_new(&d->loop, stop, NULL, d, &d->watch, err);
	if (rc == 0)
		rc = stall_new(&d->loop, 2000, &d->stall, err);
	return rc;
}

int main(int argc, char **argv)
{
	struct echod d = { .config = NULL };
	struct err err = { 0 };
	void *loaded = NULL;

	log_open("echod", getenv("ECHOD_DEBUG") ? TRACE_DEBUG : TRACE_INFO, 0);
	if (argc != 2 || config_load(argv[1], &schema, &loaded, &err) != 0) {
		fprintf(stderr, "echod: %s\n", argc == 2 ? err.msg : "usage: echod CONFIG");
		return 2;
	}
	d.config = loaded;
	uv_loop_init(&d.loop);
	if (open_all(&d, &err) != 0) {
		fprintf(stderr, "echod: %s\n", err.msg);
		return 2;
	}
	printf("port %u\n", http_server_port(d.http));
	fflush(stdout);
	uv_run(&d.loop, UV_RUN_DEFAULT);
	if (loop_close(&d.loop, &err) != 0)
		fprintf(stderr, "echod: %s\n", err.msg);
	binding_free(d.binding);
	tls_server_free(d.tls);
	policy_free(d.policy);
	resolver_free(d.resolver);
	resolver_config_done(&d.settings);
	config_free(&schema, loaded);
	return err.code != 0;
}
