/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sardane-proxy - mutual DANE for programs that have never heard of it.
 *
 *   configuration > supervise: sockets, workers > serve: one worker > pass: each entry
 */
#include <stdio.h>
#include <sys/resource.h>

#include "program/log.h"
#include "program/options.h"
#include "proxy/handover.h"
#include "proxy/serve.h"
#include "proxy/status.h"
#include "proxy/supervise.h"

static const struct options_program program = {
	.name = "sardane-proxy",
	.summary = "Mutual DANE beside programs that speak plain TCP: TLS in, TLS out.",
	.config = "/etc/sardane/proxy.yaml",
};

enum { NOT_IN_DNS = 3 };

/* As many connections as may be: two descriptors each. */
static void raise_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

int main(int argc, char **argv)
{
	struct config config = { 0 };
	struct options options;
	struct err err = { 0 };
	unsigned bad = 0;
	int rc;

	handover_remember(argv);
	rc = options_read(&program, argc, argv, &options);

	if (rc >= 0)
		return rc;
	rc = config_read(options.config, &config, &err);
	if (rc == 0 && options.check)
		rc = serve_check(&config, &err);
	if (rc == 0 && options.check)
		rc = status_check(&config, &bad, &err);
	if (rc != 0) {
		log_error("proxy.failed", "reason=%s", log_value(err.msg));
	} else if (options.check) {
		printf("%s: %s\n", options.config,
			bad ? "fine, but DNS does not say so of our names" : "fine");
		rc = bad ? NOT_IN_DNS : 0;
	} else {
		raise_descriptors();
		rc = supervise_run(options.config, &config);
	}
	config_done(&config);
	return rc < 0 ? 2 : rc;
}
