/* SPDX-License-Identifier: Apache-2.0 */
#include "rollover/agenda.h"

#define PAUSE_MS     30000
#define PAUSE_MAX_MS 3600000

/* FNV-1a of the name, as a part of a tenth of the period. */
static int64_t stretched(const char *name, uint32_t period_s)
{
	uint32_t hash = 2166136261u;

	for (; *name; name++)
		hash = (hash ^ (uint8_t)*name) * 16777619u;
	return (int64_t)period_s * 1000 + (int64_t)period_s * (hash % 100);
}

static int64_t after_failures(const struct agenda_facts *f)
{
	int64_t pause = PAUSE_MS;

	for (uint32_t i = 1; i < f->failures && pause < PAUSE_MAX_MS; i++)
		pause *= 2;
	return f->failed_ms + (pause < PAUSE_MAX_MS ? pause : PAUSE_MAX_MS);
}

/* Certificates of a day are renewed too: a third of their life before their end. */
static int64_t renewal(const struct agenda_policy *p, const struct agenda_facts *f)
{
	int64_t third = (f->ends_ms - f->begins_ms) / 3;
	int64_t before = (int64_t)p->renew_before_s * 1000;

	return f->ends_ms - (before < third ? before : third);
}

static void offer(struct agenda *best, enum agenda_task task, int64_t at_ms, const char *why)
{
	if (at_ms < best->at_ms)
		*best = (struct agenda){ task, at_ms, why };
}

struct agenda agenda_next(const struct agenda_policy *p, const struct agenda_facts *f,
	int64_t now_ms)
{
	struct agenda best = { AGENDA_WAIT, INT64_MAX, "nothing" };

	if (f->under_way) {
		offer(&best, AGENDA_GO_ON, f->deadline_ms, "a rollover is under way");
	} else {
		offer(&best, AGENDA_CHECK,
			f->checked_ms ? f->checked_ms + stretched(f->name, p->check_every_s) : 0,
			"a check is due");
		if (f->ends_ms)
			offer(&best, AGENDA_ROLL, renewal(p, f), "the certificate ends");
		if (p->roll_every_s)
			offer(&best, AGENDA_ROLL,
				f->rolled_ms + stretched(f->name, p->roll_every_s),
				"the key is old enough");
	}
	if (f->failures && best.at_ms < after_failures(f))
		best.at_ms = after_failures(f);
	if (best.at_ms > now_ms)
		best.task = AGENDA_WAIT;
	return best;
}
