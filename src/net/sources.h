/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sources - how many connections each address holds, so that one cannot take them all.
 *
 *   Key        listen_source: an IPv4 address or an IPv6 /64.
 *   Cost       a small node per address that holds a connection, none otherwise.
 */
#ifndef NET_SOURCES_H
#define NET_SOURCES_H

#include <stdbool.h>
#include <stdint.h>

#define SOURCES_BUCKETS 1024

struct sources {
	struct sources_node *bucket[SOURCES_BUCKETS];
	uint64_t salt; /* so that no one can choose addresses that share a bucket */
};

void sources_init(struct sources *s);
void sources_done(struct sources *s);

/* False, and nothing counted, when source holds max already or memory is out. */
bool sources_take(struct sources *s, uint64_t source, unsigned max);
void sources_give(struct sources *s, uint64_t source);

#endif
