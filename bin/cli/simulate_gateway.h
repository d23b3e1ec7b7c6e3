/* SPDX-License-Identifier: Apache-2.0 */
/*
 * simulate_gateway - one gateway that speaks Semtech's UDP protocol, version 2.
 *
 *   PULL_DATA every 5 s > PULL_ACK;  a frame heard > PUSH_DATA > PUSH_ACK
 *   PULL_RESP > downlink callback, whose answer goes back as TX_ACK
 *
 *   Time       the counter (tmst) is the real clock in microseconds from an offset of its own,
 *              never the same twice: a frame is found again by it.
 *   Bounds     the last SIMULATE_SENT frames and SIMULATE_TOKENS unacknowledged datagrams.
 *   Ownership  simulate_gateway_close hands the memory back when the loop has closed it.
 */
#ifndef CLI_SIMULATE_GATEWAY_H
#define CLI_SIMULATE_GATEWAY_H

#include "cli/simulate_device.h"
#include "core/err.h"

#include <uv.h>

#define SIMULATE_SENT    16384u
#define SIMULATE_TOKENS  4096u
#define SIMULATE_PULL_MS 5000u

/* A frame a gateway passed on: what a downlink's tmst is counted from. */
struct simulate_sent {
	uint32_t tmst;
	uint32_t device; /* index */
	uint32_t turn;   /* the device's count of join-requests then */
	struct simulate_radio radio;
	bool join;
};

struct simulate_gateway;

struct simulate_gateway_events {
	/* The answer for the TX_ACK. */
	enum gwmp_tx_error (
		*downlink)(void *arg, struct simulate_gateway *g, const struct gwmp_txpk *tx);
	void (*push_acked)(void *arg, uint64_t took_us);
	void *arg;
};

struct simulate_gateway_config {
	uv_loop_t *loop;
	const struct sockaddr *server;
	const struct region *region;
	uint64_t eui;
	uint64_t seed;
	struct simulate_gateway_events events;
};

struct simulate_gateway_counts {
	unsigned int pushes, push_acks, pulls, pull_acks, pull_resps, tx_acks, malformed;
};

int simulate_gateway_open(const struct simulate_gateway_config *config,
	struct simulate_gateway **out, struct err *err);
void simulate_gateway_close(struct simulate_gateway *g);

/* PUSH_DATA with the frame as heard now. */
void simulate_gateway_hear(struct simulate_gateway *g, const struct simulate_sent *sent,
	struct span frame);

void simulate_gateway_pull(struct simulate_gateway *g);

/* Any octets as a datagram. */
void simulate_gateway_send_raw(struct simulate_gateway *g, struct span datagram);

/* The frame heard at exactly this count; NULL when there was none, or long ago. */
const struct simulate_sent *simulate_gateway_find(const struct simulate_gateway *g, uint32_t tmst);

uint32_t simulate_gateway_now(const struct simulate_gateway *g);
uint64_t simulate_gateway_eui(const struct simulate_gateway *g);
const struct simulate_gateway_counts *simulate_gateway_tell(const struct simulate_gateway *g);

#endif
