/* SPDX-License-Identifier: Apache-2.0 */
/*
 * agentfleet - what an agent does for a list of devices: "sardane enroll --csv" as it was given,
 * which asks for every device, publishes what is missing, and takes up what the list has gained.
 */
#include "cli/agent.h"
#include "cli/enroll.h"
#include "identity/fleetlock.h"

#include <stdio.h>

#define WAIT_S 5 /* for what is missing, once it was published again */

void agent_fleet_name(const char *list, char out[NAME_TEXT_MAX])
{
	snprintf(out, NAME_TEXT_MAX, "(fleet %.*s)", NAME_TEXT_MAX - 16, list);
	for (char *c = out; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
}

static void tell_lacking(const struct fleet_report *r, char *words, size_t cap)
{
	snprintf(words, cap, "%zu of %zu verified", r->verified, r->devices);
	for (size_t i = r->servers; i-- > 0;)
		if (r->server[i].lacking)
			snprintf(words, cap, "%s: %zu not as they should be: %.120s",
				r->server[i].who, r->server[i].lacking, r->server[i].why);
}

int agent_fleet(const char *state, struct agent_name *a, struct agent_found *out, struct err *err)
{
	const struct fleetfile *f = &a->fleet;
	const struct enroll_fleet order = { .csv = f->list,
		.via = f->via,
		.state = state,
		.form = f->form,
		.key = f->key_kind,
		.result = f->result[0] ? f->result : NULL,
		.ca = f->ca,
		.days = f->days,
		.has_wait = true,
		.wait_s = WAIT_S,
		.quiet = true };
	struct fleet_report report;
	int rc;

	out->busy = fleetlock_is_busy(state);
	if (out->busy)
		return 0;
	rc = enroll_fleet_again(&order, &report, &out->good, err);
	if (rc != 0)
		return rc;
	a->devices = report.devices;
	out->repaired = report.mended > 0 || report.published > 0;
	if (!out->good)
		tell_lacking(&report, out->words, sizeof(out->words));
	return 0;
}
