/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gateway - the gateways heard of late, and where their downlinks go.
 *
 *   Source     Semtech UDP protocol: the source address of the last PULL_DATA is where
 *              downlinks go.
 *   Trust      an EUI is only claimed; whoever claims it last gets its downlinks. A frame
 *              misdirected so is lost, not disclosed: it is on the air anyway.
 *   Time       ms. A pull binds for GATEWAY_PULL_MS; a gateway silent for GATEWAY_SILENT_MS
 *              may be forgotten for another.
 *   Bounds     max gateways, given once; when all of them are alive a new one is not taken.
 *   Ownership  gateway_table_init allocates, gateway_table_done frees.
 */
#ifndef NETWORK_GATEWAY_H
#define NETWORK_GATEWAY_H

#include "base/cursor.h"
#include "core/err.h"

#define GATEWAY_PULL_MS     90000
#define GATEWAY_SILENT_MS   180000
#define GATEWAY_ADDRESS_MAX 28 /* octets of a struct sockaddr_in6 */

/* A socket address as opaque octets: engines know no sockets. */
struct gateway_address {
	uint8_t n;
	uint8_t octets[GATEWAY_ADDRESS_MAX];
};

struct gateway {
	uint64_t eui;
	uint8_t version; /* of the protocol it speaks; 1 sends no TX_ACK */
	struct gateway_address pull;
	int64_t pulled_ms; /* last PULL_DATA; 0 for none */
	int64_t heard_ms;
	uint32_t next; /* in its bucket; index + 1 */
};

struct gateway_table {
	struct gateway *all;
	uint32_t *bucket; /* index + 1 into all; 0 for none */
	uint32_t count, max, buckets;
};

int gateway_table_init(struct gateway_table *t, uint32_t max, struct err *err);
void gateway_table_done(struct gateway_table *t);

struct gateway *gateway_find(const struct gateway_table *t, uint64_t eui);

/* Found or made; NULL when the table is full of gateways that are alive. */
struct gateway *gateway_heard(struct gateway_table *t, uint64_t eui, int64_t now_ms);

/* A PULL_DATA; true when the address is another than before. */
bool gateway_pulled(struct gateway *g, const struct gateway_address *from, uint8_t version,
	int64_t now_ms);
bool gateway_is_reachable(const struct gateway *g, int64_t now_ms);
bool gateway_address_equal(const struct gateway_address *a, const struct gateway_address *b);

#endif
