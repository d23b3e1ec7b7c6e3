/* SPDX-License-Identifier: Apache-2.0 */
/*
 * agentwatch - what an agent does for a name that was enrolled and never rolled: what the
 * enrolment left undone, its record, a new certificate in time. Its key stays: nobody has said how
 * the service is told of another.
 */
#include "cli/agent.h"
#include "cli/enroll.h"

#include <stdio.h>
#include <unistd.h>

/* For a server that has just been told; the others of the state wait meanwhile. */
#define PATIENCE_MS 2000

/* What is left of the steps. */
static int finish(struct enrolment *e, struct agent_found *out, struct err *err)
{
	enum enrolment_outcome outcome = ENROLMENT_GOES_ON;
	int rc = 0;

	while (rc == 0 && outcome == ENROLMENT_GOES_ON)
		rc = enrolment_go(e, &outcome, err);
	out->good = rc == 0 && outcome == ENROLMENT_DONE;
	return rc;
}

static int look_after(const struct agent_name *a, struct enrolment *e, struct agent_found *out,
	struct err *err)
{
	int rc = 0;

	if (e->step == ENROLMENT_LEAVING) {
		snprintf(out->words, sizeof(out->words),
			"is being removed: sardane names remove ends it");
		return 0;
	}
	if (e->step != ENROLMENT_ENROLLED)
		rc = finish(e, out, err);
	if (rc == 0 && e->step == ENROLMENT_ENROLLED && a->next.task == AGENDA_ROLL) {
		rc = enrolment_renew(e, err);
		out->renewed = rc == 0;
		out->did = "its certificate was to end, and was issued again";
	}
	if (rc == 0 && e->step == ENROLMENT_ENROLLED)
		rc = enrolment_check(e, &out->good, &out->repaired, err);
	if (rc == 0 && !out->good)
		enrolment_trouble(e, out->words);
	return rc;
}

/* One that is not found was removed since it was listed, and the next list will not have it. One
 * that has no folder was noted by a command that was killed right then. */
static int with_session(struct enroll_session *s, const struct agent_name *a, bool held,
	struct agent_found *out, struct err *err)
{
	struct enrolment e;
	struct name owner;
	bool found = false;
	int rc = name_of(a->name, &owner) == 0
		? enrolment_find(&s->tools, &owner, &found, &e, err)
		: err_set(err, ERR_FORMAT, "name '%s': not a domain name", a->name);

	out->busy = rc == 0 && !found;
	if (rc == 0 && found && !held && e.step != ENROLMENT_LEAVING)
		rc = err_set(err, ERR_SYSTEM, "'%s': is not there: the same sardane enroll goes on",
			a->dir);
	return rc == 0 && found ? look_after(a, &e, out, err) : rc;
}

int agent_watch(const char *state, struct agent_name *a, struct agent_found *out, struct err *err)
{
	enum rollfile_hold got = ROLLFILE_BUSY;
	struct enroll_session s;
	int lock = -1;
	int rc;

	*out = (struct agent_found){ .did = "records were not as they should be" };
	if (a->kind == AGENT_CRL)
		return agent_crl(a, out, err);
	if (a->kind == AGENT_FLEET)
		return agent_fleet(state, a, out, err);
	rc = rollfile_try_lock(a->dir, &got, &lock, err);
	out->busy = rc == 0 && got == ROLLFILE_BUSY;
	if (rc != 0 || out->busy)
		return rc;
	rc = enroll_open(a->file.via, state, true, &s, err);
	if (rc == 0) {
		s.tools.wait_ms = PATIENCE_MS;
		rc = with_session(&s, a, got == ROLLFILE_HELD, out, err);
		enroll_close(&s);
	}
	if (got == ROLLFILE_HELD)
		close(lock);
	return rc;
}
