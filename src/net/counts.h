/* SPDX-License-Identifier: Apache-2.0 */
/*
 * counts - what one listener, or one way out, has seen since it was opened.
 *
 *   Writing    one thread adds, with plain stores; who reads from another process may see a
 *              number of a moment ago, never half of one (they are aligned 64-bit words).
 *   Ownership  in the memory of who owns the table, which may be shared; it outlives the table.
 */
#ifndef NET_COUNTS_H
#define NET_COUNTS_H

#include <stdint.h>

#define COUNTS_REFUSALS 32 /* room for every enum peer_refusal; 0: it did not get that far */
#define COUNTS_BUCKETS  10

/* Upper ends of the buckets, in ms; what took longer is in none of them. */
static const unsigned counts_bucket_ms[COUNTS_BUCKETS] = { 1, 2, 5, 10, 25, 50, 100, 500, 2000,
	10000 };

struct counts_times {
	uint64_t bucket[COUNTS_BUCKETS]; /* those within this one, and above the one before */
	uint64_t count, sum_ms;
};

struct counts {
	uint64_t accepted;                                      /* connections, of any kind */
	uint64_t over_connections, over_source, over_half_open; /* refused by that limit */
	uint64_t silent; /* not through its handshake in time, or said nothing */
	uint64_t proved, refused[COUNTS_REFUSALS]; /* handshakes */
	uint64_t proved_by_pkix;                   /* of those proved */
	uint64_t withdrawn;                        /* TLSA gone while open */
	uint64_t unanswered;                       /* TLSA expired while open, and DNS silent */
	uint64_t expired;                          /* certificate over while open */
	uint64_t passed, unreached;                /* the other side was reached, or not */
	uint64_t late, idle, half_closed, old; /* closed: reached too late, or open for too long */
	uint64_t misspoken, long_heads;        /* refused requests; of those for their length */
	uint64_t long_bodies, slow_requests;   /* LoRaWAN messages: too long, too slow to come */
	uint64_t late_answers;                 /* and those whose answer did not come in time */
	uint64_t over_targets;                 /* led to by names, and no room for one more */
	uint64_t rests;                        /* of accept, for want of descriptors */
	uint64_t drained;                      /* open when their time to end was over */
	uint64_t unlogged;                     /* refusals without a line in the log */
	uint64_t forth, back;                  /* octets */
	struct counts_times handshake, reach;
	uint64_t open, half_open; /* now */
};

static inline void counts_add_time(struct counts_times *t, int64_t ms)
{
	unsigned i = 0;

	while (i < COUNTS_BUCKETS && ms > (int64_t)counts_bucket_ms[i])
		i++;
	if (i < COUNTS_BUCKETS)
		t->bucket[i]++;
	t->count++;
	t->sum_ms += ms > 0 ? (uint64_t)ms : 0;
}

#endif
