/* SPDX-License-Identifier: Apache-2.0 */
#include "net/sources.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

struct sources_node {
	struct sources_node *next;
	uint64_t source;
	unsigned count;
};

void sources_init(struct sources *s)
{
	memset(s, 0, sizeof(*s));
	if (getrandom(&s->salt, sizeof(s->salt), 0) != (ssize_t)sizeof(s->salt))
		s->salt = (uint64_t)(uintptr_t)s;
}

void sources_done(struct sources *s)
{
	for (unsigned i = 0; i < SOURCES_BUCKETS; i++) {
		while (s->bucket[i]) {
			struct sources_node *n = s->bucket[i];

			s->bucket[i] = n->next;
			free(n);
		}
	}
}

/* The finisher of splitmix64: every bit of the source moves every bit of the bucket. */
static struct sources_node **place(struct sources *s, uint64_t source)
{
	uint64_t h = source ^ s->salt;
	struct sources_node **link;

	h = (h ^ (h >> 30)) * 0xbf58476d1ce4e5b9ULL;
	h = (h ^ (h >> 27)) * 0x94d049bb133111ebULL;
	h ^= h >> 31;
	link = &s->bucket[h % SOURCES_BUCKETS];
	while (*link && (*link)->source != source)
		link = &(*link)->next;
	return link;
}

bool sources_take(struct sources *s, uint64_t source, unsigned max)
{
	struct sources_node **link = place(s, source);

	if (!*link) {
		struct sources_node *n = calloc(1, sizeof(*n));

		if (!n)
			return false;
		n->source = source;
		*link = n;
	}
	if ((*link)->count >= max)
		return false;
	(*link)->count++;
	return true;
}

void sources_give(struct sources *s, uint64_t source)
{
	struct sources_node **link = place(s, source), *n = *link;

	if (!n || --n->count > 0)
		return;
	*link = n->next;
	free(n);
}
