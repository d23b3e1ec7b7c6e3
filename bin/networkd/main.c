/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "net/loop.h"
#include "net/secure.h"
#include "networkd/server.h"
#include "program/log.h"
#include "program/notify.h"
#include "program/options.h"
#include "program/walls.h"

static const struct options_program program = {
	.name = "sardane-networkd",
	.summary = "LoRaWAN Network Server: Semtech UDP in, Join Servers found and proved by DNS",
	.config = "/etc/sardane/networkd.yaml",
};

static void on_stop(void *arg)
{
	struct server **s = arg;

	notify_send("STOPPING=1");
	server_close(*s);
}

/* Everything is open. resolverd may be started again when it dies, nothing else ever. */
static int enter_sandbox(const struct settings *settings, const struct resolver_config *resolver,
	struct err *err)
{
	return walls_enter(&(struct walls){ .user = settings->user,
				   .wanted = settings->sandbox,
				   .resolver = resolver,
				   .files = { settings->database } },
		err);
}

static int serve(const struct settings *settings, struct err *err)
{
	struct loop_watch *watch = NULL;
	struct server *s = NULL;
	uv_loop_t loop;
	int rc;

	uv_loop_init(&loop);
	rc = server_open(&loop, settings, &s, err);
	rc = rc ? rc : loop_watch_new(&loop, on_stop, NULL, &s, &watch, err);
	rc = rc ? rc
		: enter_sandbox(settings, s->resolver ? &s->resolver_settings.config : NULL, err);
	/* The thread of the database, too, lives behind the walls. */
	rc = rc ? rc : server_start(s, err);
	if (rc == 0) {
		notify_send("READY=1");
		server_say_ready(s);
		uv_run(&loop, UV_RUN_DEFAULT);
	}
	server_close(s);
	loop_watch_free(watch);
	if (rc == 0)
		rc = loop_close(&loop, err);
	else
		loop_close(&loop, NULL);
	server_free(s);
	return rc;
}

static int check(const struct settings *s, struct err *err)
{
	int rc = secure_check(&s->join_server.tls, "join_server", err);

	rc = rc ? rc : secure_check(&s->application_server.tls, "application_server", err);
	rc = rc ? rc : secure_check(&s->api, "api", err);
	return rc || !config_asks_dns(s) ? rc : resolver_config_check(&s->resolver, err);
}

int main(int argc, char **argv)
{
	struct settings *settings = NULL;
	struct options options;
	struct err err = { 0 };
	int rc = options_read(&program, argc, argv, &options);

	if (rc >= 0)
		return rc;
	if (config_settings_load(options.config, &settings, &err) < 0) {
		log_error("config.refused", "reason=%s", log_value(err.msg));
		return 2;
	}
	rc = options.check ? check(settings, &err) : serve(settings, &err);
	if (rc < 0)
		log_error("stopped", "reason=%s", log_value(err.msg));
	else if (options.check)
		printf("%s: fine\n", options.config);
	config_settings_free(settings);
	return rc < 0 ? 2 : 0;
}
