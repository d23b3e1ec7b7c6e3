/* SPDX-License-Identifier: Apache-2.0 */
/*
 * harvest - the records at the end of the way, and which servers have each.
 *
 *   Only of servers whose answer is worth as much as the best one.
 *   Bounds     HARVEST_MAX records; more are counted in beyond.
 *   Ownership  harvest_done.      Errors  ERR_NOMEM.
 */
#ifndef TRACE_HARVEST_H
#define TRACE_HARVEST_H

#include "core/buf.h"
#include "trace/trust.h"

#define HARVEST_MAX 128

struct harvest_record {
	struct buf rdata;
	uint32_t servers; /* bit i: server i of the last step has it */
};

struct harvest {
	size_t count, beyond;
	uint32_t servers; /* all whose answer counts */
	struct harvest_record record[HARVEST_MAX];
};

int harvest_take(const struct evidence *e, const struct trust_report *r, struct harvest *out,
	struct err *err);
void harvest_done(struct harvest *h);

#endif
