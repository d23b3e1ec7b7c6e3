/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pace - work that may wait for a later turn of the loop, the longest waiting first.
 *
 *   add > before the loop's next wait: run, and the next, until a turn's share is spent
 *   now > at once, when the turn has some of its share left; else before those that were added
 *
 *   A handshake takes the loop most of a millisecond. Two hundred that have something to do at
 *   once slow each other, and not those who have nothing to do with them; two hundred answers
 *   that come at once do not stop the loop either, nor do they keep handshakes from a turn.
 *   Bounds     0.1 ms of a turn, and what the job that crosses it still takes.
 *   Ownership  a job lies in its owner's memory, and is removed before that goes. It is no
 *              longer queued when it runs: it may add itself again, or be freed there.
 */
#ifndef NET_PACE_H
#define NET_PACE_H

#include <stdbool.h>
#include <uv.h>

struct pace;
struct pace_queue;

struct pace_job {
	void (*run)(void *arg);
	void *arg;
	/* private */
	struct pace_job *next;
	struct pace_queue *in; /* NULL: it is not queued */
};

/* NULL: no memory. Queued jobs keep the loop alive, the pace alone does not. */
struct pace *pace_new(uv_loop_t *loop);
void pace_free(struct pace *p); /* no job is queued any more; frees with the loop's next turn */

void pace_add(struct pace *p, struct pace_job *job);    /* nothing when it is queued already */
void pace_now(struct pace *p, struct pace_job *job);    /* likewise; may run it */
void pace_remove(struct pace *p, struct pace_job *job); /* nothing when it is not */

#endif
