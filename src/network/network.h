/* SPDX-License-Identifier: Apache-2.0 */
/*
 * network - the Network Server's decisions; its program does what the events say.
 *
 *   datagram --> gateway table, frame table
 *                  | (re)join-request, first copy         | data, window over
 *                  v                                      v
 *                activation --ASK--> JS                 reception --SAVE--> --UPLINK--> AS
 *                  | joined + window over                 | ack, MAC answers, downlinks
 *                  v                                      v
 *                transmission --SAVE--> --SEND--> gateway --TX_ACK--> RX2, or --STATUS--> AS
 *
 *   Source     LoRaWAN 1.0.4, 1.1; Backend Interfaces TS002; Semtech UDP protocol.
 *   Rule       events come in the order of their effects: what a SAVE says must be on disk
 *              before a later SEND, UPLINK or STATUS leaves. So no counter is used twice and
 *              no uplink taken twice, however the process ends.
 *   Time       ms of a monotonic clock, given with every call.
 *   Bounds     all in the config: gateways, frames, joins, downlinks, sessions.
 *   Ownership  network_new allocates, network_free frees; config is copied, region is static.
 */
#ifndef NETWORK_NETWORK_H
#define NETWORK_NETWORK_H

#include "backend/dlstatus.h"
#include "backend/xmit.h"
#include "core/trace.h"
#include "lorawan/region.h"
#include "network/gateway.h"
#include "network/gwmp.h"
#include "network/session.h"

struct network_config {
	uint32_t net_id;
	const struct region *region; /* NULL: EU868 */
	unsigned deduplication_ms;   /* window in which gateways' copies are collected */
	unsigned downlink_wait_ms;   /* how long the AS may take to answer in the same window */
	unsigned join_timeout_ms;    /* for the JS; 0 is 4000 */
	uint8_t rx1_delay;           /* seconds; 0 is 1 */
	uint8_t rx1_offset;
	enum version mac_version; /* said in JoinReq; 1.1 sets OptNeg, the JS knows better */
	bool adr;
	int16_t adr_margin;         /* tenths of dB; 0 is 100 */
	unsigned status_interval_s; /* DevStatusReq; 0: never */
	unsigned downlink_ttl_s;    /* in the queue; 0 is 86400 */
	uint8_t transmissions;      /* of a confirmed downlink; 0 is 3 */
	uint32_t gateways_max, frames_max, joins_max, downlinks_max, sessions_max; /* 0: default */
	int64_t unix_ms; /* the wall clock when the monotonic one says 0 */
	uint64_t seed;   /* from a random source */
	struct trace trace;
};

enum network_event_kind {
	NETWORK_NOTHING,
	NETWORK_SAVE,
	NETWORK_REMOVE,
	NETWORK_SEND,
	NETWORK_ASK,
	NETWORK_UPLINK,
	NETWORK_STATUS,
};

#define NETWORK_SEND_MAX 1024

struct network_event {
	enum network_event_kind kind;
	uint64_t dev_eui;                /* SAVE, REMOVE, ASK, UPLINK, STATUS */
	char as_url[SESSION_AS_URL_MAX]; /* UPLINK, STATUS */
	char as_id[SESSION_AS_ID_MAX];
	union {
		struct {
			uint64_t join_eui;
			enum session_slot slot;
			uint8_t blob[SESSION_BLOB_MAX]; /* holds keys: wipe */
			size_t n;
		} save; /* REMOVE: JoinEUI and slot alone */
		struct {
			struct gateway_address to;
			uint8_t octets[NETWORK_SEND_MAX];
			size_t n;
		} send;
		struct {
			uint32_t id; /* for network_joined */
			uint64_t join_eui;
			bool rejoin; /* RejoinReq */
			struct joining_req req;
		} ask;
		struct xmit_req uplink;
		struct dlstatus_req status;
	};
};

struct network;

int network_new(const struct network_config *config, struct network **out, struct err *err);
void network_free(struct network *e);

/* A datagram; its acknowledgement is the program's (gwmp_acknowledge). */
void network_datagram(struct network *e, int64_t now_ms, const struct gateway_address *from,
	struct span datagram);

/* The JS's answer to ASK; its keys in clear. ans NULL: none came, why says the reason. */
void network_joined(struct network *e, int64_t now_ms, uint32_t ask, const struct joining_ans *ans,
	const char *why);

enum network_downlink_verdict {
	NETWORK_DOWNLINK_QUEUED,
	NETWORK_DOWNLINK_UNKNOWN, /* no active session of this device */
	NETWORK_DOWNLINK_FOREIGN, /* its session belongs to another AS */
	NETWORK_DOWNLINK_SESSION, /* encrypted for another session than the one in use */
	NETWORK_DOWNLINK_STALE,   /* encrypted for a counter past or too far; *expected tells */
	NETWORK_DOWNLINK_FULL,    /* too many are waiting */
	NETWORK_DOWNLINK_PORT,    /* FPort 0 or above 223 */
	NETWORK_DOWNLINK_SIZE,    /* longer than the region carries at any rate */
};

/* A downlink of the AS whose right to speak for as_id is proved. */
struct network_downlink {
	const char *as_id;
	uint64_t dev_eui;
	const struct joining_session *key_id; /* whose AppSKey; NULL or empty: not said */
	const struct session_item *item;
};
enum network_downlink_verdict network_downlink(struct network *e, int64_t now_ms,
	const struct network_downlink *d, uint32_t *expected);
const char *network_downlink_word(enum network_downlink_verdict v);

/* The next event; false when there is none now. */
bool network_next(struct network *e, int64_t now_ms, struct network_event *out);
int64_t network_deadline(const struct network *e); /* INT64_MAX: none */

/* So many events wait that network_next should be called before anything else. */
bool network_is_crowded(const struct network *e);

/* A session from disk, at start. */
int network_restore(struct network *e, struct span blob, struct err *err);

/* An ABP device of the configuration: keeps the counters of a session with the same keys. */
int network_personalise(struct network *e, const struct session *abp, struct err *err);

/* A session of this DevEUI, for logs and tests; NULL when there is none. */
const struct session *network_session(const struct network *e, uint64_t dev_eui,
	enum session_slot slot);

struct network_stats {
	uint64_t datagrams, malformed, frames, copies, dropped_frames;
	uint64_t joins_asked, joins_accepted, joins_refused, joins_dropped;
	uint64_t uplinks, repeated, replayed, bad_mic, unknown_address;
	uint64_t downlinks_sent, downlinks_failed, downlinks_refused;
	uint64_t gateways, sessions;
};

void network_stats(const struct network *e, struct network_stats *out);

#endif
