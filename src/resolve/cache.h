/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cache - answers until they expire, the least recently used thrown out first.
 *
 *   bucket -> entry -> entry        every entry is also in one list by last use:
 *   bucket                          newest <-> ... <-> oldest
 *
 *   Cost       a hit is one hash, one short chain, two pointer moves: no memory, no clock,
 *              no system call. An entry is about 400 octets with a TLSA record.
 *   Bounds     at most names_max entries.
 *   Stale      an entry put with a later stale_until_ms than its end is kept until then, for
 *              cache_find_stale alone.
 *   Time       ms; the caller says what time it is.
 *   Ownership  keeps its own reference to each answer; what it returns is borrowed until the
 *              next call.
 */
#ifndef RESOLVE_CACHE_H
#define RESOLVE_CACHE_H

#include "resolve/key.h"

/* Least TTL that is fetched ahead of its end, and the part of it that is the end. */
#define CACHE_PREFETCH_TTL_MIN_S 10
#define CACHE_PREFETCH_PART      10

struct cache;

struct cache *cache_new(size_t names_max); /* NULL when memory is out */
void cache_free(struct cache *c);

/* The answer still good at now_ms, or NULL. *prefetch: it is near its end, and this is the
 * first hit to see that. */
struct answer *cache_find(struct cache *c, const struct key *key, int64_t now_ms, bool *prefetch);

/* The answer that has ended and may be used beyond it until *until_ms, or NULL. */
struct answer *cache_find_stale(struct cache *c, const struct key *key, int64_t now_ms,
	int64_t *until_ms);
/* What is there is not used beyond its end. True: it is already. */
bool cache_spoil(struct cache *c, const struct key *key);

/* Takes a reference of its own, in place of what is there. False when memory is out; then
 * what was there is gone. */
bool cache_put(struct cache *c, const struct key *key, struct answer *answer,
	int64_t stale_until_ms);
void cache_remove(struct cache *c, const struct key *key);

size_t cache_names(const struct cache *c);
size_t cache_octets(const struct cache *c); /* entries and answers, without the buckets */

#endif
