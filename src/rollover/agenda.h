/* SPDX-License-Identifier: Apache-2.0 */
/*
 * agenda - what is due for a name that is looked after, and when the next thing is.
 *
 *   A rollover under way goes before everything else. Then: a key that is old, or a certificate
 *   that ends, is rolled over; what is published and presented is checked now and then, and put
 *   right. What failed is tried again, ever more seldom.
 *   Engine     no clock, no file; the facts are its caller's.
 *   Spread     periods are stretched by up to a tenth, by the name: many names begun together
 *              do not stay together.
 *   Time       ms since 1970; 0: never.
 *   Ownership  nothing is owned.
 */
#ifndef ROLLOVER_AGENDA_H
#define ROLLOVER_AGENDA_H

#include <stdbool.h>
#include <stdint.h>

struct agenda_policy {
	uint32_t roll_every_s;   /* 0: only when the certificate ends */
	uint32_t renew_before_s; /* of the certificate's end; at most a third of its life */
	uint32_t check_every_s;
};

struct agenda_facts {
	const char *name;
	bool under_way;
	int64_t deadline_ms; /* of the rollover under way */
	int64_t begins_ms;   /* of the certificate in use */
	int64_t ends_ms;     /* likewise */
	int64_t rolled_ms;   /* the key is in use since */
	int64_t checked_ms;  /* 0: not yet */
	int64_t failed_ms;   /* the last thing that was tried failed then; 0: it did not */
	uint32_t failures;   /* how often since */
};

enum agenda_task {
	AGENDA_WAIT,
	AGENDA_GO_ON, /* with the rollover under way */
	AGENDA_ROLL,  /* begin one */
	AGENDA_CHECK,
};

struct agenda {
	enum agenda_task task;
	int64_t at_ms;   /* of WAIT: when there is something to do */
	const char *why; /* "the certificate ends", ... */
};

struct agenda agenda_next(const struct agenda_policy *p, const struct agenda_facts *f,
	int64_t now_ms);

#endif
