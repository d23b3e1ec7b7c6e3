/* SPDX-License-Identifier: Apache-2.0 */
#include "applicationd/server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "applicationd/socket.h"
#include "core/secret.h"
#include "net/secure.h"
#include "program/log.h"
#include "program/walls.h"
#include "store/kekfile.h"

/* What the last run left: sessions with their spent counters, and downlinks. */
static int restore_session(void *arg, const struct session *session, unsigned age, struct err *err)
{
	struct server *s = arg;

	return application_restore_session(s->app, session, age, err);
}

static int restore_downlink(void *arg, const struct downlink *d, struct err *err)
{
	struct server *s = arg;

	return application_restore_downlink(s->app, d, err);
}

static int open_engine(struct server *s, struct err *err)
{
	const struct settings *c = s->settings;
	struct application_config config = { .hold_ms = c->hold_ms,
		.queue_max = c->queue_max,
		.devices_max = c->devices_max,
		.trace = log_trace() };
	SECRET kek = { 0 };
	int rc;

	config_unknown(c, &config);
	rc = application_new(&config, &s->app, err);
	rc = rc ? rc : config_devices(c, s->app, err);
	rc = rc ? rc : config_keks(c, &s->keks, err);
	if (rc == 0 && c->session_key_kek_file)
		rc = kekfile_read(c->session_key_kek_file, &kek, err);
	rc = rc ? rc : asession_open(c->database, &kek, &s->store, err);
	rc = rc ? rc : asession_sessions(s->store, restore_session, s, err);
	rc = rc ? rc : asession_downlinks(s->store, restore_downlink, s, err);
	return rc ? rc : outlet_open(&s->outlet, c->events, !c->fsync || *c->fsync, err);
}

static int open_resolver(struct server *s, struct err *err)
{
	int rc;

	if (!config_asks_dns(s->settings))
		return 0;
	rc = resolver_config_of(&s->settings->resolver, &s->resolver_settings, err);
	/* Started again behind the walls, it can be nobody else any more. */
	s->resolver_settings.config.user = s->settings->user;
	rc = rc ? rc : resolver_new(&s->resolver_settings.config, &s->resolver, err);
	return rc ? rc : resolving_new(&s->loop, s->resolver, &s->resolving, err);
}

static int open_client(struct server *s, const struct tls_block *b, const char *where,
	struct tls_client **tls, struct http_client **client, struct err *err)
{
	struct http_client_config config = { .loop = &s->loop,
		.mode = secure_mode(b),
		.resolver = s->resolver,
		.timeout_ms = s->settings->timeout_ms };
	int rc = secure_client_new(b, where, tls, err);

	config.tls = *tls;
	return rc ? rc : http_client_new(&config, client, err);
}

/* Without a certificate of its own, network_server uses join_server's. */
static int open_clients(struct server *s, struct err *err)
{
	const struct tls_block *js = &s->settings->join_server.tls;
	const struct tls_block *ns = &s->settings->network_server.tls;
	int rc = open_client(s, js, "join_server", &s->js_tls, &s->js_client, err);

	if (rc == 0 && (ns->tls_cert || ns->insecure_plain))
		rc = open_client(s, ns, "network_server", &s->ns_tls, &s->ns_client, err);
	return rc;
}

static int open_listener(struct server *s, struct err *err)
{
	const struct tls_block *b = &s->settings->backend_interfaces;
	struct http_server_config http = { .loop = &s->loop,
		.bind = b->bind,
		.resolver = s->resolver,
		.handle = server_request,
		.arg = s };
	int rc = secure_server_new(b, "backend_interfaces", s->policy, s->resolver, &s->tls, err);

	http.tls = s->tls;
	return rc ? rc : http_server_new(&http, &s->http, err);
}

static int open_rules(struct server *s, struct err *err)
{
	struct binding_config config = { .resolver = s->resolver,
		.net_id_suffix = s->settings->network_server.resolve_net_id_domain_suffix };
	int rc;

	/* Plain HTTP on loopback has no names to bind. */
	if (s->settings->backend_interfaces.insecure_plain)
		return 0;
	rc = policy_new(s->settings->clients, s->settings->clients_count, &s->policy, err);
	config.policy = s->policy;
	return rc ? rc : binding_new(&config, &s->binding, err);
}

static int open_socket(struct server *s, struct err *err)
{
	const char *path = s->settings->command_socket;

	return path && path[0] ? socket_open(s, path, &s->socket, err) : 0;
}

static int open_sandbox(struct server *s, struct err *err)
{
	const struct settings *c = s->settings;

	return walls_enter(&(struct walls){ .user = c->user,
				   .wanted = c->sandbox,
				   .resolver = s->resolver ? &s->resolver_settings.config : NULL,
				   .files = { c->database, c->events, c->command_socket } },
		err);
}

static void http_closed(void *arg)
{
	struct server *s = arg;

	s->http = NULL;
	uv_stop(&s->loop);
}

static void stop(void *arg)
{
	struct server *s = arg;

	log_info("stop", "open=%zu", application_open(s->app));
	s->stopping = true;
	socket_close(s->socket);
	s->socket = NULL;
	http_server_close(s->http, SERVER_DRAIN_MS, http_closed, s);
}

static void rung(void *arg)
{
	server_turn(arg);
}

static void reload(void *arg)
{
	struct server *s = arg;

	s->reopen = true;
	server_turn(s);
}

int server_open(struct server *s, struct settings *settings, struct err *err)
{
	int rc;

	*s = (struct server){ .settings = settings, .outlet.fd = -1 };
	rc = uv_loop_init(&s->loop);
	if (rc < 0)
		return err_set(err, ERR_SYSTEM, "loop: %s", uv_strerror(rc));
	s->loop_open = true;
	alarm_init(&s->alarm, &s->loop, rung, s);
	rc = open_engine(s, err);
	rc = rc ? rc : open_resolver(s, err);
	rc = rc ? rc : open_rules(s, err);
	rc = rc ? rc : open_clients(s, err);
	rc = rc ? rc : open_socket(s, err);
	rc = rc ? rc : open_listener(s, err);
	rc = rc ? rc : loop_watch_new(&s->loop, stop, reload, s, &s->watch, err);
	rc = rc ? rc : open_sandbox(s, err);
	/* The thread of the disk, too, lives behind the walls. */
	return rc ? rc : server_start(s, err);
}

/* Clients go first: what still waits for them is answered by it. */
void server_close(struct server *s)
{
	struct err err;

	s->stopping = true;
	server_stop_writing(s);
	http_client_free(s->js_client);
	http_client_free(s->ns_client);
	s->js_client = s->ns_client = NULL;
	binding_free(s->binding);
	socket_close(s->socket);
	if (s->http)
		http_server_close(s->http, 0, NULL, NULL);
	loop_watch_free(s->watch);
	resolving_free(s->resolving);
	alarm_close(&s->alarm);
	if (s->loop_open && loop_close(&s->loop, &err) < 0)
		log_error("stop.fail", "reason=%s", log_value(err.msg));
	tls_server_free(s->tls);
	tls_client_free(s->js_tls);
	tls_client_free(s->ns_tls);
	resolver_free(s->resolver);
	resolver_config_done(&s->resolver_settings);
	policy_free(s->policy);
	application_free(s->app);
	asession_close(s->store);
	outlet_close(&s->outlet);
	if (s->keks)
		secret_wipe_octets(s->keks, s->settings->keks_count * sizeof(*s->keks));
	free(s->keks);
}
