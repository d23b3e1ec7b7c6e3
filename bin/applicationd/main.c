/* SPDX-License-Identifier: Apache-2.0 */
/*
 * main - sardane-applicationd: uplinks in, decrypted events out, downlinks back.
 */
#include <stdio.h>

#include "applicationd/server.h"
#include "net/secure.h"
#include "program/log.h"
#include "program/notify.h"
#include "program/options.h"

static const struct options_program program = {
	.name = "sardane-applicationd",
	.summary = "LoRaWAN Application Server: decrypts uplinks, queues downlinks",
	.config = "/etc/sardane/applicationd.yaml",
};

static int fail(const char *event, const struct err *err)
{
	log_error(event, "reason=%s", log_value(err->msg));
	return 2;
}

static void say_ready(const struct server *s)
{
	struct application_stats stats;

	application_stats(s->app, &stats);
	log_info("applicationd.ready", "port=%u as_id=%s devices=%llu queued=%llu events=%s",
		http_server_port(s->http), log_value(s->settings->as_id),
		(unsigned long long)stats.devices, (unsigned long long)stats.queued,
		log_value(s->settings->events));
	notify_send("READY=1");
}

static void say_end(const struct server *s)
{
	struct application_stats stats;

	application_stats(s->app, &stats);
	log_info("end", "uplinks=%llu taken=%llu again=%llu handed=%llu sent=%llu queued=%llu",
		(unsigned long long)stats.uplinks,
		(unsigned long long)stats.by_verdict[UPLINK_TAKEN],
		(unsigned long long)stats.by_verdict[UPLINK_AGAIN],
		(unsigned long long)stats.handed, (unsigned long long)stats.sent,
		(unsigned long long)stats.queued);
}

static int serve(struct settings *settings)
{
	struct server server;
	struct err err = { 0 };
	int rc = server_open(&server, settings, &err);

	if (rc < 0) {
		fail("start", &err);
		server_close(&server);
		return 2;
	}
	say_ready(&server);
	server_turn(&server);
	uv_run(&server.loop, UV_RUN_DEFAULT);
	notify_send("STOPPING=1");
	say_end(&server);
	server_close(&server);
	return 0;
}

static int check(const struct settings *s, struct err *err)
{
	int rc = secure_check(&s->backend_interfaces, "backend_interfaces", err);

	rc = rc ? rc : secure_check(&s->join_server.tls, "join_server", err);
	rc = rc ? rc : secure_check(&s->network_server.tls, "network_server", err);
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
	if (config_read(options.config, &settings, &err) < 0)
		return fail("config", &err);
	if (!options.check)
		rc = serve(settings);
	else if ((rc = check(settings, &err)))
		rc = fail("config", &err);
	else
		printf("%s: fine\n", options.config);
	config_drop(settings);
	return rc;
}
