/* SPDX-License-Identifier: Apache-2.0 */
/*
 * due - what falls due next: a heap of deadlines that live inside their owners.
 *
 *   Time       ms.
 *   Ownership  the heap owns its array alone; a node must be taken out before it goes.
 */
#ifndef NETWORK_DUE_H
#define NETWORK_DUE_H

#include "core/err.h"

#include <stdbool.h>
#include <stdint.h>

struct due_node {
	int64_t at_ms;
	uint32_t place; /* in the heap, from 1; 0: not in it */
};

struct due {
	struct due_node **heap; /* from 1 */
	uint32_t count, max;
};

int due_init(struct due *d, uint32_t max, struct err *err);
void due_done(struct due *d);

/* Puts the node in, or moves it when it is in. There is place for max nodes. */
void due_set(struct due *d, struct due_node *n, int64_t at_ms);
void due_clear(struct due *d, struct due_node *n);
struct due_node *due_first(const struct due *d); /* NULL when empty */

#endif
