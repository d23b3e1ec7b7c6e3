/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serve - one worker: a loop, a resolver, every pass, until it is told to stop and has drained.
 *
 *   resolver > passes (credentials) > sockets > walls > ready > loop > SIGTERM: accepts no more
 *   > what is open ends by itself, or when drain is over
 *
 *   Process    it is a process of its own, with one thread; its parent is supervise.
 *   Errors     words.
 */
#ifndef PROXY_SERVE_H
#define PROXY_SERVE_H

#include "proxy/config.h"

struct serve_config {
	const struct config *config;
	const int *fds; /* a listening socket for each end, the callee's from now on */
	void (*ready)(void *arg);
	void *arg;
};

/* Returns when it has drained. */
int serve_run(const struct serve_config *config, struct err *err);

/* Opens what can be opened without sockets, and closes it: credentials, rules, resolver. */
int serve_check(const struct config *config, struct err *err);

#endif
