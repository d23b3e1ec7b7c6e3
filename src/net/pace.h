/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pace - one turn of the loop: how long it has worked, and what may still be begun in it.
 *
 *   add   > at the end of a turn: a step that cannot be cut, the longest waiting first
 *   now   > at once, when the turn is young; else at its end too
 *   until > the share of everybody else, who have the rest for a later turn
 *
 *   A turn is what the loop works between two waits. A step of a handshake is half a
 *   millisecond: it runs at the end of a turn that has worked less than 0.2 ms, so that the two
 *   together are short; and everybody's share is a third as long while one waits, so that the
 *   turns are. The share is a third too in a turn that has worked 0.3 ms, whatever waits.
 *   Two hundred steps that wait slow each other, and not those who have nothing to do with them.
 *
 *   Starving   nobody does. The first step is passed over in PASSES turns at most, by work that
 *              came in the same turn, and then goes first whatever that took. All others have
 *              a third of their share in every turn, and what is urgent is run in every turn
 *              or, when a step goes first, in the next.
 *   Spinning   when asked for: a loop to which something came soon after it had rested looks for
 *              what comes next for some microseconds, and sleeps then. To be woken takes longer
 *              than many a backend takes to answer. Who waits longer is not spun for; and a loop
 *              that looked in vain more than one time in three leaves it for SPIN_REST events.
 *   Time       of the clock, so that a machine that is busy shortens turns, not the other way.
 *   Ownership  the loop has one, found among its handles, taken by all who work there; it goes
 *              with the last of them. A job lies in its owner's memory, and is removed before
 *              that goes. When it runs it is no longer queued: it may add itself, or be freed.
 */
#ifndef NET_PACE_H
#define NET_PACE_H

#include <stdbool.h>
#include <uv.h>

#define SPIN_REST 256

struct pace;
struct pace_queue;

struct pace_job {
	void (*run)(void *arg);
	void *arg;
	/* private */
	struct pace_job *next, **at;
	struct pace_queue *in; /* NULL: it is not queued */
};

/* The loop's; NULL: no memory. Queued jobs keep the loop alive, the pace alone does not. */
struct pace *pace_take(uv_loop_t *loop);
void pace_give(struct pace *p); /* NULL: nothing. The last: no job is queued; frees in a turn */

void pace_add(struct pace *p, struct pace_job *job); /* nothing when it is queued already */
void pace_now(struct pace *p, struct pace_job *job); /* likewise; may run it */
void pace_remove(struct pace_job *job);              /* nothing when it is not */

/* From now on; 0: it sleeps at once. The loop has its pace already, or nothing happens. */
void pace_spin(uv_loop_t *loop, unsigned us);
void pace_stir(struct pace *p); /* something came: it may be worth to look for more */

/* The time of uv_hrtime at which the share of this turn ends that whoever asks begins now. */
uint64_t pace_until(struct pace *p, uint64_t now_ns, uint64_t share_ns);
bool pace_is_tight(struct pace *p); /* shares are a third now */

#endif
