/* SPDX-License-Identifier: Apache-2.0 */
#include "net/wheel.h"

#include <stddef.h>

#define SPAN (WHEEL_SLOTS * WHEEL_SLOTS * WHEEL_SLOTS) /* ticks */

static void ring_init(struct wheel_node *head)
{
	head->next = head->prev = head;
}

static bool ring_is_empty(const struct wheel_node *head)
{
	return head->next == head;
}

static void ring_add(struct wheel_node *head, struct wheel_node *node)
{
	node->prev = head->prev;
	node->next = head;
	head->prev->next = node;
	head->prev = node;
}

/* All of one ring to the end of another. */
static void ring_move(struct wheel_node *from, struct wheel_node *to)
{
	if (ring_is_empty(from))
		return;
	from->next->prev = to->prev;
	from->prev->next = to;
	to->prev->next = from->next;
	to->prev = from->prev;
	ring_init(from);
}

void wheel_init(struct wheel *w)
{
	for (unsigned level = 0; level < WHEEL_LEVELS; level++)
		for (unsigned i = 0; i < WHEEL_SLOTS; i++)
			ring_init(&w->slot[level][i]);
	ring_init(&w->due);
	w->tick = 0;
	w->count = 0;
}

/* Where what is due in a tick waits: in the finest slots that reach so far. */
static struct wheel_node *place(struct wheel *w, int64_t tick)
{
	int64_t ahead = tick - w->tick, width = 1;
	unsigned level = 0;

	if (ahead <= 0)
		return &w->due;
	if (ahead >= SPAN)
		tick = w->tick + SPAN - 1;
	while (level < WHEEL_LEVELS - 1 && ahead >= width * WHEEL_SLOTS) {
		width *= WHEEL_SLOTS;
		level++;
	}
	return &w->slot[level][tick / width % WHEEL_SLOTS];
}

void wheel_remove(struct wheel *w, struct wheel_node *node)
{
	if (!node->next)
		return;
	node->prev->next = node->next;
	node->next->prev = node->prev;
	node->next = node->prev = NULL;
	w->count--;
}

bool wheel_by(struct wheel *w, struct wheel_node *node, int64_t now_ms, int64_t by_ms)
{
	if (node->next && node->by_ms <= by_ms)
		return false;
	wheel_remove(w, node);
	/* Nobody turned it while it was empty. */
	if (w->count == 0)
		w->tick = now_ms / WHEEL_TICK_MS;
	node->by_ms = by_ms;
	ring_add(by_ms <= now_ms ? &w->due : place(w, (by_ms + WHEEL_TICK_MS - 1) / WHEEL_TICK_MS),
		node);
	w->count++;
	return true;
}

void wheel_turn(struct wheel *w, int64_t now_ms)
{
	while (w->count && w->tick < now_ms / WHEEL_TICK_MS) {
		int64_t width = 1;

		w->tick++;
		for (unsigned level = 0; level < WHEEL_LEVELS && w->tick % width == 0; level++) {
			ring_move(&w->slot[level][w->tick / width % WHEEL_SLOTS], &w->due);
			width *= WHEEL_SLOTS;
		}
	}
}

struct wheel_node *wheel_pop(struct wheel *w)
{
	struct wheel_node *node = w->due.next;

	if (node == &w->due)
		return NULL;
	wheel_remove(w, node);
	return node;
}

int64_t wheel_next_ms(const struct wheel *w)
{
	int64_t tick = w->tick;

	if (w->count == 0)
		return INT64_MAX;
	if (!ring_is_empty(&w->due))
		return 0;
	/* What waits in a wider slot comes at the latest when the finest have gone round once. */
	do
		tick++;
	while (tick % WHEEL_SLOTS && ring_is_empty(&w->slot[0][tick % WHEEL_SLOTS]));
	return tick * WHEEL_TICK_MS;
}
