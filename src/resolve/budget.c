/* SPDX-License-Identifier: Apache-2.0 */
#include "resolve/budget.h"

#include <assert.h>
#include <stdlib.h>

#define BUCKETS     1024
#define SCARCE_PART 8

/* Of a source: its open questions. Of a source and a question: its askers. */
struct count {
	struct count *chain;
	uint64_t source, question;
	unsigned n;
};

struct budget {
	struct key_seed seed;
	unsigned per_source_max;
	struct count *sources[BUCKETS], *questions[BUCKETS];
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

static void drop(struct count **at)
{
	struct count *c = *at;

	*at = c->chain;
	free(c);
}

void budget_free(struct budget *b)
{
	if (!b)
		return;
	for (size_t i = 0; i < BUCKETS; i++) {
		while (b->sources[i])
			drop(&b->sources[i]);
		while (b->questions[i])
			drop(&b->questions[i]);
	}
	free(b);
}

static struct count **seek(const struct budget *b, struct count **buckets, uint64_t source,
	uint64_t question)
{
	const uint64_t id[] = { source, question };
	uint64_t hash = key_hash(&b->seed, (struct span){ (const uint8_t *)id, sizeof(id) });
	struct count **at = &buckets[hash % BUCKETS];

	while (*at && ((*at)->source != source || (*at)->question != question))
		at = &(*at)->chain;
	return at;
}

/* One more of what at points to, which is begun when there is none. */
static bool count_up(struct count **at, uint64_t source, uint64_t question)
{
	if (!*at) {
		*at = calloc(1, sizeof(**at));
		if (!*at)
			return false;
		(*at)->source = source;
		(*at)->question = question;
	}
	(*at)->n++;
	return true;
}

static void count_down(struct count **at)
{
	assert(*at && (*at)->n > 0);
	if (--(*at)->n == 0)
		drop(at);
}

enum budget_verdict budget_take(struct budget *b, uint64_t source, uint64_t question, bool scarce)
{
	unsigned most =
		scarce ? (b->per_source_max + SCARCE_PART - 1) / SCARCE_PART : b->per_source_max;
	struct count **asked, **at;
	const struct count *s;

	if (source == 0)
		return BUDGET_TAKEN;
	asked = seek(b, b->questions, source, question);
	if (*asked) {
		(*asked)->n++;
		return BUDGET_TAKEN;
	}
	at = seek(b, b->sources, source, 0);
	s = *at;
	if (s && s->n >= most)
		return BUDGET_OVER;
	if (!count_up(at, source, 0))
		return BUDGET_NO_MEMORY;
	if (!count_up(asked, source, question)) {
		count_down(at);
		return BUDGET_NO_MEMORY;
	}
	return BUDGET_TAKEN;
}

void budget_give(struct budget *b, uint64_t source, uint64_t question)
{
	struct count **asked;
	bool last;

	if (source == 0)
		return;
	asked = seek(b, b->questions, source, question);
	last = *asked && (*asked)->n == 1;
	count_down(asked);
	if (last)
		count_down(seek(b, b->sources, source, 0));
}
