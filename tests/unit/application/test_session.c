/* SPDX-License-Identifier: Apache-2.0 */
#include "application/downlink.h"
#include "check.h"

static void takes_each_counter_once_within_the_window(void **state)
{
	struct session s = { 0 };

	(void)state;
	for (uint32_t i = 0; i < 200; i += 2) {
		assert_int_equal(session_see(&s, i, 1), SESSION_NEW);
		session_take(&s, i, 1);
	}
	assert_int_equal(session_see(&s, 198, 1), SESSION_AGAIN);
	assert_int_equal(session_see(&s, 198, 2), SESSION_REPLAY);
	assert_int_equal(session_see(&s, 136, 1), SESSION_AGAIN);
	assert_int_equal(session_see(&s, 137, 1), SESSION_NEW);
	assert_int_equal(session_see(&s, 134, 1), SESSION_OLD);
	session_take(&s, 137, 9);
	assert_int_equal(session_see(&s, 137, 9), SESSION_AGAIN);
	assert_int_equal(s.up_last, 198);
}

static void survives_jumps_and_the_end_of_the_counter(void **state)
{
	struct session s = { 0 };

	(void)state;
	session_take(&s, 5, 1);
	session_take(&s, UINT32_MAX, 1);
	assert_int_equal(session_see(&s, 5, 1), SESSION_OLD);
	assert_int_equal(session_see(&s, UINT32_MAX, 1), SESSION_AGAIN);
	assert_int_equal(session_see(&s, UINT32_MAX - 1, 1), SESSION_NEW);
	assert_int_equal(session_see(&s, UINT32_MAX - 63, 1), SESSION_NEW);
	assert_int_equal(session_see(&s, UINT32_MAX - 64, 1), SESSION_OLD);
}

static void spends_a_counter_that_is_announced_and_free(void **state)
{
	struct session s = { .down_floor = 4 };
	struct downlink d = { 0 };
	uint32_t n;

	(void)state;
	assert_int_equal(downlink_spend(&s, &d, 9, &n), DOWNLINK_SPEND_NEW);
	assert_int_equal(n, 9);
	assert_int_equal(downlink_spend(&s, &d, 2, &n), DOWNLINK_SPEND_NEW);
	assert_int_equal(n, 4);
}

static void spends_a_bound_counter_again_only_in_its_session(void **state)
{
	struct session s = { .down_floor = 8, .id = { .n = 1, .octets = { 7 } } };
	struct downlink d = { .bound = true, .f_cnt = 7, .session = s.id };
	uint32_t n;

	(void)state;
	assert_int_equal(downlink_spend(&s, &d, 7, &n), DOWNLINK_SPEND_SAME);
	assert_int_equal(n, 7);
	assert_int_equal(downlink_spend(&s, &d, 8, &n), DOWNLINK_SPEND_NEW);
	assert_int_equal(n, 8);
	d.session.octets[0] = 6;
	assert_int_equal(downlink_spend(&s, &d, 7, &n), DOWNLINK_SPEND_NEW);
	assert_int_equal(n, 8);
}

static void has_no_counter_above_the_last(void **state)
{
	struct session s = { .down_floor = (uint64_t)UINT32_MAX + 1 };
	struct downlink d = { 0 };
	uint32_t n = 1;

	(void)state;
	assert_int_equal(downlink_spend(&s, &d, 0, &n), DOWNLINK_SPEND_NONE);
	assert_int_equal(n, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(takes_each_counter_once_within_the_window),
		TEST(survives_jumps_and_the_end_of_the_counter),
		TEST(spends_a_counter_that_is_announced_and_free),
		TEST(spends_a_bound_counter_again_only_in_its_session),
		TEST(has_no_counter_above_the_last),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
