/* SPDX-License-Identifier: Apache-2.0 */
/*
 * alarm - calls at a time, or in the next turn of the loop; never twice in one turn.
 *
 *   For who does a share of what there is to do and comes back for the rest. A timer of libuv that
 *   sets itself again to now is called again before anybody else is, until nothing is left to do.
 *
 *   Time       ms from now; whatever is not in the future is the next turn, before it waits
 *   Ownership  lies in its owner's memory until the loop has closed its handles
 */
#ifndef NET_ALARM_H
#define NET_ALARM_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#define ALARM_NEVER INT64_MAX

struct alarm {
	/* private */
	uv_timer_t timer;
	uv_idle_t soon;
	void (*run)(void *arg);
	void *arg;
	bool open;
};

void alarm_init(struct alarm *a, uv_loop_t *loop, void (*run)(void *arg), void *arg);
void alarm_set(struct alarm *a, int64_t in_ms); /* instead of what was set; not open: nothing */
void alarm_close(struct alarm *a);              /* not open: nothing */

#endif
