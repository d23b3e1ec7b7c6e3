/* SPDX-License-Identifier: Apache-2.0 */
/*
 * transfer - POSTs over the connections to one service, by libcurl on the loop.
 *
 *   start --idle connection--> send > answer > done
 *     |none                     ^
 *     +--> TCP > TLS by tls_client_hook: the endpoint's TLSA decides
 *
 *   The flight of a server is read in portions of a tenth of a millisecond, and the last record
 *   of each: every one is a step of its own (net/pace.h, tls/portion.h).
 *   One struct transfers per service found: its connections rest on the TLSA found then,
 *   and are never shared with a later finding that says otherwise. A later finding that says
 *   the same, but lives longer, comes with the attempt: new connections are held to it.
 *   One attempt goes to one address. Which to try next is the caller's.
 *   Ownership  services are kept, by an attempt and by the connection it opens; an attempt's
 *              body is borrowed until done.
 */
#ifndef NET_TRANSFER_H
#define NET_TRANSFER_H

#include <uv.h>

#include "dane/service.h"
#include "net/pace.h"
#include "tls/client.h"

struct transfers;

struct transfer_config {
	uv_loop_t *loop;
	struct pace *pace;       /* of the loop: handshakes take turns */
	struct tls_client *tls;  /* NULL: plain HTTP, and no service */
	struct service *service; /* NULL for plain */
	unsigned connections_max;
	size_t body_max;
	/* A connection was made, so transfer_may_start may say otherwise now. Called from the
	 * depths of libcurl: take note, and start later. */
	void (*made)(void *arg);
	void *arg;
};

struct transfer_attempt {
	struct service *service;                 /* as found last; NULL for plain */
	const struct service_endpoint *endpoint; /* of it */
	unsigned address;                        /* of the endpoint's addresses */
	const char *url;                         /* plain: all of it; else the path, "/..." */
	struct span body;
	unsigned timeout_ms, connect_timeout_ms;
};

struct transfer_result {
	bool ok;
	bool unsent; /* not ok, and nothing was sent: another address may be tried */
	unsigned status;
	struct span body;
	const char *why;         /* "" when ok */
	const struct peer *peer; /* NULL when no handshake was made */
	bool reused;
	unsigned connect_ms;
};

typedef void transfer_done(void *arg, const struct transfer_result *result);

int transfer_open(const struct transfer_config *config, struct transfers **out, struct err *err);
/* Attempts under way end with ok false; connections are closed. Not from inside done. */
void transfer_close(struct transfers *t);

/* done is called once, maybe before this returns when memory is out. */
void transfer_start(struct transfers *t, const struct transfer_attempt *attempt,
	transfer_done *done, void *arg);

/* False while as many connections are being made as may be, and none is idle. */
bool transfer_may_start(const struct transfers *t);

unsigned transfer_count(const struct transfers *t); /* under way */

#endif
