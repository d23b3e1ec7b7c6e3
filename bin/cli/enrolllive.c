/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/connect.h"
#include "cli/enroll.h"
#include "publish/child.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#define RELOAD_MS 60000
#define PAUSE_MS  500
#define LISTEN_MS 200 /* whether the server objects to a client without a name: it may */

int enroll_reload(const struct enrolment *e, const char *command, struct err *err)
{
	struct buf name = { 0 }, cert = { 0 }, key = { 0 };
	int rc;

	buf_printf(&name, "SARDANE_NAME=%s", e->name);
	buf_printf(&cert, "SARDANE_CERT=%s.pem", e->prefix);
	buf_printf(&key, "SARDANE_KEY=%s-key.pem", e->prefix);

	const char *const variables[] = { buf_string(&name), buf_string(&cert), buf_string(&key),
		NULL };

	if (variables[0] && variables[1] && variables[2])
		rc = child_run(command, variables, RELOAD_MS, err);
	else
		rc = err_set(err, ERR_NOMEM, "out of memory");
	buf_done(&name);
	buf_done(&cert);
	buf_done(&key);
	return rc;
}

/* One connection. A server that wants a name of its clients refuses us once it has proved
 * itself; that it has is all we ask. */
static int connect_once(const struct enrolment *e, const struct service_target *target,
	struct enroll_live *out, struct err *err)
{
	const struct connect_manner manner = { .wait_ms = LISTEN_MS };
	const struct tls_client_config tls = { .mode = TLS_DANE };
	struct connect *c = calloc(1, sizeof(*c));
	int rc = c ? connect_find(c, e->tools.resolver, target, TLS_DANE, err)
		   : err_set(err, ERR_NOMEM, "out of memory");

	if (rc == 0)
		rc = connect_greet(c, &tls, &manner, err);
	if (rc == 0) {
		out->authenticated = c->greeted && c->peer.authenticated;
		snprintf(out->why, sizeof(out->why), "%.63s%s%.140s", c->address,
			c->address[0] ? ": " : "",
			c->greeted                          ? c->peer.reason
				: c->trouble[0]             ? c->trouble
				: c->service && c->endpoint ? "no handshake"
							    : "no address, or no TLSA");
	}
	if (c)
		connect_done(c);
	free(c);
	return rc;
}

int enroll_connect(const struct enrolment *e, struct enroll_live *out, struct err *err)
{
	struct service_target target = { .start = SERVICE_HOST,
		.name = e->identity,
		.port = (uint16_t)strtoul(e->service, NULL, 10) };
	const double end = connect_now() + e->tools.wait_ms;
	int rc;

	signal(SIGPIPE, SIG_IGN);
	for (;;) {
		rc = connect_once(e, &target, out, err);
		if (rc != 0 || out->authenticated || connect_now() + PAUSE_MS > end)
			return rc;
		poll(NULL, 0, PAUSE_MS);
	}
}
