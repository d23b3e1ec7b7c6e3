/* SPDX-License-Identifier: Apache-2.0 */
/*
 * upstream - the two ways out of a resolver, seen from inside: helper and stub.
 *
 *   Ownership  free closes everything. The descriptors are in the epoll set given when made.
 *   Order      dispatch reads what came and gives it to the engine; pump then sends what the
 *              engine has waiting, as far as it goes.
 */
#ifndef RESOLVE_UPSTREAM_H
#define RESOLVE_UPSTREAM_H

#include "resolve/engine.h"

struct upstream;

struct upstream_kind {
	void (*dispatch)(struct upstream *u, int64_t now_ms);
	void (*pump)(struct upstream *u, int64_t now_ms);
	int64_t (*deadline)(const struct upstream *u); /* INT64_MAX: none */
	void (*free)(struct upstream *u);
};

struct upstream {
	const struct upstream_kind *kind;
	struct engine *engine;
	int epoll_fd;
	uint64_t restarts;
	struct trace trace;
};

#endif
