/* SPDX-License-Identifier: Apache-2.0 */
/*
 * frame - one uplink collected from every gateway that heard it.
 *
 *   OPEN --window--> CLOSED --cooldown--> gone       CLOSED swallows copies that come late
 *
 *   Key        the PHYPayload: a frame says the same to every gateway.
 *   Time       ms. Window: when to look at it; cooldown: how long late copies are known.
 *   Bounds     max frames at a time, a quarter of them per source; FRAME_COPIES_MAX
 *              gateways each, of which the best ones are kept.
 *   Ownership  frame_table_init allocates, frame_table_done frees; frames are borrowed.
 */
#ifndef NETWORK_FRAME_H
#define NETWORK_FRAME_H

#include "lorawan/rate.h"
#include "lorawan/types.h"
#include "network/gateway.h"

#define FRAME_COPIES_MAX 16
#define FRAME_SOURCES    256

struct frame_copy {
	uint64_t gateway;
	uint32_t tmst;
	int16_t rssi; /* dBm */
	int16_t lsnr; /* tenths of dB */
	bool has_tmms;
	uint64_t tmms;
	int64_t at_ms; /* when its datagram came */
};

struct frame {
	uint8_t phy[LORAWAN_PHY_MAX];
	uint8_t n;
	uint8_t source; /* of the first copy, for the bound */
	bool closed;
	uint8_t copies;
	uint16_t heard; /* gateways, also those not kept */
	uint32_t freq;  /* Hz */
	struct rate rate;
	int64_t first_ms, due_ms, gone_ms;
	struct frame_copy copy[FRAME_COPIES_MAX]; /* best first once closed */
	uint32_t user;                            /* the caller's */
	/* private */
	uint32_t chain;
	struct frame *older, *newer;
};

struct frame_list {
	struct frame *oldest, *newest;
};

struct frame_table {
	struct frame *all;
	uint32_t *bucket;
	uint32_t max, buckets, used;
	uint64_t seed;
	struct frame *spare;            /* linked by newer */
	struct frame_list open, closed; /* in the order they are due */
	uint32_t by_source[FRAME_SOURCES];
};

/* seed: 64 bits nobody can guess, so that nobody can fill one bucket. */
int frame_table_init(struct frame_table *t, uint32_t max, uint64_t seed, struct err *err);
void frame_table_done(struct frame_table *t);

enum frame_verdict {
	FRAME_NEW,  /* first copy: *out is made */
	FRAME_COPY, /* another gateway's; *out is the frame */
	FRAME_LATE, /* a copy after the window, or the same gateway's again */
	FRAME_FULL, /* no place: dropped */
};

/* What a gateway heard. Windows of one table never shrink while frames are open. */
enum frame_verdict frame_collect(struct frame_table *t, struct span phy,
	const struct frame_copy *copy, const struct gateway_address *from, int64_t now_ms,
	unsigned window_ms, struct frame **out);

/* The frame whose window has passed, now closed with its best copy first; NULL for none. */
struct frame *frame_due(struct frame_table *t, int64_t now_ms, unsigned cooldown_ms);
int64_t frame_deadline(const struct frame_table *t); /* INT64_MAX for none */

/* Forgets closed frames whose cooldown is over. */
void frame_sweep(struct frame_table *t, int64_t now_ms);

#endif
