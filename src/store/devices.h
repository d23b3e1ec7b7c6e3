/* SPDX-License-Identifier: Apache-2.0 */
/*
 * devices - the Join Server's devices, what joins have moved, and the last sessions, on disk.
 *
 *   begin > load > (decide) > save > commit      one transaction, many joins
 *
 *   Source     TS002 section 8; LoRaWAN 1.0.4 and 1.1 chapter 6.
 *   Keys       root and session keys at rest are wrapped (RFC 3394) when a KEK is given;
 *              otherwise only the file's mode, 0600, protects them. A file keeps to what it
 *              began with: the wrong KEK, or none, is refused when it is opened.
 *   Removal    a removed device's nonces stay, so that adding it again cannot repeat a
 *              JoinNonce or take a replay; devices_remove with forget lets them go.
 *   Threads    one at a time per struct devices; processes may share the file.
 *   Errors     ERR_SYSTEM, ERR_FORMAT (a row that makes no sense), ERR_CRYPTO with words.
 */
#ifndef STORE_DEVICES_H
#define STORE_DEVICES_H

#include "core/secret.h"
#include "join/device.h"

struct devices;

/* kek: n is 0 for none. create: make the file if there is none. */
int devices_open(const char *path, const struct secret *kek, bool create, struct devices **out,
	struct err *err);
void devices_close(struct devices *d);
int devices_check(struct devices *d, struct err *err); /* the file's integrity */

int devices_begin(struct devices *d, struct err *err);
int devices_commit(struct devices *d, struct err *err); /* 0: it is on the disk */
void devices_rollback(struct devices *d);

int devices_load(struct devices *d, uint64_t dev_eui, struct device *out, bool *found,
	struct err *err);
/*
 * What joins move: join_nonce, dev_nonce, rj_count1, used; and a session: added, or the one with
 * its join_nonce changed. The eleventh last session goes.
 */
int devices_save(struct devices *d, const struct device *device,
	const struct device_session *session, struct err *err);
/* Newest first. */
int devices_sessions(struct devices *d, uint64_t dev_eui,
	struct device_session out[DEVICE_SESSIONS], size_t *n, struct err *err);

/* Administration. replace: a record with this DevEUI is changed; else *existed stops it. */
int devices_add(struct devices *d, const struct device *device, bool replace, bool *existed,
	struct err *err);
int devices_remove(struct devices *d, uint64_t dev_eui, bool forget, bool *found, struct err *err);
/* Forgets used DevNonces, the last one and RJcount1; JoinNonce stays. */
int devices_flush_nonces(struct devices *d, uint64_t dev_eui, bool *found, struct err *err);
int devices_count(struct devices *d, uint64_t *out, struct err *err);
/* By DevEUI; from is the first wanted. Stops when each says false. */
int devices_list(struct devices *d, uint64_t from,
	bool (*each)(void *arg, const struct device *device), void *arg, struct err *err);

#endif
