/* SPDX-License-Identifier: Apache-2.0 */
#include "resolve/pending.h"

#include "base/code.h"

#include <stdlib.h>
#include <string.h>

int pending_init(struct pendings *t, unsigned open_max)
{
	size_t buckets = 16;

	while (buckets < open_max)
		buckets *= 2;
	*t = (struct pendings){ .open_max = open_max, .mask = buckets - 1 };
	t->last = &t->first;
	t->slots = calloc(open_max, sizeof(struct pending *));
	t->buckets = calloc(buckets, sizeof(struct pending *));
	t->uses = calloc(open_max, sizeof(*t->uses));
	t->spare = calloc(open_max, sizeof(*t->spare));
	if (!t->slots || !t->buckets || !t->uses || !t->spare) {
		pending_done(t);
		return ERR_NOMEM;
	}
	for (unsigned i = 0; i < open_max; i++)
		t->spare[i] = (uint16_t)(open_max - 1 - i);
	return 0;
}

void pending_done(struct pendings *t)
{
	free(t->slots);
	free(t->buckets);
	free(t->uses);
	free(t->spare);
	*t = (struct pendings){ 0 };
}

struct pending *pending_find(const struct pendings *t, const struct key *key)
{
	struct pending *p = t->buckets[key->hash & t->mask];

	while (p &&
		!(p->key.hash == key->hash && p->key.type == key->type &&
			name_equal(&p->key.name, &key->name)))
		p = p->chain;
	return p;
}

struct pending *pending_of_id(const struct pendings *t, uint32_t id)
{
	unsigned slot = id & 0xffff;
	struct pending *p = slot < t->open_max ? t->slots[slot] : NULL;

	return p && p->id == id ? p : NULL;
}

static void enqueue(struct pendings *t, struct pending *p, bool first)
{
	struct pending **at = first ? &t->first : t->last;

	p->next = *at;
	p->link = at;
	*at = p;
	if (p->next)
		p->next->link = &p->next;
	else
		t->last = &p->next;
}

static void dequeue(struct pendings *t, struct pending *p)
{
	*p->link = p->next;
	if (p->next)
		p->next->link = p->link;
	else
		t->last = p->link;
	p->link = NULL;
}

struct pending *pending_add(struct pendings *t, const struct key *key)
{
	struct pending *p, **bucket = &t->buckets[key->hash & t->mask];
	uint16_t slot;

	if (t->open >= t->open_max)
		return NULL;
	p = calloc(1, sizeof(*p));
	if (!p)
		return NULL;
	slot = t->spare[t->open_max - 1 - t->open];
	t->open++;
	p->key = *key;
	p->id = (uint32_t)++t->uses[slot] << 16 | slot;
	t->slots[slot] = p;
	p->chain = *bucket;
	*bucket = p;
	enqueue(t, p, false);
	return p;
}

void pending_remove(struct pendings *t, struct pending *p)
{
	struct pending **at = &t->buckets[p->key.hash & t->mask];
	uint16_t slot = p->id & 0xffff;

	while (*at != p)
		at = &(*at)->chain;
	*at = p->chain;
	if (!p->sent && !p->parked)
		dequeue(t, p);
	t->slots[slot] = NULL;
	t->open--;
	t->spare[t->open_max - 1 - t->open] = slot;
	free(p);
}

struct pending *pending_take(struct pendings *t)
{
	struct pending *p = t->first;

	if (p) {
		dequeue(t, p);
		p->sent = true;
		p->tries++;
	}
	return p;
}

void pending_return(struct pendings *t, struct pending *p, bool first)
{
	p->sent = p->parked = false;
	enqueue(t, p, first);
}

void pending_park(struct pending *p)
{
	p->sent = false;
	p->parked = true;
}
