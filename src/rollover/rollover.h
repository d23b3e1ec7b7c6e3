/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rollover - from one credential to the next, with nobody locked out.
 *
 *   what is published   what is presented   what a step waits for
 *   ---------------------------------------------------------------------------------
 *   current             current    MAKE      the next key and certificate
 *                                  SURVEY    every server serves current: how long is it held?
 *   current + next      current    ANNOUNCE  the change is taken
 *                                  SPREAD    every server serves both ..... else ANNOUNCE
 *                                  SETTLE    nobody can hold the old set .. else ANNOUNCE
 *   current + next      next       SWITCH    in place, service reloaded
 *                                  PROVE     the service presents it ...... else SWITCH
 *                                  DRAIN     what began before has ended .. else SWITCH
 *                                  STOCK     a new standby, if one is wanted
 *   next (+ standby)    next       WITHDRAW  the change is taken
 *                                  FADE      every server serves that ..... else WITHDRAW
 *                                  FORGET    the other key is erased
 *                                  DONE
 *
 *   Rule       what is presented is in every set that any relying party may hold. A set may be
 *              held for its TTL after the last server stopped serving it; so SETTLE counts
 *              from the moment all serve, and DRAIN from the moment next is presented.
 *   Going back keep tells which credential is to stay. Until WITHDRAW both are published, so
 *              turning round is always safe: the same steps with the roles exchanged. After
 *              it there is no way back, and whatever fails is tried again.
 *   Standby    a key that has long been published is the next one: SETTLE has passed already.
 *              An emergency goes straight to SWITCH with it, does not drain, never goes back.
 *   Source     RFC 6698 A.4 (rollover), RFC 7671 section 8.1 and 8.4 (both published for two
 *              TTLs), RFC 2308 section 5 (negative answers).
 *   Durable    struct rollover is all there is. Keep it (journal.h) after each call that
 *              changes it and before the next task; every task may be done twice. After a
 *              restart call rollover_resume.
 *   Time       ms of wall clock since 1970, as the program may be dead for days.
 */
#ifndef ROLLOVER_ROLLOVER_H
#define ROLLOVER_ROLLOVER_H

#include "core/machine.h"

#include <stdbool.h>
#include <stdint.h>

enum rollover_step {
	ROLLOVER_MAKE,
	ROLLOVER_SURVEY,
	ROLLOVER_ANNOUNCE,
	ROLLOVER_SPREAD,
	ROLLOVER_SETTLE,
	ROLLOVER_SWITCH,
	ROLLOVER_PROVE,
	ROLLOVER_DRAIN,
	ROLLOVER_STOCK,
	ROLLOVER_WITHDRAW,
	ROLLOVER_FADE,
	ROLLOVER_FORGET,
	ROLLOVER_DONE,
};

#define ROLLOVER_STEPS (ROLLOVER_DONE + 1)

/* Credentials, as bits of a set that is published. */
enum rollover_credential {
	ROLLOVER_CURRENT = 1,
	ROLLOVER_NEXT = 2,
	ROLLOVER_STANDBY = 4, /* the new one */
};

/* What to do now; each may be done again and must then change nothing. */
enum rollover_task {
	ROLLOVER_WAIT,         /* nothing before deadline_ms */
	ROLLOVER_MAKE_NEXT,    /* key and certificate, if they are not there */
	ROLLOVER_MAKE_STANDBY, /* likewise */
	ROLLOVER_ASK,          /* every server: does it serve rollover_wanted? */
	ROLLOVER_PUBLISH,      /* rollover_wanted */
	ROLLOVER_INSTALL,      /* keep, and reload the service */
	ROLLOVER_LOOK,         /* what does the service present? */
	ROLLOVER_ERASE,        /* the key that is no longer wanted */
	ROLLOVER_NOTHING,      /* done */
};

