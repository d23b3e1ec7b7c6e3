/* SPDX-License-Identifier: Apache-2.0 */
#include "network/due.h"

#include <stdlib.h>

int due_init(struct due *d, uint32_t max, struct err *err)
{
	struct due made = { .max = max };

	made.heap = calloc((size_t)max + 1, sizeof(*made.heap));
	if (!made.heap)
		return err_set(err, ERR_NOMEM, "deadlines: no memory for %u", max);
	*d = made;
	return 0;
}

void due_done(struct due *d)
{
	free(d->heap);
	*d = (struct due){ 0 };
}

static void put(struct due *d, uint32_t place, struct due_node *n)
{
	d->heap[place] = n;
	n->place = place;
}

static void rise(struct due *d, struct due_node *n)
{
	uint32_t at = n->place;

	for (; at > 1 && d->heap[at / 2]->at_ms > n->at_ms; at /= 2)
		put(d, at, d->heap[at / 2]);
	put(d, at, n);
}

static void fall(struct due *d, struct due_node *n)
{
	uint32_t at = n->place, child;

	while ((child = at * 2) <= d->count) {
		if (child < d->count && d->heap[child + 1]->at_ms < d->heap[child]->at_ms)
			child++;
		if (d->heap[child]->at_ms >= n->at_ms)
			break;
		put(d, at, d->heap[child]);
		at = child;
	}
	put(d, at, n);
}

void due_set(struct due *d, struct due_node *n, int64_t at_ms)
{
	n->at_ms = at_ms;
	if (!n->place) {
		if (d->count == d->max)
			abort();
		put(d, ++d->count, n);
	}
	rise(d, n);
	fall(d, n);
}

void due_clear(struct due *d, struct due_node *n)
{
	struct due_node *last;

	if (!n->place)
		return;
	last = d->heap[d->count--];
	if (last != n) {
		put(d, n->place, last);
		rise(d, last);
		fall(d, last);
	}
	n->place = 0;
}

struct due_node *due_first(const struct due *d)
{
	return d->count ? d->heap[1] : NULL;
}
