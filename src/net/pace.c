/* SPDX-License-Identifier: Apache-2.0 */
#include "net/pace.h"

#include <stdlib.h>

#define SHARE_NS 100000 /* of one turn of the loop: a handshake, or a few beginnings */

struct pace_queue {
	struct pace_job *first, **end;
};

struct pace {
	uv_prepare_t prepare;
	uv_timer_t kick;
	unsigned handles;
	struct pace_queue urgent, jobs;
	bool passed;                   /* urgent ones had the last turn: jobs have this one */
	uint64_t served_ns, worked_ns; /* by pace_now since the last work; by that */
};

/* Only there so that the loop does not sleep over a queue. */
static void kicked(uv_timer_t *timer)
{
	(void)timer;
}

static void put(struct pace *p, struct pace_queue *q, struct pace_job *job)
{
	job->in = q;
	job->next = NULL;
	*q->end = job;
	q->end = &job->next;
	uv_timer_start(&p->kick, kicked, 0, 0);
}

static struct pace_job *take(struct pace_queue *q)
{
	struct pace_job *job = q->first;

	q->first = job->next;
	if (!q->first)
		q->end = &q->first;
	job->in = NULL;
	return job;
}

/* Until the time is over, and at least so many; false: none. */
static bool run(struct pace_queue *q, uint64_t until_ns, unsigned least)
{
	unsigned n = 0;

	while (q->first && (n < least || uv_hrtime() < until_ns)) {
		struct pace_job *job = take(q);

		job->run(job->arg);
		n++;
	}
	return n > 0;
}

static void work(uv_prepare_t *prepare)
{
	struct pace *p = prepare->data;
	uint64_t now = uv_hrtime(), until = now + SHARE_NS - p->served_ns;

	if (p->passed) {
		p->passed = false;
		run(&p->jobs, until, 1);
		run(&p->urgent, until, 0);
	} else {
		bool any = run(&p->urgent, until, 1) || p->served_ns > 0;

		p->passed = !run(&p->jobs, until, !any) && p->jobs.first;
	}
	if (p->urgent.first || p->jobs.first)
		uv_timer_start(&p->kick, kicked, 0, 0);
	else
		uv_timer_stop(&p->kick);
	p->worked_ns = uv_hrtime() - now;
	p->served_ns = 0;
}

struct pace *pace_new(uv_loop_t *loop)
{
	struct pace *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->urgent.end = &p->urgent.first;
	p->jobs.end = &p->jobs.first;
	uv_prepare_init(loop, &p->prepare);
	uv_timer_init(loop, &p->kick);
	p->handles = 2;
	p->prepare.data = p->kick.data = p;
	uv_prepare_start(&p->prepare, work);
	uv_unref((uv_handle_t *)&p->prepare);
	return p;
}

static void closed(uv_handle_t *handle)
{
	struct pace *p = handle->data;

	if (--p->handles == 0)
		free(p);
}

void pace_free(struct pace *p)
{
	if (!p)
		return;
	uv_close((uv_handle_t *)&p->prepare, closed);
	uv_close((uv_handle_t *)&p->kick, closed);
}

void pace_add(struct pace *p, struct pace_job *job)
{
	if (!job->in)
		put(p, &p->jobs, job);
}

void pace_now(struct pace *p, struct pace_job *job)
{
	uint64_t began = uv_hrtime();

	if (job->in)
		return;
	if (p->worked_ns + p->served_ns >= SHARE_NS) {
		put(p, &p->urgent, job);
		return;
	}
	job->run(job->arg);
	p->served_ns += uv_hrtime() - began;
}

void pace_remove(struct pace *p, struct pace_job *job)
{
	struct pace_job **at;

	(void)p;
	if (!job->in)
		return;
	at = &job->in->first;
	while (*at != job)
		at = &(*at)->next;
	*at = job->next;
	if (!*at)
		job->in->end = at;
	job->in = NULL;
}
