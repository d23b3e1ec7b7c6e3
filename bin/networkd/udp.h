/* SPDX-License-Identifier: Apache-2.0 */
/*
 * udp - the gateways' socket: datagrams in batches, acknowledged before they are looked at.
 *
 *   recvmmsg 16, or 4 while a handshake waits > acknowledgements from the heads alone, sendmmsg >
 * each to take, one by one
 *
 *   Bounds     UDP_BATCHES batches per turn of the loop, and none is begun after its share
 *              (net/pace.h); per_source_max datagrams a second of one address (an IPv6 /64),
 *              the rest dropped before they cost anything.
 *   Errors     ERR_FORMAT (the address), ERR_SYSTEM.
 */
#ifndef NETWORKD_UDP_H
#define NETWORKD_UDP_H

#include <stdbool.h>
#include <uv.h>

#include "core/err.h"
#include "network/gateway.h"

#define UDP_BATCH       16
#define UDP_BATCH_TIGHT 4
#define UDP_BATCHES     32

struct udp;

struct udp_user {
	void (*take)(void *arg, const struct gateway_address *from, struct span datagram);
	bool (*batch)(void *arg); /* after each batch; false: the next one in another turn */
	void *arg;
};

int udp_new(uv_loop_t *loop, const char *bind, unsigned per_source_max, struct udp_user user,
	struct udp **out, struct err *err);
void udp_free(struct udp *u);
uint16_t udp_port(const struct udp *u);

/* Best effort, as UDP is: the TX_ACK that does not come tells. */
void udp_send(struct udp *u, const struct gateway_address *to, struct span datagram);

struct udp_stats {
	uint64_t received, acknowledged, dropped_source;
};

const struct udp_stats *udp_stats(const struct udp *u);

#endif