struct rollover_policy {
	uint32_t margin_s;   /* added to every wait: clocks, resolvers that stretch a TTL */
	uint32_t drain_s;    /* a handshake, or a process, may go on with the old key this long */
	uint32_t broken_s;   /* a service without any credential we know this long: go back */
	uint32_t patience_s; /* a step this much longer than its wait is told to people */
	uint32_t pause_ms;   /* before the first repetition; doubles up to a minute */
	bool standby;        /* have one */
};

struct rollover {
	struct machine machine; /* at: enum rollover_step */
	struct rollover_policy policy;
	enum rollover_credential keep; /* CURRENT after turning round */
	bool emergency;
	bool from_standby;   /* next was the standby */
	bool restocked;      /* a new standby was made */
	bool exposed;        /* SWITCH has begun: next may be presented */
	bool parted;         /* WITHDRAW has begun: no way back */
	uint32_t ttl_s;      /* longest TTL seen of the owners' sets */
	uint32_t negative_s; /* longest negative TTL seen */
	int64_t known_ms;    /* from then on every set held has next; 0: not yet known */
	int64_t drained_ms;  /* from then on nothing presents the other; 0: not yet known */
	int64_t broken_ms;   /* since when the service presents nothing we know; 0: it does */
	int64_t since_ms;    /* this step began */
	int64_t deadline_ms; /* nothing to do before */
	uint32_t tries;      /* of this step that failed */
	char trouble[160];   /* why the last one did; "" none */
};

/* What came of a task. */
enum rollover_presents {
	ROLLOVER_PRESENTS_KEPT,  /* on every address, and it is accepted */
	ROLLOVER_PRESENTS_OTHER, /* the other of the two, somewhere */
	ROLLOVER_PRESENTS_NONE,  /* somewhere neither, or no answer */
};

struct rollover_outcome {
	bool done;           /* of any task; of ASK: every server answered and serves the set */
	uint32_t ttl_s;      /* ASK: longest TTL seen, even of a server that serves another set */
	uint32_t negative_s; /* likewise */
	enum rollover_presents presents; /* LOOK, when done */
	const char *why;                 /* when not: words, thing first */
};

/* known_ms: since when every set held has the standby; 0: there is none, make a key. */
void rollover_start(struct rollover *r, const struct rollover_policy *policy, int64_t known_ms,
	int64_t now_ms);

/* After it was read: the table of moves does not outlive a process. */
void rollover_equip(struct rollover *r);

/* The program begins again: what must be looked at anew is. */
void rollover_resume(struct rollover *r, int64_t now_ms);

/* The current key is not to be trusted. False when next is not yet known everywhere: then
 * known_ms says from when, and the rollover goes on, faster. Not after turning round. */
bool rollover_hurry(struct rollover *r, int64_t now_ms);

/* Turn round: current stays. False when it is too late, or an emergency. */
bool rollover_turn(struct rollover *r, const char *why, int64_t now_ms);

/* Nobody holds a set without both. For who turned round it may not be so: one of several owners
 * may have come meanwhile. */
bool rollover_is_known(const struct rollover *r, int64_t now_ms);

/* At SWITCH, before it, when that is not so, or an owner has come that has not both: they are
 * announced again. False when it is too late for that: in an emergency, and after WITHDRAW. */
bool rollover_unsettle(struct rollover *r, const char *why, int64_t now_ms);

enum rollover_task rollover_next(const struct rollover *r, int64_t now_ms);
void rollover_input(struct rollover *r, const struct rollover_outcome *o, int64_t now_ms);

/* The set to publish or to ask for, of enum rollover_credential. */
unsigned rollover_wanted(const struct rollover *r);

/* What no server may serve any more, of the same. Records of others are never our affair. */
unsigned rollover_banned(const struct rollover *r);

/* The key ERASE erases; 0: none, as it is the standby again. */
unsigned rollover_unwanted(const struct rollover *r);

/* People should look: a step takes longer than it may. */
bool rollover_is_late(const struct rollover *r, int64_t now_ms);
bool rollover_is_done(const struct rollover *r);
const char *rollover_step_word(int step); /* "settle"; NULL beyond */

/* What the step waits for, in words. */
const char *rollover_step_sentence(int step);

#endif
