/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sessions - the Network Server's sessions on disk: one row per device (DevEUI and JoinEUI) and
 * slot.
 *
 *   sessions_begin > put, remove, ... > sessions_commit: then it is all on the disk
 *
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

#endif
