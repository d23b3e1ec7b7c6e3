/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reach - where one target is, found by DNS once for all who ask in the same moment.
 *
 *   ask --known and fresh--> answered at once
 *     |else
 *     +--> wait, while one net/find runs > answered
 *
 *   Freshness  what was found is used for KEEP_MS, and never beyond the shortest answer that an
 *              endpoint rests on; a refusal is found again by the next who asks (the resolver's
 *              cache bounds what that costs).
 *   Ownership  struct reach_found is counted: reach_keep, reach_drop; one who connects keeps it
 *              as long as the connection borrows an endpoint of it. A struct reach_wait lies in
 *              its owner's memory, reach_forget before that goes.
 */
#ifndef NET_REACH_H
#define NET_REACH_H

#include "net/dial.h"
#include "net/pace.h"
#include "resolve/resolver.h"

struct reach_found {
	unsigned refs;
	struct service *service; /* NULL: the addresses were given, not found */
	struct dial_list list;
	int64_t fresh_until_ms;
};

struct reach_found *reach_keep(struct reach_found *f);
void reach_drop(struct reach_found *f);

struct reach;

struct reach_config {
	uv_loop_t *loop;
	struct resolver *resolver;
	struct service_target target;
	enum tls_mode mode;
};

int reach_new(const struct reach_config *config, struct reach **out, struct err *err);
/* An address that is always the same: no DNS, no TLS. */
int reach_new_fixed(const union dial_address *address, struct reach **out, struct err *err);
/* Nobody waits any more. */
void reach_free(struct reach *r);

struct reach_wait {
	/* found is borrowed; NULL: no memory, and then only. */
	void (*done)(struct reach_wait *w, struct reach_found *found);
	void *arg;
	/* private */
	struct reach *of; /* NULL: does not wait */
	struct reach_wait *next, **at;
};

/* done is called once, maybe before this returns. */
void reach_ask(struct reach *r, struct reach_wait *w);
void reach_forget(struct reach_wait *w); /* any state */
bool reach_is_waited_for(const struct reach *r);

#endif
