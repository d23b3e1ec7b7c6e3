/* SPDX-License-Identifier: Apache-2.0 */
/*
 * event - what an application is told, one JSON object on one line each.
 *
 *   Shape      the events of ChirpStack v4's integrations (up, join, ack, txack, log), whole
 *              and under their own names; before them one member more, "event", which says
 *              what v4 says in the MQTT topic. Members without a meaning here are left out.
 *   Identity   deduplicationId is made of DevEUI, SessionKeyID and FCntUp, so an event that
 *              had to be written twice (a crash between disk and answer) shows.
 *   Ownership  appends to the caller's buf, with the final newline; check buf_ok.
 */
#ifndef APPLICATION_EVENT_H
#define APPLICATION_EVENT_H

#include "application/downlink.h"
#include "application/uplink.h"
#include "core/buf.h"

struct event_tag {
	const char *key, *value;
};

/* What the operator wrote about a device; NULL is left out or "". */
struct event_device {
	const char *tenant_id, *tenant_name;
	const char *application_id, *application_name;
	const char *device_profile_id, *device_profile_name;
	const char *device_name;
	const struct event_tag *tags;
	size_t tag_count;
};

/* time: RFC 3339; the NS's when it gave one, else wall_ms of the moment of writing. */
void event_up(struct buf *out, const struct event_device *device, const struct uplink *u,
	struct span data, int64_t wall_ms);
void event_join(struct buf *out, const struct event_device *device, const struct uplink *first,
	int64_t wall_ms);
void event_txack(struct buf *out, const struct event_device *device, const struct downlink *d,
	int64_t wall_ms);
void event_ack(struct buf *out, const struct event_device *device, const struct downlink *d,
	bool acknowledged, int64_t wall_ms);
/* level "INFO", "WARNING", "ERROR"; code as v4 names them: "UPLINK_F_CNT_RETRANSMISSION". */
void event_log(struct buf *out, const struct event_device *device, uint64_t dev_eui,
	const char *level, const char *code, const char *description, const struct downlink *d,
	int64_t wall_ms);

#define EVENT_TIME_CHARS 31

/* "2026-11-22T04:31:05.123+00:00" */
void event_time(int64_t wall_ms, char out[EVENT_TIME_CHARS]);

#endif
