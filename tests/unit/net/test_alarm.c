/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "net/alarm.h"

struct bell {
	struct alarm alarm;
	uv_loop_t loop;
	unsigned rung, again; /* times it sets itself to now */
};

static void ring(void *arg)
{
	struct bell *b = arg;

	b->rung++;
	if (b->again > 0) {
		b->again--;
		alarm_set(&b->alarm, 0);
	}
}

static void begin(struct bell *b)
{
	*b = (struct bell){ 0 };
	uv_loop_init(&b->loop);
	alarm_init(&b->alarm, &b->loop, ring, b);
}

static void finish(struct bell *b)
{
	alarm_close(&b->alarm);
	alarm_set(&b->alarm, 0);
	alarm_close(&b->alarm);
	uv_run(&b->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&b->loop), 0);
}

static void what_sets_itself_to_now_is_called_once_a_turn(void **state)
{
	struct bell b;
	(void)state;

	begin(&b);
	b.again = 100;
	alarm_set(&b.alarm, 0);
	for (unsigned i = 1; i <= 3; i++) {
		uv_run(&b.loop, UV_RUN_NOWAIT);
		assert_int_equal(b.rung, i);
	}
	finish(&b);
	assert_int_equal(b.rung, 3);
}

static void also_when_it_was_a_time_that_began_it(void **state)
{
	struct bell b;
	(void)state;

	begin(&b);
	b.again = 100;
	alarm_set(&b.alarm, 1);
	while (b.rung == 0)
		uv_run(&b.loop, UV_RUN_ONCE);
	assert_int_equal(b.rung, 1);
	uv_run(&b.loop, UV_RUN_NOWAIT);
	assert_int_equal(b.rung, 2);
	finish(&b);
}

static void the_last_setting_counts(void **state)
{
	struct bell b;
	(void)state;

	begin(&b);
	alarm_set(&b.alarm, 0);
	alarm_set(&b.alarm, ALARM_NEVER);
	uv_run(&b.loop, UV_RUN_DEFAULT);
	assert_int_equal(b.rung, 0);
	alarm_set(&b.alarm, 3600000);
	alarm_set(&b.alarm, -5);
	uv_run(&b.loop, UV_RUN_DEFAULT);
	assert_int_equal(b.rung, 1);
	alarm_set(&b.alarm, 0);
	alarm_set(&b.alarm, 3600000);
	uv_run(&b.loop, UV_RUN_NOWAIT);
	assert_int_equal(b.rung, 1);
	finish(&b);
}

static void one_that_was_never_opened_does_nothing(void **state)
{
	struct alarm none = { 0 };
	(void)state;

	alarm_set(&none, 0);
	alarm_close(&none);
	assert_false(none.open);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_sets_itself_to_now_is_called_once_a_turn),
		TEST(also_when_it_was_a_time_that_began_it),
		TEST(the_last_setting_counts),
		TEST(one_that_was_never_opened_does_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
