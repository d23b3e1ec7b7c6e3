/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jobs - the list of what the engine has to do, in the order it came.
 *
 *   Bounds     jobs that owe an answer are bounded by jobs_max; the engine's own are not,
 *              there is at most one per device and per asking.
 *   Ownership  a job owns its uplink, session and downlink; jobs_free wipes them.
 */
#ifndef APPLICATION_JOBS_H
#define APPLICATION_JOBS_H

#include "application/engine.h"

/* NULL: no memory, or the bound is reached. */
struct job *jobs_new(struct application *a, enum job_kind kind, bool owed, uint64_t ticket);
void jobs_free(struct application *a, struct job *j);
void jobs_push(struct application *a, struct job *j);
struct job *jobs_pop(struct application *a);

/* Turns j into the refusal of its uplink, or its command, and pushes it. */
void jobs_refuse_uplink(struct application *a, struct job *j, enum uplink_verdict verdict);
void jobs_refuse_command(struct application *a, struct job *j, const char *words);

#endif
