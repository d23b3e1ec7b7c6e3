/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <stdlib.h>
#include <string.h>

#include "net/wheel.h"

#define TICK  WHEEL_TICK_MS
#define START 1000000007

static struct wheel wheel;

/* How late the node comes, when it is set again each time it comes too early; *times: how often. */
static int64_t lateness(int64_t after_ms, unsigned *times)
{
	struct wheel_node node = { 0 };
	int64_t now = START, by = START + after_ms;

	wheel_init(&wheel);
	*times = 0;
	assert_true(wheel_by(&wheel, &node, now, by));
	for (;;) {
		int64_t next = wheel_next_ms(&wheel);

		now = next > now ? next : now;
		wheel_turn(&wheel, now);
		if (wheel_pop(&wheel) != &node)
			continue;
		++*times;
		if (now >= by)
			return now - by;
		assert_true(wheel_by(&wheel, &node, now, by));
	}
}

static void each_comes_at_its_time_and_not_a_tick_later(void **state)
{
	static const int64_t after[] = { 0, 1, 249, 250, 251, 10000, 15999, 16000, 16001, 300000,
		1023999, 1024000, 1024250, 3600000, 86400000, 7 * 86400000LL };
	unsigned times;

	(void)state;
	for (unsigned i = 0; i < sizeof(after) / sizeof(after[0]); i++) {
		int64_t late = lateness(after[i], &times);

		assert_true(late >= 0 && late < TICK);
	}
}

static void what_is_far_away_is_looked_at_a_few_times(void **state)
{
	unsigned times;

	(void)state;
	(void)lateness(3600000, &times);
	assert_in_range(times, 1, WHEEL_LEVELS);
	(void)lateness(65000000, &times);
	assert_in_range(times, 1, WHEEL_LEVELS);
}

static void a_turn_pops_nobody_whose_time_is_far(void **state)
{
	static struct wheel_node idle[10000];
	unsigned popped = 0;

	(void)state;
	wheel_init(&wheel);
	memset(idle, 0, sizeof(idle));
	for (unsigned i = 0; i < 10000; i++)
		wheel_by(&wheel, &idle[i], START, START + 3600000 + i);
	/* 15 minutes of ticks. */
	for (int64_t now = START; now < START + 900000; now += TICK) {
		wheel_turn(&wheel, now);
		while (wheel_pop(&wheel))
			popped++;
	}
	assert_int_equal(popped, 0);
}

static void a_later_time_moves_nothing_and_a_sooner_one_does(void **state)
{
	struct wheel_node node = { 0 };

	(void)state;
	wheel_init(&wheel);
	assert_true(wheel_by(&wheel, &node, START, START + 5000));
	assert_false(wheel_by(&wheel, &node, START, START + 9000));
	assert_true(wheel_by(&wheel, &node, START, START + 1000));
	wheel_turn(&wheel, START + 1000 + TICK);
	assert_ptr_equal(wheel_pop(&wheel), &node);
	assert_null(wheel_pop(&wheel));
	assert_int_equal(wheel_next_ms(&wheel), INT64_MAX);
}

static void what_is_removed_does_not_come(void **state)
{
	struct wheel_node a = { 0 }, b = { 0 };

	(void)state;
	wheel_init(&wheel);
	wheel_by(&wheel, &a, START, START + 1000);
	wheel_by(&wheel, &b, START, START + 1000);
	wheel_remove(&wheel, &a);
	wheel_remove(&wheel, &a);
	wheel_turn(&wheel, START + 2000);
	assert_ptr_equal(wheel_pop(&wheel), &b);
	assert_null(wheel_pop(&wheel));
	assert_int_equal(wheel.count, 0);
}

static void who_is_due_is_still_there_when_time_was_short(void **state)
{
	struct wheel_node a = { 0 }, b = { 0 };

	(void)state;
	wheel_init(&wheel);
	wheel_by(&wheel, &a, START, START);
	wheel_by(&wheel, &b, START, START - 100000);
	assert_int_equal(wheel_next_ms(&wheel), 0);
	assert_ptr_equal(wheel_pop(&wheel), &a);
	wheel_turn(&wheel, START + 100);
	assert_int_equal(wheel_next_ms(&wheel), 0);
	assert_ptr_equal(wheel_pop(&wheel), &b);
}

static void after_a_rest_it_goes_on_from_now(void **state)
{
	struct wheel_node node = { 0 };
	int64_t later = START + 400 * 86400000LL;

	(void)state;
	wheel_init(&wheel);
	wheel_by(&wheel, &node, START, START + 1000);
	wheel_remove(&wheel, &node);
	wheel_by(&wheel, &node, later, later + 1000);
	wheel_turn(&wheel, later + 500);
	assert_null(wheel_pop(&wheel));
	wheel_turn(&wheel, later + 1000 + TICK);
	assert_ptr_equal(wheel_pop(&wheel), &node);
}

static void many_at_all_times_come_in_time(void **state)
{
	static struct wheel_node node[3000];
	static int64_t by[3000];
	unsigned left = 3000;

	(void)state;
	srandom(1);
	wheel_init(&wheel);
	memset(node, 0, sizeof(node));
	for (unsigned i = 0; i < 3000; i++) {
		by[i] = START + random() % 2000000;
		wheel_by(&wheel, &node[i], START, by[i]);
	}
	for (int64_t now = START; left; now = wheel_next_ms(&wheel)) {
		struct wheel_node *n;

		wheel_turn(&wheel, now);
		while ((n = wheel_pop(&wheel))) {
			int64_t due = by[n - node];

			assert_true(now < due + TICK);
			if (now < due)
				wheel_by(&wheel, n, now, due);
			else
				left--;
		}
	}
	assert_int_equal(wheel.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_comes_at_its_time_and_not_a_tick_later),
		TEST(what_is_far_away_is_looked_at_a_few_times),
		TEST(a_turn_pops_nobody_whose_time_is_far),
		TEST(a_later_time_moves_nothing_and_a_sooner_one_does),
		TEST(what_is_removed_does_not_come),
		TEST(who_is_due_is_still_there_when_time_was_short),
		TEST(after_a_rest_it_goes_on_from_now),
		TEST(many_at_all_times_come_in_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
