/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sardane-joind - the Join Server: says which device may join, and gives out session keys.
 *
 *   configuration > resolver > TLS > listener > sandbox > database and its thread > loop
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "joind/serve.h"
#include "net/loop.h"
#include "net/resolving.h"
#include "net/secure.h"
#include "program/log.h"
#include "program/notify.h"
#include "program/options.h"
#include "program/walls.h"
#include "tls/server.h"

#define DRAIN_MS 5000

struct joind {
	struct config config;
	uv_loop_t loop;
	struct serve serve;
	struct resolver *resolver;
	struct resolving *resolving;
	struct tls_server *tls;
	struct http_server *http;
	struct loop_watch *watch;
};

static const struct options_program program = {
	.name = "sardane-joind",
	.summary =
		"Join Server: decides which LoRaWAN device may join, and gives out session keys.",
	.config = "/etc/sardane/joind.yaml",
};

static int open_resolver(struct joind *j, struct err *err)
{
	int rc;

	if (!j->config.has_resolver)
		return 0;
	/* Started again behind the walls, it can be nobody else any more. */
	j->config.resolver.config.user = j->config.file->user;
	rc = resolver_new(&j->config.resolver.config, &j->resolver, err);
	return rc ? rc : resolving_new(&j->loop, j->resolver, &j->resolving, err);
}

static int open_tls(struct joind *j, struct err *err)
{
	return secure_server_new(&j->config.file->join_server.tls, "join_server", j->config.policy,
		j->resolver, &j->tls, err);
}

static int open_binding(struct joind *j, struct err *err)
{
	struct binding_config config = {
		.policy = j->config.policy,
		.resolver = j->resolver,
		.net_id_suffix = j->config.file->resolve_net_id_domain_suffix,
		.as_id_by_name = j->config.file->as_id_by_name,
	};

	return j->tls ? binding_new(&config, &j->serve.binding, err) : 0;
}

static int open_keeper(struct joind *j, struct err *err)
{
	struct keeper_config config = {
		.loop = &j->loop,
		.path = j->config.file->database,
		.root_kek = &j->config.root_kek,
		.policy = &j->config.decide,
		.group_max = j->config.file->join_server.group_max,
	};

	return keeper_new(&config, &j->serve.keeper, err);
}

static int open_http(struct joind *j, struct err *err)
{
	const char *bind = j->config.file->join_server.tls.bind;
	struct http_server_config config = {
		.loop = &j->loop,
		.bind = bind ? bind : "0.0.0.0:8003",
		.tls = j->tls,
		.resolver = j->resolver,
		.handle = serve_handle,
		.arg = &j->serve,
		.body_max = DOC_OCTETS_MAX,
	};

	return http_server_new(&config, &j->http, err);
}

/* The server is closed and drained; what is still in the keeper is answered by keeper_free. */
static void drained(void *arg)
{
	struct joind *j = arg;

	j->http = NULL;
	keeper_free(j->serve.keeper);
	j->serve.keeper = NULL;
	loop_watch_free(j->watch);
	j->watch = NULL;
	resolving_free(j->resolving);
	j->resolving = NULL;
}

static void stop(void *arg)
{
	struct joind *j = arg;

	log_info("joind.stop", "open=%u accepted=%llu refused=%llu", j->serve.open,
		(unsigned long long)j->serve.accepted, (unsigned long long)j->serve.refused);
	notify_send("STOPPING=1");
	http_server_close(j->http, DRAIN_MS, drained, j);
}

static int enter_sandbox(struct joind *j, struct err *err)
{
	const struct config_file *file = j->config.file;

	return walls_enter(
		&(struct walls){ .user = file->user,
			.wanted = file->sandbox,
			.resolver = j->config.has_resolver ? &j->config.resolver.config : NULL,
			.files = { file->database } },
		err);
}

static int start(struct joind *j, struct err *err)
{
	int rc = open_resolver(j, err);

	rc = rc ? rc : open_tls(j, err);
	rc = rc ? rc : open_binding(j, err);
	rc = rc ? rc : loop_watch_new(&j->loop, stop, NULL, j, &j->watch, err);
	rc = rc ? rc : open_http(j, err);
	rc = rc ? rc : enter_sandbox(j, err);
	/* The thread of the database, too, lives behind the walls. */
	rc = rc ? rc : open_keeper(j, err);
	if (!rc) {
		log_info("joind.ready", "port=%u mode=%s database=%s pid=%d",
			http_server_port(j->http),
			j->tls ? tls_config_modes[j->config.mode - 1].str : "insecure-plain",
			log_value(j->config.file->database), (int)getpid());
		notify_send("READY=1");
	}
	return rc;
}

/* What start opened, in whatever state it is. */
static void finish(struct joind *j)
{
	if (j->http)
		http_server_close(j->http, 0, drained, j);
	else if (j->serve.keeper || j->watch)
		drained(j);
}

static int run(struct joind *j, struct err *err)
{
	int rc;

	j->serve.config = &j->config;
	if (uv_loop_init(&j->loop))
		return err_set(err, ERR_SYSTEM, "loop: no memory");
	rc = start(j, err);
	if (rc)
		finish(j);
	uv_run(&j->loop, UV_RUN_DEFAULT);
	binding_free(j->serve.binding);
	tls_server_free(j->tls);
	resolver_free(j->resolver);
	loop_close(&j->loop, rc ? NULL : err);
	return rc;
}

int main(int argc, char **argv)
{
	struct joind j = { 0 };
	struct options options;
	struct err err = { 0 };
	int rc = options_read(&program, argc, argv, &options);

	if (rc >= 0)
		return rc;
	rc = config_read(options.config, &j.config, &err);
	if (!rc && options.check)
		rc = secure_check(&j.config.file->join_server.tls, "join_server", &err);
	if (!rc && options.check)
		printf("%s: fine\n", options.config);
	else if (!rc)
		rc = run(&j, &err);
	if (rc)
		log_error("joind.failed", "reason=%s", log_value(err.msg));
	config_done(&j.config);
	return rc ? 2 : 0;
}
