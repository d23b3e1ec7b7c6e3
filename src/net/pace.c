/* SPDX-License-Identifier: Apache-2.0 */
#include "net/pace.h"

#include <stdlib.h>

#define BEGIN_NS   200000 /* a turn that has worked so long begins no step */
#define TIGHT_NS   300000 /* nor has it whole shares */
#define SHARE_NS   100000 /* of one turn, for what is urgent, and for steps that are short */
#define TIGHT_PART 3
#define PASSES     3
#define SOON       4 /* times as long as it spins: what comes later makes it sleep at once */
#define CREDIT_MAX 8 /* of spinning: found something, one more; looked in vain, two fewer */

struct pace_queue {
	struct pace_job *first, **end;
};

struct pace {
	uv_prepare_t prepare;
	uv_timer_t kick;
	uv_idle_t idle; /* while it spins: the loop looks and does not wait */
	unsigned users, handles;
	uint64_t began_ns, idle_ns; /* when the loop waited last; all that it had waited before */
	uint64_t woke_ns;           /* 0: it waits, or nobody asked since */
	struct pace_queue urgent, jobs;
	unsigned passed;             /* turns in a row in which no job was begun */
	uint64_t spin_ns, rested_ns; /* rested: when a turn ended in which it was stirred */
	bool stirred, soon;          /* in this turn; and soon after such a one */
	unsigned credit, rests;      /* without credit it sleeps, until it was stirred so often */
};

/* libuv takes a lock to tell how long it slept: once in a turn will do. */
static uint64_t worked(struct pace *p, uint64_t now_ns)
{
	if (!p->woke_ns)
		p->woke_ns = p->began_ns + uv_metrics_idle_time(p->prepare.loop) - p->idle_ns;
	return now_ns > p->woke_ns ? now_ns - p->woke_ns : 0;
}

/* Only there so that the loop does not sleep over a queue. */
static void kicked(uv_timer_t *timer)
{
	(void)timer;
}

static void put(struct pace *p, struct pace_queue *q, struct pace_job *job)
{
	job->in = q;
	job->next = NULL;
	job->at = q->end;
	*q->end = job;
	q->end = &job->next;
	/* The timer alone would not do: libuv 1.45 and later runs it at the end of a turn, and a
	 * loop that waits for nothing more has no other. */
	uv_ref((uv_handle_t *)&p->prepare);
	uv_timer_start(&p->kick, kicked, 0, 0);
}

void pace_remove(struct pace_job *job)
{
	struct pace_queue *q = job->in;

	if (!q)
		return;
	*job->at = job->next;
	*(job->next ? &job->next->at : &q->end) = job->at;
	job->in = NULL;
}

/* Until the time is over, and at least so many. */
static unsigned run(struct pace_queue *q, uint64_t until_ns, unsigned least)
{
	unsigned n = 0;

	while (q->first && (n < least || uv_hrtime() < until_ns)) {
		struct pace_job *job = q->first;

		pace_remove(job);
		job->run(job->arg);
		n++;
	}
	return n;
}

/* Steps as long as the turn is young. */
static void run_jobs(struct pace *p)
{
	uint64_t now = uv_hrtime(), worked_ns = worked(p, now),
		 left = worked_ns < BEGIN_NS ? BEGIN_NS - worked_ns : 0;
	unsigned n = run(&p->jobs, now + (left < SHARE_NS ? left : SHARE_NS),
		left > 0 || p->passed == PASSES);

	p->passed = n || !p->jobs.first ? 0 : p->passed + 1;
}

static void looked(uv_idle_t *idle)
{
	(void)idle;
}

void pace_stir(struct pace *p)
{
	if (!p->spin_ns || p->stirred)
		return;
	p->stirred = true;
	p->soon = uv_hrtime() - p->rested_ns < SOON * p->spin_ns;
	if (p->rests && --p->rests == 0)
		p->credit = 2;
}

/* What the look was worth that is over: in this turn something came, or nothing did. */
static void take_stock(struct pace *p)
{
	if (p->stirred)
		p->credit += p->credit < CREDIT_MAX;
	else
		p->credit -= p->credit < 2 ? p->credit : 2;
	if (p->credit == 0)
		p->rests = SPIN_REST;
}

