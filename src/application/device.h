/* SPDX-License-Identifier: Apache-2.0 */
/*
 * device - what is known of one device, and the table of them all.
 *
 *   Sessions   now is in use; before still opens uplinks that come late. Of older ones only
 *              marks are left: a session or a key that was retired never serves again, so no
 *              NS can bring an old key back and have its counters spent a second time.
 *   Cost       one hash lookup; about 150 octets without a session, 700 more with one.
 *   Ownership  device_drop wipes the keys; info's texts are the caller's.
 */
#ifndef APPLICATION_DEVICE_H
#define APPLICATION_DEVICE_H

#include "application/event.h"

#define DEVICE_RETIRED_MAX 64

struct device_mark {
	uint64_t id;  /* digest of the SessionKeyID; 0 when it had none */
	uint64_t key; /* key_check */
};

struct device {
	struct device *next; /* of its chain */
	uint64_t dev_eui;
	bool configured;
	bool has_join_eui;
	uint64_t join_eui;
	bool has_net_id;
	uint32_t net_id;
	bool has_app_s_key;
	uint8_t app_s_key[16];
	struct event_device info;
	char name[17]; /* when info has none */
	struct session *now, *before;
	struct device_mark *marks; /* DEVICE_RETIRED_MAX of them, a ring; NULL until needed */
	uint8_t mark_count, mark_at;
	struct downlink *queue; /* in order; only the first is under way */
	unsigned queued;
	bool announced;
	uint32_t next_f_cnt; /* what the NS announced */
	bool handing;        /* a job or an answer is under way for the first of the queue */
	unsigned asking;
	bool waiting; /* in the list of those that wait for time */
	struct device *next_waiting;
};

struct device_table {
	struct device **chain;
	size_t chains, count;
};

void device_table_done(struct device_table *t);
struct device *device_find(const struct device_table *t, uint64_t dev_eui);
struct device *device_add(struct device_table *t, uint64_t dev_eui); /* NULL: no memory */
void device_drop(struct device_table *t, struct device *d);

/* The session with this id: now, before or NULL. */
struct session *device_session(const struct device *d, const struct session_id *id);
bool device_has_retired_id(const struct device *d, const struct session_id *id);
/* The key is, or was, that of another session of this device. */
bool device_knows_key(const struct device *d, uint64_t key_check);

/* s (owned from now on) becomes now, now becomes before, before a mark. ERR_NOMEM changes
 * nothing. */
int device_adopt(struct device *d, struct session *s);
int device_mark(struct device *d, const struct session *s);

void device_append(struct device *d, struct downlink *item);
/* Takes the first of the queue off and frees it, payload wiped. */
void device_shift(struct device *d);

#endif
