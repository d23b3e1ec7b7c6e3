/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rolltasks - what a rollover is of: the tasks of the engine that differ from one kind of
 * credential to another. rolling.c carries out the rest.
 *
 *   rollname   the key of one name: a generation of its keyring
 *   rollca     an authority that leaves rest on: a certificate of the state's folder
 *
 *   Private    to the files rolling, rollpublish, rollname, rollca.
 *   Errors     ERR_* with words; what a server or a service does is an outcome.
 */
#ifndef IDENTITY_ROLLTASKS_H
#define IDENTITY_ROLLTASKS_H

#include "identity/rolling.h"
#include "identity/rollrecords.h"
#include "rollover/agility.h"

struct rolltasks;

struct rolling {
	char dir[PATH_MAX];
	int lock;
	struct rolling_world world;
	struct rollfile file;
	const struct rolltasks *tasks;
	struct rollrecords records; /* of a name */
	struct err last;            /* the words an outcome borrows */
};

/* Any other return value than 0 ends the round. */
typedef int (
	*rolltasks_each)(struct rolling *r, const struct name *owner, void *arg, struct err *err);

struct rolltasks {
	/* What begins must be in order: the credential in use counts wherever it is published. */
	int (*prepare)(struct rolling *r, struct err *err);
	int (*owners)(struct rolling *r, rolltasks_each each, void *arg, struct err *err);
	/* In which forms the credentials are published at an owner; agility_done. */
	int (*forms)(struct rolling *r, const struct name *owner, struct agility *out,
		struct err *err);
	int (*certificate)(const struct rolling *r, const char *generation, struct buf *der,
		struct err *err);
	int (*make)(struct rolling *r, const char *generation, struct err *err);
	/* Keep is what is presented from now on. */
	int (*install)(struct rolling *r, struct err *err);
	int (*look)(struct rolling *r, struct rollover_outcome *o, struct err *err);
	int (*erase)(struct rolling *r, const char *generation, struct err *err);
};

/* The generation a credential of the engine is. */
const char *rolling_generation(const struct rolling *r, unsigned credential);
int64_t rolling_now(void); /* ms of wall clock */
int rolling_save(struct rolling *r, struct err *err);

/* A line of the audit log: what, and from which generation to which. Before the deed: a crash
 * may leave a line twice, or one too many, and no deed without one. */
int rolling_log(struct rolling *r, const char *act, const char *from, const char *to,
	const char *why, struct err *err);

#endif
