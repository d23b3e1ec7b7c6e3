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

#include "proxy/config.h"
#include "resolve/resolver.h"

struct pass;

/* Everything but the socket: credentials, rules, target. ends is an index for config_end_at. */
int pass_open(uv_loop_t *loop, const struct config *config, unsigned end, struct resolver *resolver,
	struct pass **out, struct err *err);
/* fd listens, and is the pass's from now on. */
int pass_listen(struct pass *p, int fd, struct err *err);

void pass_stop(struct pass *p);            /* accepts no more */
unsigned pass_count(const struct pass *p); /* connections that are open */
/* Closes what is open, stopped or not; freed when the loop has turned. NULL: nothing. */
void pass_close(struct pass *p);

#endif
