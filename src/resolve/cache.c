/* SPDX-License-Identifier: Apache-2.0 */
#include "resolve/cache.h"

#include <stdlib.h>
#include <string.h>

struct entry {
	struct entry *chain; /* next in the bucket */
	struct entry *newer, *older;
	struct answer *answer;
	int64_t stale_until_ms; /* kept so long, if that is after its end */
	uint64_t hash;
	uint16_t type;
	bool fetching; /* a prefetch has been started for it */
	uint8_t n;     /* octets of the name */
	uint8_t name[];
};

struct cache {
	struct entry **buckets;
	size_t mask;
	size_t names, names_max, octets;
	struct entry *newest, *oldest;
};

struct cache *cache_new(size_t names_max)
{
	struct cache *c = calloc(1, sizeof(*c));
	size_t buckets = 16;

	if (!c)
		return NULL;
	while (buckets < names_max)
		buckets *= 2;
	c->buckets = calloc(buckets, sizeof(struct entry *));
	if (!c->buckets) {
		free(c);
		return NULL;
	}
	c->mask = buckets - 1;
	c->names_max = names_max;
	return c;
}

static size_t octets_of(const struct entry *e)
{
	return sizeof(*e) + e->n + answer_octets(e->answer);
}

static void unlink_use(struct cache *c, struct entry *e)
{
	*(e->newer ? &e->newer->older : &c->newest) = e->older;
	*(e->older ? &e->older->newer : &c->oldest) = e->newer;
}

static void link_use(struct cache *c, struct entry *e)
{
	e->newer = NULL;
	e->older = c->newest;
	*(c->newest ? &c->newest->newer : &c->oldest) = e;
	c->newest = e;
}

/* Where the pointer to the entry is, or would be. */
static struct entry **seek(struct cache *c, const struct key *key)
{
	struct entry **at = &c->buckets[key->hash & c->mask];

	for (; *at; at = &(*at)->chain) {
		const struct entry *e = *at;

		if (e->hash == key->hash && e->type == key->type && e->n == key->name.n &&
			memcmp(e->name, key->name.wire, e->n) == 0)
			break;
	}
	return at;
}

static void drop(struct cache *c, struct entry **at)
{
	struct entry *e = *at;

	*at = e->chain;
	unlink_use(c, e);
	c->names--;
	c->octets -= octets_of(e);
	answer_drop(e->answer);
	free(e);
}

static void drop_oldest(struct cache *c)
{
	struct entry **at = &c->buckets[c->oldest->hash & c->mask];

	while (*at != c->oldest)
		at = &(*at)->chain;
	drop(c, at);
}

void cache_free(struct cache *c)
{
	if (!c)
		return;
	while (c->oldest)
		drop_oldest(c);
	free(c->buckets);
	free(c);
}

static bool near_its_end(const struct answer *a, int64_t now_ms)
{
	/* seconds * 1000 / part */
	int64_t tail_ms = (int64_t)a->ttl_s * 1000 / CACHE_PREFETCH_PART;

	return a->ttl_s >= CACHE_PREFETCH_TTL_MIN_S && a->expires_ms - now_ms < tail_ms;
}

struct answer *cache_find(struct cache *c, const struct key *key, int64_t now_ms, bool *prefetch)
{
	struct entry **at = seek(c, key), *e = *at;

	*prefetch = false;
	if (!e)
		return NULL;
	if (e->answer->expires_ms <= now_ms) {
		if (e->stale_until_ms <= now_ms)
			drop(c, at);
		return NULL;
	}
	if (c->newest != e) {
		unlink_use(c, e);
		link_use(c, e);
	}
	if (!e->fetching && near_its_end(e->answer, now_ms))
		*prefetch = e->fetching = true;
	return e->answer;
}

struct answer *cache_find_stale(struct cache *c, const struct key *key, int64_t now_ms,
	int64_t *until_ms)
{
	struct entry *e = *seek(c, key);

	if (!e || e->answer->expires_ms > now_ms || e->stale_until_ms <= now_ms)
		return NULL;
	*until_ms = e->stale_until_ms;
	return e->answer;
}

bool cache_spoil(struct cache *c, const struct key *key)
{
	struct entry *e = *seek(c, key);

	if (!e)
		return false;
	e->stale_until_ms = 0;
	return e->answer->stale;
}

bool cache_put(struct cache *c, const struct key *key, struct answer *answer,
	int64_t stale_until_ms)
{
	struct entry **at = seek(c, key), *e;

	if (*at)
		drop(c, at);
	if (c->names >= c->names_max)
		drop_oldest(c);
	e = malloc(sizeof(*e) + key->name.n);
	if (!e)
		return false;
	*e = (struct entry){ .hash = key->hash, .type = key->type, .n = key->name.n };
	memcpy(e->name, key->name.wire, e->n);
	e->answer = answer_keep(answer);
	e->stale_until_ms = stale_until_ms;
	e->chain = c->buckets[e->hash & c->mask];
	c->buckets[e->hash & c->mask] = e;
	link_use(c, e);
	c->names++;
	c->octets += octets_of(e);
	return true;
}

void cache_remove(struct cache *c, const struct key *key)
{
	struct entry **at = seek(c, key);

	if (*at)
		drop(c, at);
}

size_t cache_names(const struct cache *c)
{
	return c->names;
}

size_t cache_octets(const struct cache *c)
{
	return c->octets;
}
