/* SPDX-License-Identifier: Apache-2.0 */
/*
 * world - the program around the engine, for replay: a clock that is set by hand, a disk
 * that can refuse, a Join Server and a Network Server that only note what they are asked.
 */
#ifndef TESTS_REPLAY_APPLICATION_WORLD_H
#define TESTS_REPLAY_APPLICATION_WORLD_H

#include "application/application.h"

#define WORLD_DEV  0x70b3d57ed0000001u
#define WORLD_ADDR 0x26011bda
#define WORLD_NS   0x000013

struct world {
	struct application *app;
	int64_t now;
	bool lines_fail, disk_fails, act_fails;
	/* what happened, since world_forget */
	char said[8192]; /* the events, lines */
	unsigned events;
	unsigned asked, sent, answered, kept, dropped, commands_answered, reports_answered;
	struct application_ask ask;   /* the last */
	struct application_send send; /* the last */
	uint8_t cipher[DOWNLINK_PAYLOAD_MAX];
	enum uplink_verdict verdict; /* the last */
	uint64_t tickets[64];        /* answered, in order */
	enum uplink_verdict verdicts[64];
	char error[128]; /* of the last command; "" when queued */
	bool report_kept;
	/* the disk */
	struct session session;
	struct downlink downlink;
	/* every (key, counter) a plaintext was encrypted for, with the ciphertext */
	struct world_spent {
		uint8_t key[16];
		uint32_t f_cnt;
		uint8_t n, cipher[DOWNLINK_PAYLOAD_MAX];
	} spent[256];
	unsigned spent_count;
	bool two_time_pad; /* the one thing that must never be true */
};

void world_begin(struct world *w);
void world_end(struct world *w);
void world_forget(struct world *w);
/* Works until there is nothing to do. */
void world_turn(struct world *w);

/* A session id and an AppSKey with every octet so. */
struct session_id world_id(uint8_t octet);
void world_key(struct world *w, uint8_t id, enum application_key verdict, uint8_t key);

/* An uplink of the device on port 7 with text encrypted under the key; then world_turn. */
struct uplink world_frame(uint8_t id, uint8_t key, uint32_t f_cnt, const char *text);
void world_uplink(struct world *w, const struct uplink *u, uint64_t ticket);
void world_command(struct world *w, const char *id, const char *text, bool confirmed);
void world_handed(struct world *w, enum application_handed handed, int64_t next);
void world_report(struct world *w, uint32_t f_cnt, enum application_report_kind kind);

/* The last ciphertext sent, opened as the device would. */
const char *world_opened(struct world *w, uint8_t key);

#endif
