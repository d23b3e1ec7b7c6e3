/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serve - one HTTP request: understood, its sender's claim checked, decided, answered.
 *
 *   handle > body is JSON > header > message > may this name say this SenderID? > keeper > answer
 *
 *   Source     TS002-1.0.0, TS002-1.1.0.
 *   Status     200 with a Result for every error of the protocol; 4xx only when the body is
 *              no Backend Interfaces message at all, or this is no POST.
 *   Rule       nothing is looked up in the database for a sender that has not proved its id.
 *   Log        one line per request: join.accept, join.refuse, appskey.*, homens.*, request.refuse.
 *   Threads    the loop's.
 */
#ifndef JOIND_SERVE_H
#define JOIND_SERVE_H

#include "joind/config.h"
#include "joind/keeper.h"
#include "net/binding.h"
#include "net/http_server.h"

struct serve {
	const struct config *config;
	struct keeper *keeper;
	struct binding *binding; /* NULL: insecure_plain */
	unsigned open;           /* requests not answered yet */
	uint64_t accepted, refused;
};

/* http_server_config.handle with arg a struct serve. */
void serve_handle(void *arg, struct http_exchange *x);

#endif
