/* SPDX-License-Identifier: Apache-2.0 */
/* The clock is the test's (--wrap), and the loop has waited for nothing: a turn takes as long as
 * its jobs say, however busy the machine is. */
#include "check.h"
#include "net/pace.h"

struct counted {
	struct pace *pace;
	struct pace_job job;
	unsigned ran, again; /* times it adds itself */
	unsigned place;      /* when it ran */
	uint64_t takes_ns;
};

static unsigned places;
static uint64_t clock_ns = 1000000000;

uint64_t __wrap_uv_hrtime(void);
uint64_t __wrap_uv_hrtime(void)
{
	return clock_ns;
}

uint64_t __wrap_uv_metrics_idle_time(uv_loop_t *loop);
uint64_t __wrap_uv_metrics_idle_time(uv_loop_t *loop)
{
	(void)loop;
	return 0;
}

static void run(void *arg)
{
	struct counted *c = arg;

	clock_ns += c->takes_ns;
	c->ran++;
	c->place = ++places;
	if (c->again) {
		c->again--;
		pace_add(c->pace, &c->job);
	}
}

static struct counted counted(struct pace *pace)
{
	return (struct counted){ .pace = pace, .job.run = run };
}

static void add(struct counted *c)
{
	c->job.arg = c;
	pace_add(c->pace, &c->job);
}

static void finish(uv_loop_t *loop, struct pace *pace)
{
	uv_run(loop, UV_RUN_DEFAULT);
	pace_give(pace);
	uv_run(loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(loop), 0);
}

static void jobs_run_once_in_the_order_they_were_added(void **state)
{
	uv_loop_t loop;
	(void)state;

	uv_loop_init(&loop);
	struct pace *pace = pace_take(&loop);
	struct counted a = counted(pace), b = counted(pace), c = counted(pace);
	places = 0;
	add(&b);
	add(&a);
	add(&b);
	add(&c);
	pace_remove(&a.job);
	pace_remove(&a.job);
	finish(&loop, pace);
	assert_int_equal(a.ran, 0);
	assert_int_equal(b.ran, 1);
	assert_int_equal(c.ran, 1);
	assert_true(b.place < c.place);
}

static void a_job_that_adds_itself_runs_behind_the_others(void **state)
{
	uv_loop_t loop;
	(void)state;

	uv_loop_init(&loop);
	struct pace *pace = pace_take(&loop);
	struct counted a = counted(pace), b = counted(pace);
	places = 0;
	a.again = 2;
	add(&a);
	add(&b);
	finish(&loop, pace);
	assert_int_equal(a.ran, 3);
	assert_int_equal(b.place, 2);
}

static void a_job_that_uses_up_the_turn_leaves_the_rest_to_the_next(void **state)
{
	uv_loop_t loop;
	(void)state;

	uv_loop_init(&loop);
	struct pace *pace = pace_take(&loop);
	struct counted a = counted(pace), b = counted(pace);
	a.takes_ns = 20000000;
	add(&a);
	add(&b);
	uv_run(&loop, UV_RUN_NOWAIT);
	assert_int_equal(a.ran, 1);
	assert_int_equal(b.ran, 0);
	uv_run(&loop, UV_RUN_NOWAIT);
	assert_int_equal(b.ran, 1);
	finish(&loop, pace);
}

static void an_urgent_job_runs_at_once_until_the_turn_is_used_up(void **state)
{
	uv_loop_t loop;
	(void)state;

	uv_loop_init(&loop);
	struct pace *pace = pace_take(&loop);
	struct counted a = counted(pace), b = counted(pace), c = counted(pace), d = counted(pace);
	places = 0;
	a.job.arg = &a;
	b.job.arg = &b;
	d.job.arg = &d;
	a.takes_ns = b.takes_ns = 20000000;
	pace_now(pace, &a.job);
	assert_int_equal(a.ran, 1);
	add(&c);
	pace_now(pace, &b.job);
	pace_now(pace, &b.job);
	pace_now(pace, &d.job);
	assert_int_equal(b.ran + d.ran, 0);
	uv_run(&loop, UV_RUN_NOWAIT);
	assert_int_equal(b.ran, 1);
	assert_int_equal(c.ran, 0);
	/* Passed over once, and not twice. */
	uv_run(&loop, UV_RUN_NOWAIT);
	assert_int_equal(c.ran, 1);
	finish(&loop, pace);
	assert_int_equal(b.ran + d.ran, 2);
	assert_true(c.place < d.place);
}

static void the_last_job_may_be_removed_and_others_added(void **state)
{
	uv_loop_t loop;
	(void)state;

	uv_loop_init(&loop);
	struct pace *pace = pace_take(&loop);
	struct counted a = counted(pace), b = counted(pace), c = counted(pace);
	add(&a);
	add(&b);
	pace_remove(&b.job);
	add(&c);
	finish(&loop, pace);
	assert_int_equal(a.ran + c.ran, 2);
	assert_int_equal(b.ran, 0);
}

static void a_step_is_passed_over_in_old_turns_but_not_for_ever(void **state)
{
	uv_loop_t loop;
	unsigned turns = 0;
	(void)state;

	uv_loop_init(&loop);
	struct pace *pace = pace_take(&loop);
	struct counted a = counted(pace);
	uv_run(&loop, UV_RUN_NOWAIT);
	add(&a);
	while (!a.ran && turns < 10) {
		clock_ns += 2000000;
		uv_run(&loop, UV_RUN_NOWAIT);
		turns++;
	}
	assert_int_equal(turns, 4);
	finish(&loop, pace);
}

