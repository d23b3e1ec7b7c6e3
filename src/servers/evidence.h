/* SPDX-License-Identifier: Apache-2.0 */
/*
 * evidence - everything that was said on the way from a name to its records.
 *
 *   step 0: owner --CNAME, DNAME--> step 1: its target --> ... --> records, or none
 *
 *   Each step is one question to every server of the zone that holds its owner; the zones know
 *   what was said about their keys. Whether any of it is true is for src/trace to judge: the
 *   same evidence can be judged for another moment.
 *   Source     RFC 1034 section 3.6.2, RFC 6672.
 *   Bounds     EVIDENCE_STEPS_MAX steps; a loop ends it.
 *   Ownership  evidence_done frees the answers; zones stay the walk's.
 */
#ifndef SERVERS_EVIDENCE_H
#define SERVERS_EVIDENCE_H

#include "servers/delegation.h"

#define EVIDENCE_STEPS_MAX 12

struct evidence_step {
	struct delegation *zone;
	struct asked asked; /* its name is the owner */
};

struct evidence {
	size_t count;
	struct evidence_step step[EVIDENCE_STEPS_MAX];
	bool endless; /* the aliases lead back, or are too many */
};

int evidence_collect(struct delegation_walk *w, const struct name *name, uint16_t type,
	struct evidence *out, struct err *err);
void evidence_done(struct evidence *e);

#endif
