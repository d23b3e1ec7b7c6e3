/* SPDX-License-Identifier: Apache-2.0 */
/*
 * agent - the names an agent looks after, and how they fare.
 *
 *   Ownership  agent_names_read fills the caller's list, agent_names_free empties it.
 *   Time       ms since 1970; 0: not yet.
 */
#ifndef CLI_AGENT_H
#define CLI_AGENT_H

#include "core/buf.h"
#include "identity/rollfile.h"
#include "rollover/agenda.h"

/* What the authority of the state is called among them: no owner of records is. */
#define AGENT_AUTHORITY "(authority)"

struct agent_name {
	char name[NAME_TEXT_MAX];
	char dir[PATH_MAX];
	bool seen;   /* in the last scan */
	bool opened; /* by this process, before */
	int64_t checked_ms, failed_ms;
	uint32_t failures;
	uint32_t done;   /* rollovers, when last looked */
	bool told_late;  /* people were told of this */
	char words[200]; /* of the last check or failure */
	struct agenda next;
	struct rollfile file;
	int64_t ends_ms; /* of the certificate */
};

struct agent_names {
	size_t count, cap;
	struct agent_name **name;
};

/* What is in DIR/names now; those known before keep what is remembered of them. */
int agent_names_read(const char *state, struct agent_names *n, struct err *err);
void agent_names_free(struct agent_names *n);

/* The page for people, and the file for Prometheus's node exporter. */
void agent_show(const struct agent_names *n, int64_t now_ms, struct buf *out);
void agent_measure(const struct agent_names *n, int64_t now_ms, struct buf *out);

#endif
