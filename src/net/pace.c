/* SPDX-License-Identifier: Apache-2.0 */
#include "net/pace.h"

#include <stdlib.h>

#define SHARE_NS 500000 /* of one turn of the loop: a handshake, or a few beginnings */

struct pace {
	uv_prepare_t prepare;
	uv_timer_t kick;
	unsigned handles;
	struct pace_job *first, **end;
};

/* Only there so that the loop does not sleep over a queue. */
static void kicked(uv_timer_t *timer)
{
	(void)timer;
}

static struct pace_job *take(struct pace *p)
{
	struct pace_job *job = p->first;

	p->first = job->next;
	if (!p->first)
		p->end = &p->first;
	job->queued = false;
	return job;
}

static void work(uv_prepare_t *prepare)
{
	struct pace *p = prepare->data;
	uint64_t until = uv_hrtime() + SHARE_NS;

	while (p->first && uv_hrtime() < until) {
		struct pace_job *job = take(p);

		job->run(job->arg);
	}
	if (p->first)
		uv_timer_start(&p->kick, kicked, 0, 0);
	else
		uv_timer_stop(&p->kick);
}

struct pace *pace_new(uv_loop_t *loop)
{
	struct pace *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->end = &p->first;
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
	if (job->queued)
		return;
	job->queued = true;
	job->next = NULL;
	if (!p->first)
		uv_timer_start(&p->kick, kicked, 0, 0);
	*p->end = job;
	p->end = &job->next;
}

void pace_remove(struct pace *p, struct pace_job *job)
{
	struct pace_job **at = &p->first;

	if (!job->queued)
		return;
	while (*at != job)
		at = &(*at)->next;
	*at = job->next;
	if (!*at)
		p->end = at;
	job->queued = false;
}
