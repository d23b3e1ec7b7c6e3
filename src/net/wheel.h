/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wheel - deadlines, coarse, so many of them that what is not due yet must cost nothing.
 *
 *   slots  64 of one tick | 64 of 64 ticks | 64 of 4096 ticks      tick: WHEEL_TICK_MS
 *   by > in the slot that is turned to at its time, or before > due > pop
 *
 *   Early      a node of a wide slot is popped when that slot begins: whoever pops one looks
 *              whether it is time, and sets it again when it is not. So nothing is moved from
 *              slot to slot, a turn costs the same however many wait, and each of them is
 *              looked at a few times until its hour, not in every tick.
 *   Late       by a tick at most, beside what the owner of the loop takes to turn.
 *   Time       ms of one clock, handed in.
 *   Ownership  nodes lie in their owners' memory, zeroed, and are removed before that goes.
 */
#ifndef NET_WHEEL_H
#define NET_WHEEL_H

#include <stdbool.h>
#include <stdint.h>

#define WHEEL_TICK_MS 250
#define WHEEL_SLOTS   64
#define WHEEL_LEVELS  3

struct wheel_node {
	struct wheel_node *next, *prev; /* NULL: it does not wait */
	int64_t by_ms;                  /* popped not after this */
};

struct wheel {
	struct wheel_node slot[WHEEL_LEVELS][WHEEL_SLOTS], due; /* each the head of a ring */
	int64_t tick;                                           /* up to this one it is turned */
	unsigned count;
};

void wheel_init(struct wheel *w);

/* The node is popped at by_ms at the latest. One that waits for something sooner is left there:
 * then false, and nothing that was known of when to turn has changed. */
bool wheel_by(struct wheel *w, struct wheel_node *node, int64_t now_ms, int64_t by_ms);
void wheel_remove(struct wheel *w, struct wheel_node *node); /* nothing when it does not wait */

void wheel_turn(struct wheel *w, int64_t now_ms);
struct wheel_node *wheel_pop(struct wheel *w); /* NULL: none is due */

/* When to turn next; INT64_MAX: nothing waits. Before now: something is due. */
int64_t wheel_next_ms(const struct wheel *w);

#endif
