/* SPDX-License-Identifier: Apache-2.0 */
/*
 * world - what stands around the engine, for replay: two gateways, one device, a clock that is
 * set by hand, a Join Server that gives what world_join_answer says.
 *
 *   Spans      given back are good until the next call of the same function.
 */
#ifndef TESTS_REPLAY_NETWORK_WORLD_H
#define TESTS_REPLAY_NETWORK_WORLD_H

#include "crypto/aes.h"
#include "lorawan/data.h"
#include "network/network.h"

#define NET_ID  0x000013u
#define DEV     0x70b3d50000000001u
#define JOIN    0x70b3d57ed0000000u
#define GW_NEAR 0xaa00000000000001u
#define GW_FAR  0xaa00000000000002u

struct world {
	struct network *e;
	struct network_event ev; /* the last, of world_expect */
	int64_t now;
	uint32_t tmst; /* of the gateways */
	uint32_t dev_addr;
	uint64_t join_eui;
	bool lw11;
};

extern struct world w;
extern const uint8_t world_key[16], world_key_s[16], world_key_enc[16];

/* A new engine that both gateways have called. */
void world_start(void);
void world_stop(void);

struct gateway_address world_address(uint64_t gateway);
struct block world_block(const uint8_t k[16], struct aes **aes);

/* Datagrams: PULL_DATA, PUSH_DATA of one frame, TX_ACK. */
void world_pull(uint64_t gateway);
void world_heard(uint64_t gateway, struct span phy, int16_t lsnr, uint32_t at);
void world_acknowledge(uint64_t gateway, uint16_t token, enum gwmp_tx_error error);

/* The next event must be of this kind; NETWORK_NOTHING: there must be none. */
void world_expect(enum network_event_kind kind);
/* What the last event sends. */
struct gwmp_txpk world_sent_frame(uint16_t *token);

struct span world_join_request(uint16_t nonce);
struct joining_ans world_join_answer(void);
/* A whole join; leaves the session pending and the accept sent. */
void world_join(uint16_t nonce);

struct world_up {
	uint32_t f_cnt;
	bool confirmed, ack;
	const char *fopts;
	size_t fopts_n;
	uint16_t conf_f_cnt;
};

struct span world_uplink(struct world_up u);
/* An uplink that is taken and handed on; the first one of a session confirms it. */
void world_take_uplink(struct world_up u, bool first);
/* Read as the device reads it: MIC under the full counter, which it must be. */
struct data world_downlink(const struct gwmp_txpk *tx, uint32_t f_cnt, uint16_t conf_f_cnt);
/* Time passes and nothing happens. */
void world_quiet(void);
enum network_downlink_verdict world_queue(const char *as_id, uint32_t f_cnt, bool confirmed,
	uint32_t *expected);

#endif
