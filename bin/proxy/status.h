/* SPDX-License-Identifier: Apache-2.0 */
/*
 * status - the process that tells what the workers do, over HTTP on this machine alone.
 *
 *   GET /metrics   for Prometheus (metrics.h)          GET /peers    who is connected, JSON
 *   GET /healthz   200 "ok", or 503 and why not        GET /status   the numbers, JSON
 *
 *   Healthy    some worker's loop turns; the resolver answers; no certificate has expired; DNS
 *              says of our own names what our certificates are (own.h).
 *   Process    one for each configuration, like a worker, behind the same walls; it reads the
 *              boards and cannot write to them.
 *   Errors     words.
 */
#ifndef PROXY_STATUS_H
#define PROXY_STATUS_H

#include "proxy/board.h"
#include "proxy/own.h"

struct status_config {
	const struct config *config;
	const struct board_view *view;
	int fd; /* bound; the callee's from now on */
	void (*ready)(void *arg);
	void *arg;
};

/* Returns when it is told to end. */
int status_run(const struct status_config *config, struct err *err);

/* Opens what our own names need, asks, and says what DNS says: a log line for each that is wrong.
 * *bad: how many are. For --check. */
int status_check(const struct config *config, unsigned *bad, struct err *err);

#endif
