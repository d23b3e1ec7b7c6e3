/* SPDX-License-Identifier: Apache-2.0 */
/*
 * asession - the Application Server's sessions and downlinks, on disk.
 *
 *   Durable    when asession_keep returns 0 all of it is on the disk, and none before.
 *   Alone      the file is locked: a second server on it would spend counters twice.
 *   Keys       AppSKeys of the session in use and the one before; older ones are overwritten,
 *              their marks stay (application/device.h). At rest they are wrapped (RFC 3394)
 *              when a KEK is given; otherwise the file's mode, 0600, protects them. A file
 *              keeps to the KEK it began with: another, or none, is refused on loading.
 *   Ownership  asession_open gives, asession_close takes.
 *   Errors     ERR_SYSTEM, ERR_FORMAT (a row that makes no sense, the wrong KEK) with words.
 */
#ifndef STORE_ASESSION_H
#define STORE_ASESSION_H

#include "application/downlink.h"
#include "application/session.h"
#include "core/err.h"
#include "core/secret.h"

struct asession;

/* kek: n is 0 for none. */
int asession_open(const char *path, const struct secret *kek, struct asession **out,
	struct err *err);
void asession_close(struct asession *a);

/* One transaction; each may be NULL. adopted: session is new, those of its device age. */
int asession_keep(struct asession *a, const struct session *session, bool adopted,
	const struct downlink *keep, const struct downlink *drop, struct err *err);

/* Newest first per device; age counts from 0. Keys of age 2 and more are zero. each may refuse
 * with its own code, which ends it. */
int asession_sessions(struct asession *a,
	int (*each)(void *arg, const struct session *s, unsigned age, struct err *err), void *arg,
	struct err *err);
/* In the order of their numbers. */
int asession_downlinks(struct asession *a,
	int (*each)(void *arg, const struct downlink *d, struct err *err), void *arg,
	struct err *err);

#endif
