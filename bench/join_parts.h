/* SPDX-License-Identifier: Apache-2.0 */
/*
 * join_parts - the pieces a durable join is made of, each measured by itself, warm and in a row.
 *
 *   Their sum, with the kernel's part (bare.h, without its disk), is what a server would take that
 *   only called the libraries: the peer that the real server is held against.
 *   Units      microseconds of the calling thread's processor time for one join.
 *   Errors     a benchmark has none: words on standard error and exit 1.
 */
#ifndef BENCH_JOIN_PARTS_H
#define BENCH_JOIN_PARTS_H

#include <stdint.h>

/* Devices as bench_join provisions them. */
struct join_parts_world {
	const char *database;
	uint64_t (*dev_eui)(unsigned n); /* of the n-th join */
	uint64_t join_eui;
	const uint8_t *app_key;
};

/* JoinReq text to structs, structs to JoinAns text. */
double join_parts_json(const struct join_parts_world *w, unsigned joins);
/* Load, MIC, keys, save, and a durable commit for each group. */
double join_parts_store(const struct join_parts_world *w, unsigned group, unsigned joins);
/* A request decrypted, an answer encrypted. */
double join_parts_tls(const char *cert, const char *key, unsigned joins);

#endif