static void spin_or_sleep(struct pace *p, uint64_t now_ns)
{
	bool spun = uv_is_active((uv_handle_t *)&p->idle), spins;

	if (p->stirred)
		p->rested_ns = now_ns;
	spins = p->soon && p->spin_ns && now_ns - p->rested_ns < p->spin_ns;
	if (spun && (p->stirred || !spins))
		take_stock(p);
	p->stirred = false;
	spins = spins && p->credit > 0;
	if (spins && !spun)
		uv_idle_start(&p->idle, looked);
	else if (spun && !spins)
		uv_idle_stop(&p->idle);
}

/* Just before the loop waits: this is where its turn ends. */
static void work(uv_prepare_t *prepare)
{
	struct pace *p = prepare->data;
	bool first = p->passed > 0;

	if (first)
		run_jobs(p);
	run(&p->urgent, pace_until(p, uv_hrtime(), SHARE_NS), !first);
	if (!first)
		run_jobs(p);
	if (p->urgent.first || p->jobs.first) {
		uv_timer_start(&p->kick, kicked, 0, 0);
	} else {
		uv_timer_stop(&p->kick);
		uv_unref((uv_handle_t *)&p->prepare);
	}
	p->began_ns = uv_hrtime();
	p->idle_ns = uv_metrics_idle_time(prepare->loop);
	p->woke_ns = 0;
	spin_or_sleep(p, p->began_ns);
}

static struct pace *new (uv_loop_t *loop)
{
	struct pace *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->urgent.end = &p->urgent.first;
	p->jobs.end = &p->jobs.first;
	/* The second call says so and changes nothing. */
	(void)uv_loop_configure(loop, UV_METRICS_IDLE_TIME);
	p->began_ns = uv_hrtime();
	p->idle_ns = uv_metrics_idle_time(loop);
	uv_prepare_init(loop, &p->prepare);
	uv_timer_init(loop, &p->kick);
	uv_idle_init(loop, &p->idle);
	p->handles = 3;
	p->prepare.data = p->kick.data = p->idle.data = p;
	/* Handles that are started later are called earlier: what its users do before the loop
	 * waits comes before the steps. */
	uv_prepare_start(&p->prepare, work);
	uv_unref((uv_handle_t *)&p->prepare);
	uv_unref((uv_handle_t *)&p->idle);
	return p;
}

static void find(uv_handle_t *handle, void *arg)
{
	struct pace **found = arg;

	if (handle->type == UV_PREPARE && ((uv_prepare_t *)handle)->prepare_cb == work &&
		!uv_is_closing(handle))
		*found = handle->data;
}

static struct pace *pace_of(uv_loop_t *loop)
{
	struct pace *p = NULL;

	uv_walk(loop, find, &p);
	return p;
}

void pace_spin(uv_loop_t *loop, unsigned us)
{
	struct pace *p = pace_of(loop);

	if (!p)
		return;
	p->spin_ns = us * 1000ULL;
	p->credit = CREDIT_MAX;
	p->rests = 0;
}

struct pace *pace_take(uv_loop_t *loop)
{
	struct pace *p = pace_of(loop);

	if (!p)
		p = new (loop);
	if (p)
		p->users++;
	return p;
}

static void closed(uv_handle_t *handle)
{
	struct pace *p = handle->data;

	if (--p->handles == 0)
		free(p);
}

void pace_give(struct pace *p)
{
	if (!p || --p->users > 0)
		return;
	uv_close((uv_handle_t *)&p->prepare, closed);
	uv_close((uv_handle_t *)&p->kick, closed);
	uv_close((uv_handle_t *)&p->idle, closed);
}

void pace_add(struct pace *p, struct pace_job *job)
{
	if (!job->in)
		put(p, &p->jobs, job);
}

void pace_now(struct pace *p, struct pace_job *job)
{
	if (job->in)
		return;
	if (worked(p, uv_hrtime()) < BEGIN_NS / (p->jobs.first ? TIGHT_PART : 1))
		job->run(job->arg);
	else
		put(p, &p->urgent, job);
}

static bool is_tight(struct pace *p, uint64_t now_ns)
{
	return p->jobs.first || worked(p, now_ns) >= TIGHT_NS;
}

bool pace_is_tight(struct pace *p)
{
	return is_tight(p, uv_hrtime());
}

uint64_t pace_until(struct pace *p, uint64_t now_ns, uint64_t share_ns)
{
	return now_ns + (is_tight(p, now_ns) ? share_ns / TIGHT_PART : share_ns);
}
