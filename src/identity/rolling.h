/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rolling - a rollover carried out: each task the engine asks for, done in the world.
 *
 *   rollfile --engine--> task --done here--> outcome --engine--> rollfile --> next task
 *                        keyring, publication, confirm, lifetime, the reload command, look
 *
 *   Kill       at any moment: the file says where it stood, and every task may be done again.
 *   Owned      the records of a key we hold are ours: when a rollover begins they are remembered
 *              in names.db, whoever published them.
 *   Clock      that of the wall, as waits outlive the process. A clock that is set forward
 *              shortens a wait: machines that roll keys keep time.
 *   Ownership  rolling_open allocates; what the world points to outlives it.
 *   Errors     ERR_* with words. What a server or the service does is no error but a reason to
 *              wait: rolling_file()->rollover.trouble.
 */
#ifndef IDENTITY_ROLLING_H
#define IDENTITY_ROLLING_H

#include "identity/publication.h"
#include "identity/rollfile.h"
#include "servers/delegation.h"

struct rolling_world {
	const struct publication *publication;
	struct delegation_walk *walk;
	const char *authority; /* folder of the authority that issues; NULL: keys sign themselves */
	uint32_t ttl_s;        /* of records we add */
	bool again;            /* this process had it open before, and has kept watch since */
};

struct rolling;

/* Takes the lock of dir and goes on where its file stands; ERR_ARG when there is none: somebody
 * has removed the name. *hold: as rollfile_lock_kept. */
int rolling_open(const char *dir, const struct rolling_world *world, enum rollfile_hold *hold,
	struct rolling **out, struct err *err);
void rolling_close(struct rolling *r);

const struct rollfile *rolling_file(const struct rolling *r);

/* Begins one when none is under way: with the standby key if there is one. */
int rolling_begin(struct rolling *r, struct err *err);

/* Begins, or makes the one under way an emergency. *at_once false: next is not known everywhere
 * before rollover.known_ms, which is 0 while nobody can say. */
int rolling_hurry(struct rolling *r, bool *at_once, struct err *err);

/* Current stays. *turned false: it is too late. */
int rolling_turn(struct rolling *r, const char *why, bool *turned, struct err *err);

/* While none is under way: the records of the key in use, and of a standby, are put right; every
 * server is asked for them, and the service looked at. *good and *repaired say what was found;
 * words is why it is not good, or what was put right. */
#define ROLLING_WORDS_MAX 200
int rolling_check(struct rolling *r, bool *good, bool *repaired, char words[ROLLING_WORDS_MAX],
	struct err *err);

/* One task, if one is due. *wait_ms is how long there is nothing to do; -1: nothing any more. */
int rolling_step(struct rolling *r, int64_t *wait_ms, struct err *err);

#endif
