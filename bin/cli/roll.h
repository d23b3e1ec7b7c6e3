/* SPDX-License-Identifier: Apache-2.0 */
/*
 * roll - what "sardane rollover" and "sardane agent" share: a name's rollover opened with its
 * world, and told to people and programs.
 *
 *   Ownership  roll_open fills the caller's memory, roll_close empties it.
 *   Errors     ERR_* with words.
 */
#ifndef CLI_ROLL_H
#define CLI_ROLL_H

#include "cli/publishing.h"
#include "cli/text.h"
#include "identity/rolling.h"

struct roll {
	enum rollfile_hold hold; /* other than HELD: roll_open failed for that alone */
	char dir[PATH_MAX];
	char authority[PATH_MAX];
	struct publishing publishing;
	struct rolling *rolling;
};

/* The folder of a name: that of the services of f, of a client when exact is true, or the only
 * one that there is about the name. */
int roll_find(const char *state, const struct rollfile *f, bool exact, char dir[PATH_MAX],
	struct err *err);

/* f: what the file says, which is there; its via says how the name is published.
 * again: see struct rolling_world. */
int roll_open(const char *state, const struct rollfile *f, bool again, struct roll *out,
	struct err *err);
void roll_close(struct roll *r);

/* "2026-11-28T20:31:20Z", or "-" for 0. */
#define ROLL_MOMENT_MAX TEXT_TIME_MAX
void roll_moment(int64_t ms, char out[ROLL_MOMENT_MAX]);

/* Until when its step waits; 0 when it only waits for the world. */
int64_t roll_until(const struct rollover *r);

void roll_tell(const struct rollfile *f, int64_t now_ms, struct buf *out);
/* The members of an object that is open. */
void roll_tell_json(const struct rollfile *f, int64_t now_ms, struct writer *w);
int64_t roll_now(void); /* ms of wall clock */

#endif
