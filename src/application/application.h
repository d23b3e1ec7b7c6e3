/* SPDX-License-Identifier: Apache-2.0 */
/*
 * application - what the Application Server decides: whose uplink this is, which key opens
 * it, whether it was seen before, which counter a downlink may spend.
 *
 *   uplink --> session known? --yes-------------------------> decrypt --> event --> answer NS
 *                 |no                                            ^
 *                 hold (bounded, deadline) --> ask JS --> adopt -'
 *   command --> keep --> answer --> spend a counter --> keep --> NS --> txack --> ack
 *
 *   Engine     no socket, no file, no clock. Feed it (application_uplink, _key, _command,
 *              _handed, _report), then turn: while (application_next(...)) do the work, in
 *              the order of its members, and say with application_done how it went. Only
 *              then does the engine's own state move: what the disk refused did not happen,
 *              and the Network Server is told to send again.
 *   Twice      an uplink whose event was written but whose answer was lost gives
 *              UPLINK_AGAIN, not a second event.
 *   Bounds     struct application_config; a bound that is reached is an answer (UPLINK_BUSY,
 *              words for a command), never a silent loss. application_stats counts.
 *   Time       ms; now_ms of a monotonic clock, wall_ms since 1970 for events.
 *   Ownership  everything given is copied, but the texts of struct event_device, which must
 *              outlive the engine. What a work points at lives until application_done.
 */
#ifndef APPLICATION_APPLICATION_H
#define APPLICATION_APPLICATION_H

#include "application/command.h"
#include "application/event.h"
#include "core/err.h"
#include "core/trace.h"

struct application_config {
	unsigned hold_ms;     /* an uplink waits for its key; 0 is 3000 */
	unsigned cool_ms;     /* after a refusal of the JS, before it is asked again; 0 is 5000 */
	unsigned asking_max;  /* sessions without a key; 0 is 1024 */
	unsigned hold_max;    /* uplinks held per session; 0 is 16 */
	unsigned jobs_max;    /* uplinks and commands in hand; 0 is 8192 */
	unsigned queue_max;   /* downlinks per device; 0 is 64 */
	unsigned devices_max; /* 0 is 200000 */
	bool accept_unknown;  /* devices that are in no configuration */
	struct event_device unknown; /* what is said about those; device_name is their DevEUI */
	struct trace trace;
};

/* A device of the configuration. */
struct application_device {
	uint64_t dev_eui;
	bool has_join_eui;
	uint64_t join_eui;
	bool has_net_id; /* then no other network may speak for it */
	uint32_t net_id;
	bool has_app_s_key; /* activated by personalisation: no Join Server is asked */
	uint8_t app_s_key[16];
	struct event_device info;
};

/* What the Join Server said. */
enum application_key {
	APPLICATION_KEY_GIVEN,
	APPLICATION_KEY_UNKNOWN, /* the JS knows no such session, or it is not for us */
	APPLICATION_KEY_FAILED,  /* no answer, no KEK for it, not well formed: may be asked again */
};

/* What became of handing a downlink to the NS. */
enum application_handed {
	APPLICATION_HANDED,         /* it has it; a report will follow */
	APPLICATION_HANDED_COUNTER, /* refused: the counter is another */
	APPLICATION_HANDED_REFUSED, /* refused for good: port, size */
	APPLICATION_HANDED_FAILED,  /* no answer, or not now: the NS may have it or not */
};

enum application_report_kind {
	APPLICATION_SENT,      /* a gateway has sent it */
	APPLICATION_ACKED,     /* the device confirmed it */
	APPLICATION_NOT_ACKED, /* the device did not */
	APPLICATION_NOT_SENT,  /* it could not be sent with its counter */
};

struct application_report {
	uint32_t net_id;
	uint64_t dev_eui;
	uint32_t f_cnt;
	enum application_report_kind kind;
	bool has_next;
	uint32_t next; /* the FCntDown the NS would use now */
};

enum application_act {
	APPLICATION_NO_ACT,
	APPLICATION_ASK_KEY,        /* ask; application_key follows later */
	APPLICATION_SEND,           /* send; application_handed follows later */
	APPLICATION_ANSWER_UPLINK,  /* ticket, verdict */
	APPLICATION_ANSWER_REPORT,  /* ticket, kept */
	APPLICATION_ANSWER_COMMAND, /* ticket, id, error */
};

struct application_ask {
	uint64_t dev_eui;
	bool has_join_eui;
	uint64_t join_eui;
	uint32_t net_id;
	struct session_id session;
};

struct application_send {
	uint32_t net_id;
	uint64_t dev_eui;
	uint64_t number; /* for application_handed */
	struct session_id session;
	uint32_t dev_addr;
	uint32_t f_cnt;
	uint8_t f_port;
	bool confirmed;
	struct span payload; /* encrypted */
};

/* To be done in this order; the first that fails ends it. */
struct application_work {
	struct span lines;                    /* write these events; n is 0 for none */
	const struct session *keep_session;   /* make durable, together with */
	bool adopted;                         /* keep_session is new: the device's others age */
	const struct downlink *keep_downlink; /* ... */
	const struct downlink *drop_downlink; /* ..., all in one transaction */
	enum application_act act;
	uint64_t ticket;
	enum uplink_verdict verdict;
	bool kept;
	const char *id, *error; /* error is NULL when queued */
	struct application_ask ask;
	struct application_send send;
};

struct application_stats {
	uint64_t uplinks, by_verdict[UPLINK_VERDICTS];
	uint64_t keys_asked, keys_given, keys_refused, held, held_too_long;
	uint64_t commands, commands_refused, handed, sent, acked, not_acked, given_up;
	uint64_t devices, queued, jobs, asking;
};

struct application;

int application_new(const struct application_config *config, struct application **out,
	struct err *err);
void application_free(struct application *a); /* wipes every key */

/* Before the first turn. A device given twice is ERR_ARG. */
int application_add_device(struct application *a, const struct application_device *device,
	struct err *err);

/* From the disk, before the first turn: age 0 is the session in use, 1 the one before, above
 * that only its id and key_check are wanted. Downlinks in the order of their numbers. */
int application_restore_session(struct application *a, const struct session *s, unsigned age,
	struct err *err);
int application_restore_downlink(struct application *a, const struct downlink *d, struct err *err);

/* Each is answered by a work with the same ticket. ERR_NOMEM: it was not taken. */
int application_uplink(struct application *a, const struct uplink *u, uint64_t ticket,
	int64_t now_ms);
int application_command(struct application *a, const struct command *c, uint64_t ticket);
int application_report(struct application *a, const struct application_report *r, uint64_t ticket);

/* key is read when verdict is GIVEN, and is the caller's to wipe. */
void application_key(struct application *a, uint64_t dev_eui, const struct session_id *session,
	enum application_key verdict, const uint8_t key[16], int64_t now_ms);
void application_handed(struct application *a, uint64_t dev_eui, uint64_t number,
	enum application_handed handed, const uint32_t *next, int64_t now_ms);

/* False when there is nothing to do before application_deadline, or new input. */
bool application_next(struct application *a, int64_t now_ms, int64_t wall_ms,
	struct application_work *out);
void application_done(struct application *a, bool ok, int64_t now_ms);

/* ms; INT64_MAX when nothing waits for time. */
int64_t application_deadline(const struct application *a);

/* Uplinks, reports and commands not answered yet: a server drains until it is 0. */
size_t application_open(const struct application *a);

void application_stats(const struct application *a, struct application_stats *out);

#endif
