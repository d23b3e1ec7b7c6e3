/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pass - one entry of listeners or of outbound: a socket, who may come in, where it leads.
 *
 *   pass_open > pass_listen > accepting > pass_stop > draining > pass_close
 *
 *   Log        one line for each connection that was proved, when it ends ("proxy.end"); those
 *              that were not are net/verdict's.
 *   Ownership  config and resolver are borrowed and outlive it.
 */
#ifndef PROXY_PASS_H
#define PROXY_PASS_H

#include <uv.h>

#include "proxy/board.h"
#include "resolve/resolver.h"

struct pass;

struct pass_config {
	uv_loop_t *loop;
	const struct config *config;
	unsigned end; /* an index for config_end_at */
	struct resolver *resolver;
	struct board_slot *slot; /* where it counts; NULL: nowhere */
};

/* Everything but the socket: credentials, rules, target. */
int pass_open(const struct pass_config *c, struct pass **out, struct err *err);
/* fd is bound, and the pass's from now on; once or more. */
int pass_listen(struct pass *p, int fd, struct err *err);

void pass_stop(struct pass *p);            /* accepts no more */
unsigned pass_count(const struct pass *p); /* connections that are open */
unsigned pass_fronts(const struct pass *p);
void pass_set_gauges(const struct pass *p); /* what is open now, in the slot */
/* Closes what is open, stopped or not; freed when the loop has turned. NULL: nothing. */
void pass_count_drained(const struct pass *p); /* what is open is closed by us */
void pass_close(struct pass *p);

#endif
