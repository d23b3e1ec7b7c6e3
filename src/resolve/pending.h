/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pending - the open questions: who asked each, and which wait to be sent.
 *
 *   WAITING --taken--> SENT --settled--> gone
 *      ^_____lost________|
 *      ^__expired__ PARKED <--too early-- SENT      prefetches only
 *
 *   Id         slot in the low 16 bits, a count of uses above: a late answer to a question
 *              that is gone finds nothing.
 *   Bounds     open_max questions (65535 at most).
 *   Ownership  askers are the callers' memory; questions are the table's.
 */
#ifndef RESOLVE_PENDING_H
#define RESOLVE_PENDING_H

#include "resolve/key.h"
#include "resolve/resolver.h"

struct pending {
	struct key key;
	uint32_t id;
	bool sent;
	uint8_t tries;    /* times sent */
	struct ask *asks; /* by next and link; never empty, except while one is removed */
	struct ask fetch; /* our own asker, when it is a prefetch */
	bool parked;      /* neither sent nor waiting: a prefetch until its deadline */
	struct pending *chain;
	struct pending *next, **link; /* those that wait to be sent */
};

struct pendings {
	struct pending **slots, **buckets;
	uint16_t *uses, *spare; /* spare: a stack of empty slots */
	unsigned open, open_max;
	size_t mask;
	struct pending *first, **last;
};

int pending_init(struct pendings *t, unsigned open_max); /* 0 or ERR_NOMEM */
void pending_done(struct pendings *t);                   /* must be empty */

struct pending *pending_find(const struct pendings *t, const struct key *key);
struct pending *pending_of_id(const struct pendings *t, uint32_t id);
struct pending *pending_add(struct pendings *t, const struct key *key); /* NULL: no memory, full */
void pending_remove(struct pendings *t, struct pending *p);

struct pending *pending_take(struct pendings *t); /* the first that waits is now sent */
void pending_return(struct pendings *t, struct pending *p, bool first);
void pending_park(struct pending *p); /* from sent; pending_return ends it */

#endif
