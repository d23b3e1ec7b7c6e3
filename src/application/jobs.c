/* SPDX-License-Identifier: Apache-2.0 */
#include "application/jobs.h"

#include <stdlib.h>

#include "core/secret.h"

struct job *jobs_new(struct application *a, enum job_kind kind, bool owed, uint64_t ticket)
{
	struct job *j;

	if (owed && a->open >= a->config.jobs_max)
		return NULL;
	j = calloc(1, sizeof(*j));
	if (!j)
		return NULL;
	j->kind = kind;
	j->owed = owed;
	j->ticket = ticket;
	a->jobs++;
	a->open += owed;
	return j;
}

void jobs_free(struct application *a, struct job *j)
{
	if (!j)
		return;
	a->jobs--;
	a->open -= j->owed;
	if (j->uplink)
		free(j->uplink);
	if (j->session) {
		session_wipe(j->session);
		free(j->session);
	}
	if (j->downlink) {
		secret_wipe_octets(j->downlink, sizeof(*j->downlink));
		free(j->downlink);
	}
	free(j);
}

void jobs_push(struct application *a, struct job *j)
{
	j->next = NULL;
	*a->last = j;
	a->last = &j->next;
}

struct job *jobs_pop(struct application *a)
{
	struct job *j = a->first;

	if (!j)
		return NULL;
	a->first = j->next;
	if (!a->first)
		a->last = &a->first;
	j->next = NULL;
	return j;
}

void jobs_refuse_uplink(struct application *a, struct job *j, enum uplink_verdict verdict)
{
	j->kind = JOB_REFUSE;
	j->verdict = verdict;
	jobs_push(a, j);
}

void jobs_refuse_command(struct application *a, struct job *j, const char *words)
{
	j->kind = JOB_COMMAND_REFUSE;
	j->words = words;
	jobs_push(a, j);
}
