/* SPDX-License-Identifier: Apache-2.0 */
#include "network/gateway.h"

#include <stdlib.h>
#include <string.h>

int gateway_table_init(struct gateway_table *t, uint32_t max, struct err *err)
{
	struct gateway_table made = { .max = max, .buckets = 16 };

	while (made.buckets < max)
		made.buckets *= 2;
	made.all = calloc(max, sizeof(*made.all));
	made.bucket = calloc(made.buckets, sizeof(*made.bucket));
	if (!made.all || !made.bucket) {
		gateway_table_done(&made);
		return err_set(err, ERR_NOMEM, "gateways: no memory for %u", max);
	}
	*t = made;
	return 0;
}

void gateway_table_done(struct gateway_table *t)
{
	free(t->all);
	free(t->bucket);
	*t = (struct gateway_table){ 0 };
}

static uint32_t *bucket_of(const struct gateway_table *t, uint64_t eui)
{
	uint64_t mixed = (eui ^ eui >> 32) * 0x9e3779b97f4a7c15u;

	return &t->bucket[(uint32_t)(mixed >> 32) & (t->buckets - 1)];
}

struct gateway *gateway_find(const struct gateway_table *t, uint64_t eui)
{
	for (uint32_t i = *bucket_of(t, eui); i; i = t->all[i - 1].next)
		if (t->all[i - 1].eui == eui)
			return &t->all[i - 1];
	return NULL;
}

static void unlink_gateway(struct gateway_table *t, uint32_t index)
{
	uint32_t *link = bucket_of(t, t->all[index - 1].eui);

	while (*link != index)
		link = &t->all[*link - 1].next;
	*link = t->all[index - 1].next;
}

/* The index of a place to use: a new one, or that of a gateway long silent; 0 for none.
 * A few places are looked at each time, so a full table costs no long search. */
static uint32_t place_for(struct gateway_table *t, uint64_t eui, int64_t now_ms)
{
	if (t->count < t->max)
		return ++t->count;
	for (uint32_t i = 0; i < 16; i++) {
		uint32_t at = (uint32_t)((eui + i + (uint64_t)now_ms) % t->max) + 1;

		if (now_ms - t->all[at - 1].heard_ms < GATEWAY_SILENT_MS)
			continue;
		unlink_gateway(t, at);
		return at;
	}
	return 0;
}

struct gateway *gateway_heard(struct gateway_table *t, uint64_t eui, int64_t now_ms)
{
	struct gateway *g = gateway_find(t, eui);
	uint32_t at, *bucket;

	if (!g) {
		at = place_for(t, eui, now_ms);
		if (!at)
			return NULL;
		bucket = bucket_of(t, eui);
		g = &t->all[at - 1];
		*g = (struct gateway){ .eui = eui, .next = *bucket };
		*bucket = at;
	}
	g->heard_ms = now_ms;
	return g;
}

bool gateway_address_equal(const struct gateway_address *a, const struct gateway_address *b)
{
	return a->n == b->n && memcmp(a->octets, b->octets, a->n) == 0;
}

bool gateway_pulled(struct gateway *g, const struct gateway_address *from, uint8_t version,
	int64_t now_ms)
{
	bool moved = !gateway_address_equal(&g->pull, from);

	g->pull = *from;
	g->version = version;
	g->pulled_ms = now_ms;
	return moved;
}

bool gateway_is_reachable(const struct gateway *g, int64_t now_ms)
{
	return g && g->pull.n && now_ms - g->pulled_ms < GATEWAY_PULL_MS;
}
