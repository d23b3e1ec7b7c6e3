/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/loop.h"
#include "networkd/server.h"
#include "program/log.h"
#include "program/notify.h"
#include "program/options.h"
#include "program/sandbox.h"

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

/* The folder of the database: SQLite makes files beside it. */
static void folder_of(const char *path, char *out, size_t cap)
{
	const char *slash = strrchr(path, '/');

	snprintf(out, cap, "%.*s", slash ? (int)(slash - path) : 1, slash ? path : ".");
	if (slash == path)
		snprintf(out, cap, "/");
}

/* What each new connection reads again: our certificate and key, the authorities. */
static void add_files(const struct tls_block *b, const char **list, unsigned *n)
{
	const char *files[] = { b->tls_cert, b->tls_key, b->ca_cert };

	for (unsigned i = 0; i < 3; i++)
		if (files[i])
			list[(*n)++] = files[i];
}

/* Everything is open. resolverd may be started again when it dies, nothing else ever. */
static int enter_sandbox(const struct settings *settings, const struct resolver_config *resolver,
	struct err *err)
{
	const char *read[16] = { "/etc", "/usr", "/lib", "/dev/urandom" };
	bool wanted = !settings->sandbox || *settings->sandbox;
	const char *exec[] = { resolver->helper ? resolver->helper : RESOLVERD_PATH, NULL };
	const char *write[] = { NULL, NULL, NULL };
	const char *words = "";
	unsigned reads = 4;
	char folder[512], anchors[512];
	struct sandbox box = { .user = settings->user,
		.read = read,
		.write = write,
		.exec = exec,
		.landlock = wanted,
		.seccomp = wanted };
	int rc;

	folder_of(settings->database, folder, sizeof(folder));
	write[0] = folder;
	if (resolver->trust_anchor_managed) {
		folder_of(resolver->trust_anchor_managed, anchors, sizeof(anchors));
		write[1] = anchors;
	}
	/* A resolverd started again inherits the walls and reads these anew. */
	if (resolver->trust_anchor_file)
		read[reads++] = resolver->trust_anchor_file;
	if (resolver->resolv_conf)
		read[reads++] = resolver->resolv_conf;
	add_files(&settings->join_server.tls, read, &reads);
	add_files(&settings->application_server.tls, read, &reads);
	rc = sandbox_enter(&box, &words, err);
	if (rc == 0)
		log_info("sandbox.entered", "with=%s", words);
	return rc;
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
	rc = rc ? rc : enter_sandbox(settings, &s->resolver_settings.config, err);
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

int main(int argc, char **argv)
{
	struct settings *settings = NULL;
	struct options options;
	struct err err = { 0 };
	int rc = options_read(&program, argc, argv, &options);

	if (rc >= 0)
		return rc;
	if (config_settings_load(options.config, &settings, &err) < 0) {
		log_error("config.refused", "why=%s", log_value(err.msg));
		return EXIT_FAILURE;
	}
	rc = options.check ? 0 : serve(settings, &err);
	if (rc < 0)
		log_error("stopped", "why=%s", log_value(err.msg));
	else if (options.check)
		printf("%s: fine\n", options.config);
	config_settings_free(settings);
	return rc < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
