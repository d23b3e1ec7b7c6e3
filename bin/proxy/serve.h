/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serve - one worker: a loop, a resolver, every pass, until it is told to stop and has drained.
 *
 *   resolver > passes (credentials) > walls > sockets > ready > loop > SIGHUP or SIGTERM: accepts
 *   no more > what is open ends by itself, or, after SIGTERM, when drain is over
 *
 *   Turns      credentials are opened by one worker after the other: to log into a token of
 *              SoftHSM's writes into its files, and who reads them meanwhile finds no key.
 *   Process    it is a process of its own, with one thread; its parent is supervise.
 *   Errors     words.
 */
#ifndef PROXY_SERVE_H
#define PROXY_SERVE_H

#include "proxy/board.h"

/* One that an end listens on. */
struct serve_socket {
	unsigned end;
	int fd;
};

struct serve_config {
	const struct config *config;
	struct board_slot *slot;
	int turn_fd;                  /* a file that is locked meanwhile */
	struct serve_socket *sockets; /* the callee's from now on */
	unsigned sockets_count;
	void (*ready)(void *arg);
	void *arg;
};

/* Returns when it has drained. */
int serve_run(const struct serve_config *config, struct err *err);

/* Opens what can be opened without sockets, and closes it: credentials, rules, resolver. */
int serve_check(const struct config *config, struct err *err);

#endif
