/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stall - how long one turn of the loop kept everybody waiting.
 *
 *   A turn is measured from the moment the poll returns to the moment the loop is about to
 *   wait again: what the loop worked, not what it slept.
 *   Time       microseconds of CLOCK_MONOTONIC.
 */
#ifndef NET_STALL_H
#define NET_STALL_H

#include <uv.h>

#include "core/err.h"

struct stall;

/* warn_us: a longer turn is a debug line "loop.stall took_us=..."; 0: never. */
int stall_new(uv_loop_t *loop, unsigned warn_us, struct stall **out, struct err *err);
void stall_free(struct stall *s);

struct stall_report {
	uint64_t turns;
	uint64_t longest_us;     /* of the clock: what a busy machine takes away is in it */
	uint64_t longest_cpu_us; /* of this thread: what our own work took */
	uint64_t total_us;
};

void stall_report(const struct stall *s, struct stall_report *out);
void stall_reset(struct stall *s); /* forgets the longest */

#endif
