/* SPDX-License-Identifier: Apache-2.0 */
/*
 * state - what the parts of the engine share. Only src/network includes it.
 */
#ifndef NETWORK_STATE_H
#define NETWORK_STATE_H

#include "core/machine.h"
#include "crypto/aes.h"
#include "network/due.h"
#include "network/frame.h"
#include "network/network.h"

#define STATE_EVENTS      512 /* one input makes at most 16; joins wait here for a slow disk */
#define STATE_BEST_COPIES 4   /* gateways a downlink may be tried through */

enum state_timer { STATE_ACTIVATION, STATE_TRANSMISSION };

struct activation {
	struct due_node due; /* first: the heap finds its owner by it */
	enum state_timer timer;
	uint32_t id; /* place and generation; 0: unused */
	uint64_t join_eui, dev_eui;
	bool rejoin;
	uint8_t source; /* of the frame, for the bound */
	uint32_t dev_addr;
	int64_t asked_ms;
	bool collected; /* the window is over: frame is here */
	struct frame frame;
	bool answered;
	struct joining_ans ans;
	uint32_t spare;
};

struct transmission {
	struct due_node due; /* first */
	enum state_timer timer;
	struct machine at;
	bool join;
	uint64_t dev_eui, join_eui;
	enum session_slot slot;
	uint32_t dev_addr;
	/* the uplink it answers */
	uint8_t copies;
	struct frame_copy copy[STATE_BEST_COPIES];
	uint32_t up_freq;
	uint8_t up_rate;
	uint32_t up_f_cnt;
	bool ack;   /* the uplink wants an acknowledgement */
	bool reply; /* the device waits for any downlink (ADRACKReq) */
	uint8_t mac_n;
	uint8_t mac[LORAWAN_FOPTS_MAX];
	/* the frame */
	uint32_t delay_us; /* to RX1 */
	uint8_t rx1_offset, rx2_rate;
	uint32_t rx2_hz;
	uint8_t n;
	uint8_t phy[LORAWAN_PHY_MAX];
	bool item, item_confirmed, item_first; /* it carries a payload of the AS */
	uint32_t item_f_cnt;
	uint64_t gateway; /* it was handed to */
	uint16_t token;
	uint32_t spare;
};

struct network {
	struct network_config config;
	struct gateway_table gateways;
	struct frame_table frames;
	struct session_table sessions;
	struct due due;
	struct aes *aes[2];
	struct block block[2];
	struct network_event *events;
	uint32_t event_first, event_count;
	struct activation *activations;
	uint32_t activations_used, activations_spare, generation;
	uint32_t activations_by_source[FRAME_SOURCES];
	struct transmission *transmissions;
	uint32_t transmissions_used, transmissions_spare;
	struct transmission **by_token; /* 65536 of them */
	uint16_t token;
	struct gwmp_push push;
	struct network_stats stats;
};

/* The next place in the queue of events, zeroed and of this kind. There is always one: an
 * input is looked at only when STATE_EVENTS / 2 are free. */
struct network_event *network_push(struct network *e, enum network_event_kind kind);

/* A SAVE or REMOVE of this session; STATUS to its AS. */
void network_save(struct network *e, const struct session *s);
void network_remove(struct network *e, const struct session *s, enum session_slot slot);
void network_status(struct network *e, const struct session *s, uint32_t f_cnt,
	enum dlstatus status);

/* The block cipher under this key; which is 0 or 1, valid until the next call with it.
 * NULL when the crypto library refuses. */
const struct block *network_block(struct network *e, unsigned which,
	const uint8_t key[LORAWAN_KEY_OCTETS]);

#endif
