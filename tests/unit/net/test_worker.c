/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "net/worker.h"

#define JOBS 64

struct tried {
	struct worker_job job; /* first */
	unsigned worked;       /* place, from 1 */
	unsigned done;
};

struct trial {
	uv_loop_t loop;
	struct worker *worker;
	uv_thread_t loops_thread;
	uint64_t takes_ns; /* each done */
	unsigned largest_group;
	unsigned worked, done;
	bool worked_on_the_loop, done_elsewhere;
	uv_mutex_t lock; /* the work waits for it */
	struct tried job[JOBS];
};

static void work(void *arg, struct worker_job *first, unsigned n)
{
	struct trial *t = arg;
	uv_thread_t self = uv_thread_self();
	unsigned seen = 0;

	uv_mutex_lock(&t->lock);
	for (; first; first = first->next, seen++)
		((struct tried *)first)->worked = ++t->worked;
	t->largest_group = n > t->largest_group ? n : t->largest_group;
	t->worked_on_the_loop |= seen != n || uv_thread_equal(&self, &t->loops_thread);
	uv_mutex_unlock(&t->lock);
}

static void done(void *arg, struct worker_job *job)
{
	struct trial *t = arg;
	uv_thread_t self = uv_thread_self();
	uint64_t until = uv_hrtime() + t->takes_ns;

	while (uv_hrtime() < until)
		;
	((struct tried *)job)->done = ++t->done;
	t->done_elsewhere |= !uv_thread_equal(&self, &t->loops_thread);
}

static void begin(struct trial *t, unsigned waiting_max, unsigned group_max)
{
	struct worker_config config = { .loop = &t->loop,
		.waiting_max = waiting_max,
		.group_max = group_max,
		.work = work,
		.done = done,
		.arg = t };
	struct err err;

	*t = (struct trial){ .loops_thread = uv_thread_self() };
	uv_mutex_init(&t->lock);
	uv_loop_init(&t->loop);
	assert_int_equal(worker_new(&config, &t->worker, &err), 0);
}

static void end(struct trial *t)
{
	worker_free(t->worker);
	uv_run(&t->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&t->loop), 0);
	uv_mutex_destroy(&t->lock);
	assert_false(t->worked_on_the_loop);
	assert_false(t->done_elsewhere);
}

static void jobs_are_worked_in_groups_and_done_in_their_order(void **state)
{
	static struct trial t;
	(void)state;

	begin(&t, JOBS, 16);
	uv_mutex_lock(&t.lock);
	for (unsigned i = 0; i < JOBS; i++)
		assert_true(worker_put(t.worker, &t.job[i].job));
	uv_mutex_unlock(&t.lock);
	while (t.done < JOBS)
		uv_run(&t.loop, UV_RUN_ONCE);
	for (unsigned i = 0; i < JOBS; i++) {
		assert_int_equal(t.job[i].worked, i + 1);
		assert_int_equal(t.job[i].done, i + 1);
	}
	assert_int_equal(t.largest_group, 16);
	end(&t);
}

static void more_than_may_wait_are_refused_and_never_done(void **state)
{
	static struct trial t;
	unsigned taken = 0;
	(void)state;

	begin(&t, 4, 1);
	uv_mutex_lock(&t.lock);
	for (unsigned i = 0; i < JOBS; i++)
		taken += worker_put(t.worker, &t.job[i].job);
	/* Four wait; one more may be at work. */
	assert_in_range(taken, 4, 5);
	uv_mutex_unlock(&t.lock);
	end(&t);
	assert_int_equal(t.done, taken);
}

static void what_waits_at_the_end_is_worked_and_done(void **state)
{
	static struct trial t;
	(void)state;

	begin(&t, JOBS, 8);
	for (unsigned i = 0; i < JOBS; i++)
		assert_true(worker_put(t.worker, &t.job[i].job));
	end(&t);
	assert_int_equal(t.worked, JOBS);
	assert_int_equal(t.done, JOBS);
}

static void a_turn_of_the_loop_takes_its_share_of_what_is_done(void **state)
{
	static struct trial t;
	unsigned turns = 0;
	(void)state;

	begin(&t, JOBS, JOBS);
	t.takes_ns = 2000000;
	uv_mutex_lock(&t.lock);
	for (unsigned i = 0; i < 8; i++)
		assert_true(worker_put(t.worker, &t.job[i].job));
	uv_mutex_unlock(&t.lock);
	for (; t.done < 8; turns++)
		uv_run(&t.loop, UV_RUN_ONCE);
	assert_true(turns >= 8);
	end(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(jobs_are_worked_in_groups_and_done_in_their_order),
		cmocka_unit_test(more_than_may_wait_are_refused_and_never_done),
		cmocka_unit_test(what_waits_at_the_end_is_worked_and_done),
		cmocka_unit_test(a_turn_of_the_loop_takes_its_share_of_what_is_done),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
