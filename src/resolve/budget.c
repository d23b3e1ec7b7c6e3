/* SPDX-License-Identifier: Apache-2.0 */
#include "resolve/budget.h"

#include <assert.h>
#include <stdlib.h>

#define BUCKETS     1024
#define SCARCE_PART 8

struct source {
	struct source *chain;
	uint64_t id;
	unsigned open;
};

struct budget {
	struct key_seed seed;
	unsigned per_source_max;
	struct source *buckets[BUCKETS];
};

struct budget *budget_new(const struct key_seed *seed, unsigned per_source_max)
{
	struct budget *b = calloc(1, sizeof(*b));

	if (b) {
		b->seed = *seed;
		b->per_source_max = per_source_max;
	}
	return b;
}

void budget_free(struct budget *b)
{
	if (!b)
		return;
	for (size_t i = 0; i < BUCKETS; i++) {
		while (b->buckets[i]) {
			struct source *s = b->buckets[i];

			b->buckets[i] = s->chain;
			free(s);
		}
	}
	free(b);
}

static struct source **seek(struct budget *b, uint64_t id)
{
	uint64_t hash = key_hash(&b->seed, (struct span){ (const uint8_t *)&id, sizeof(id) });
	struct source **at = &b->buckets[hash % BUCKETS];

	while (*at && (*at)->id != id)
		at = &(*at)->chain;
	return at;
}

enum budget_verdict budget_take(struct budget *b, uint64_t source, bool scarce)
{
	unsigned most =
		scarce ? (b->per_source_max + SCARCE_PART - 1) / SCARCE_PART : b->per_source_max;
	struct source **at, *s;

	if (source == 0)
		return BUDGET_TAKEN;
	at = seek(b, source);
	s = *at;
	if (s && s->open >= most)
		return BUDGET_OVER;
	if (!s) {
		s = calloc(1, sizeof(*s));
		if (!s)
			return BUDGET_NO_MEMORY;
		s->id = source;
		*at = s;
	}
	s->open++;
	return BUDGET_TAKEN;
}

void budget_give(struct budget *b, uint64_t source)
{
	struct source **at, *s;

	if (source == 0)
		return;
	at = seek(b, source);
	s = *at;
	assert(s && s->open > 0);
	if (--s->open == 0) {
		*at = s->chain;
		free(s);
	}
}
