/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loop - what every server does with its loop: signals, and an orderly end.
 *
 *   loop_watch > uv_run > SIGTERM or SIGINT: stop(arg), which closes what it opened;
 *   a second one ends the process at once. SIGHUP: reload(arg). SIGPIPE is ignored.
 */
#ifndef NET_LOOP_H
#define NET_LOOP_H

#include <uv.h>

#include "core/err.h"

struct loop_watch;

/* stop and reload may be NULL. The watch does not keep the loop alive. */
int loop_watch_new(uv_loop_t *loop, void (*stop)(void *arg), void (*reload)(void *arg), void *arg,
	struct loop_watch **out, struct err *err);
void loop_watch_free(struct loop_watch *w);

/* Runs what is left until every handle is closed, then closes the loop. For the very end:
 * a handle that is still open then is a bug, and is reported by the return value. */
int loop_close(uv_loop_t *loop, struct err *err);

#endif
