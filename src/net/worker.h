/* SPDX-License-Identifier: Apache-2.0 */
/*
 * worker - a thread beside the loop, for what waits for a disk.
 *
 *   loop: worker_put > queue > thread: work, all that wait as one group > loop: done, each
 *
 *   Order      jobs are worked, and done, in the order they were put.
 *   Why        durability is one fsync; while it runs the next group gathers, so a slow disk
 *              makes groups larger instead of jobs slower. The loop never waits for a disk.
 *   Bounds     waiting_max jobs in the queue, group_max in a group; a share of a turn of the
 *              loop for done, and what the job that crosses it still takes.
 *   Threads    worker_put, worker_free and done on the loop's thread; work on the worker's.
 *              It begins in worker_new: behind the walls, when the caller already is.
 *   Ownership  a job is the caller's memory, untouched by it from put to done.
 */
#ifndef NET_WORKER_H
#define NET_WORKER_H

#include <stdbool.h>
#include <uv.h>

#include "core/err.h"

struct worker;

struct worker_job {
	struct worker_job *next; /* of the group, while it is worked; otherwise private */
};

struct worker_config {
	uv_loop_t *loop;
	unsigned waiting_max, group_max;
	void (*work)(void *arg, struct worker_job *first, unsigned n);
	void (*done)(void *arg, struct worker_job *job);
	void *arg;
};

int worker_new(const struct worker_config *config, struct worker **out, struct err *err);
/* Works what waits, ends the thread, calls the last done; closes with the loop's next turn. */
void worker_free(struct worker *w);

/* False: too many wait; the job stays the caller's and done is not called. */
bool worker_put(struct worker *w, struct worker_job *job);

#endif
