/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keeper - the one thread that owns the database: decides requests in groups, each group one
 * durable transaction (net/worker.h).
 *
 *   loop: keeper_put > queue > thread: begin, decide all that wait, commit > loop: done
 *
 *   Rule       no answer leaves before the commit of its group has reached the disk; when the
 *              commit fails nothing of the group is accepted.
 *   Bounds     KEEPER_WAITING_MAX jobs in the queue, group_max in a group.
 *   Threads    keeper_put, keeper_free and done on the loop's thread.
 */
#ifndef JOIND_KEEPER_H
#define JOIND_KEEPER_H

#include <uv.h>

#include "join/decide.h"
#include "net/worker.h"
#include "store/devices.h"

#define KEEPER_GROUP_MAX   128
#define KEEPER_WAITING_MAX 4096

enum keeper_kind { KEEPER_JOIN, KEEPER_REJOIN, KEEPER_APP_S_KEY, KEEPER_HOME_NS };

struct keeper_job {
	struct worker_job job; /* private, and first */

	/* Asked; filled by the caller, its memory until done. */
	enum keeper_kind kind;
	uint64_t dev_eui;
	uint64_t join_eui;
	uint32_t net_id;              /* of a network, proven */
	char as_id[HEADER_ID_MAX];    /* of an AS, proven */
	struct joining_req join;      /* JOIN, REJOIN */
	struct appskey_req app_s_key; /* APP_S_KEY */
	void (*done)(struct keeper_job *job);
	void *user;

	/* Answered. */
	bool failed;                 /* err says why; nothing was accepted */
	bool known;                  /* the device is */
	enum decide_verdict verdict; /* when known and not failed */
	uint32_t join_nonce;         /* after */
	int nonce;                   /* DevNonce or RJcount accepted; -1 */
	unsigned group;              /* how many shared the commit */
	struct joining_ans join_ans;
	struct appskey_ans app_s_key_ans;
	struct homens_ans home_ns_ans;
	struct err err;
};

struct keeper_config {
	uv_loop_t *loop;
	const char *path;
	const struct secret *root_kek; /* n is 0: none */
	const struct decide_policy *policy;
	unsigned group_max; /* 0 is KEEPER_GROUP_MAX */
};

struct keeper;

/* Opens the database (it must exist or can be made) and starts the thread. */
int keeper_new(const struct keeper_config *config, struct keeper **out, struct err *err);
/* Decides what waits, stops the thread, calls the last done; closes with the loop's next turn. */
void keeper_free(struct keeper *k);

/* False: too many wait; the job stays the caller's and done is not called. */
bool keeper_put(struct keeper *k, struct keeper_job *job);

#endif
