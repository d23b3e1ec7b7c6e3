/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sessions - the Network Server's sessions on disk: one row per device (DevEUI and JoinEUI) and
 * slot.
 *
 *   sessions_begin > put, remove, ... > sessions_commit: then it is all on the disk
 *
 *   Waiting    what must reach an Application Server, kept in the transaction of the session it
 *              came by, until it is told to be done.
 *   Content    octets the network server writes and reads; this file does not look inside.
 *   Keys       the octets hold session keys: the file has mode 0600.
 *   Ownership  sessions_open allocates, sessions_close frees and rolls back.
 *   Errors     ERR_SYSTEM, ERR_FORMAT (another program's file), ERR_NOMEM.
 */
#ifndef STORE_SESSIONS_H
#define STORE_SESSIONS_H

#include <stdint.h>

#include "base/cursor.h"
#include "core/err.h"

struct sessions;

int sessions_open(const char *path, struct sessions **out, struct err *err);
void sessions_close(struct sessions *s);

int sessions_begin(struct sessions *s, struct err *err);
int sessions_put(struct sessions *s, uint64_t dev_eui, uint64_t join_eui, unsigned slot,
	struct span blob, struct err *err);
int sessions_remove(struct sessions *s, uint64_t dev_eui, uint64_t join_eui, unsigned slot,
	struct err *err);
int sessions_commit(struct sessions *s, struct err *err);
void sessions_rollback(struct sessions *s);

/* Every row once; stops at the first that each refuses, and returns what it returned. */
int sessions_each(struct sessions *s, int (*each)(void *arg, struct span blob, struct err *err),
	void *arg, struct err *err);

struct sessions_message {
	int64_t id; /* of its row */
	uint64_t dev_eui;
	uint32_t f_cnt;
	const char *as_url, *as_id;
	int64_t expires_ms; /* since 1970 */
	struct span body;
};

/* *id is its row's. */
int sessions_keep(struct sessions *s, const struct sessions_message *m, int64_t *id,
	struct err *err);
int sessions_done(struct sessions *s, int64_t id, struct err *err);
/* In the order they were kept. */
int sessions_waiting(struct sessions *s,
	int (*each)(void *arg, const struct sessions_message *m, struct err *err), void *arg,
	struct err *err);

#endif