static void shares_are_a_third_while_a_step_waits(void **state)
{
	uv_loop_t loop;
	(void)state;

	uv_loop_init(&loop);
	struct pace *pace = pace_take(&loop);
	struct counted a = counted(pace);
	uv_run(&loop, UV_RUN_NOWAIT);
	add(&a);
	assert_true(pace_is_tight(pace));
	assert_int_equal(pace_until(pace, clock_ns, 30000), clock_ns + 10000);
	uv_run(&loop, UV_RUN_NOWAIT);
	finish(&loop, pace);
}

static void shares_are_a_third_in_a_turn_that_worked_long(void **state)
{
	uv_loop_t loop;
	(void)state;

	uv_loop_init(&loop);
	struct pace *pace = pace_take(&loop);
	clock_ns += 1000000;
	assert_true(pace_is_tight(pace));
	finish(&loop, pace);
}

static void a_loop_has_one_until_the_last_gives_it_back(void **state)
{
	uv_loop_t loop;
	(void)state;

	uv_loop_init(&loop);
	struct pace *pace = pace_take(&loop);
	assert_ptr_equal(pace_take(&loop), pace);
	pace_give(pace);
	assert_ptr_equal(pace_take(&loop), pace);
	pace_give(pace);
	pace_give(pace);
	struct pace *other = pace_take(&loop);
	assert_ptr_not_equal(other, pace);
	finish(&loop, other);
}

/* Whether the loop is to look, and not to wait, after a turn at that time. */
static bool spins(uv_loop_t *loop, struct pace *pace, bool stirred, uint64_t after_us)
{
	clock_ns += after_us * 1000;
	if (stirred)
		pace_stir(pace);
	uv_run(loop, UV_RUN_NOWAIT);
	return uv_backend_timeout(loop) == 0;
}

static void late(uv_timer_t *timer)
{
	(void)timer;
}

static void a_loop_spins_for_who_came_again_soon_and_not_for_others(void **state)
{
	uv_loop_t loop;
	uv_timer_t timer;
	(void)state;

	uv_loop_init(&loop);
	struct pace *pace = pace_take(&loop);
	uv_timer_init(&loop, &timer);
	uv_timer_start(&timer, late, 3600000, 0);
	assert_false(spins(&loop, pace, true, 1000));
	assert_false(spins(&loop, pace, true, 10)); /* nobody asked for it */
	pace_spin(&loop, 50);
	assert_false(spins(&loop, pace, true, 1000));
	assert_true(spins(&loop, pace, true, 199));
	assert_true(spins(&loop, pace, false, 49));
	assert_false(spins(&loop, pace, false, 1)); /* long enough */
	assert_true(spins(&loop, pace, true, 100));
	assert_false(spins(&loop, pace, true, 200)); /* that was late */
	assert_false(spins(&loop, pace, false, 10));
	assert_true(spins(&loop, pace, true, 10));
	pace_spin(&loop, 0);
	assert_false(spins(&loop, pace, false, 10));
	uv_close((uv_handle_t *)&timer, NULL);
	finish(&loop, pace);
}

static void a_loop_that_looks_in_vain_leaves_it_for_a_while(void **state)
{
	uv_loop_t loop;
	uv_timer_t timer;
	unsigned n = 0;
	(void)state;

	uv_loop_init(&loop);
	struct pace *pace = pace_take(&loop);
	uv_timer_init(&loop, &timer);
	uv_timer_start(&timer, late, 3600000, 0);
	pace_spin(&loop, 50);
	(void)spins(&loop, pace, true, 1000);
	/* Always soon, and never so soon as to be found. */
	while (spins(&loop, pace, true, 100)) {
		assert_false(spins(&loop, pace, false, 50));
		n++;
	}
	assert_int_equal(n, 4);
	for (n = 1; !spins(&loop, pace, true, 100); n++)
		assert_true(n < SPIN_REST);
	assert_int_equal(n, SPIN_REST - 1);
	assert_false(spins(&loop, pace, false, 50));
	assert_false(spins(&loop, pace, true, 100)); /* one try was enough */
	for (n = 1; !spins(&loop, pace, true, 10); n++)
		assert_true(n < SPIN_REST);
	/* Who finds two for one in vain goes on. */
	for (n = 0; n < 100; n++) {
		assert_true(spins(&loop, pace, true, 10));
		assert_true(spins(&loop, pace, true, 10));
		assert_false(spins(&loop, pace, false, 50));
		assert_true(spins(&loop, pace, true, 10));
	}
	uv_close((uv_handle_t *)&timer, NULL);
	finish(&loop, pace);
}

static void a_loop_that_spins_ends_all_the_same(void **state)
{
	uv_loop_t loop;
	(void)state;

	uv_loop_init(&loop);
	struct pace *pace = pace_take(&loop);
	pace_spin(&loop, 50);
	clock_ns += 1000000;
	pace_stir(pace);
	pace_stir(pace);
	finish(&loop, pace);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_loop_spins_for_who_came_again_soon_and_not_for_others),
		TEST(a_loop_that_looks_in_vain_leaves_it_for_a_while),
		TEST(a_loop_that_spins_ends_all_the_same),
		cmocka_unit_test(jobs_run_once_in_the_order_they_were_added),
		cmocka_unit_test(a_job_that_adds_itself_runs_behind_the_others),
		cmocka_unit_test(a_job_that_uses_up_the_turn_leaves_the_rest_to_the_next),
		cmocka_unit_test(an_urgent_job_runs_at_once_until_the_turn_is_used_up),
		cmocka_unit_test(a_step_is_passed_over_in_old_turns_but_not_for_ever),
		cmocka_unit_test(shares_are_a_third_while_a_step_waits),
		cmocka_unit_test(shares_are_a_third_in_a_turn_that_worked_long),
		cmocka_unit_test(a_loop_has_one_until_the_last_gives_it_back),
		cmocka_unit_test(the_last_job_may_be_removed_and_others_added),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
