/* SPDX-License-Identifier: Apache-2.0 */
/* What is due, and when, in fake time: a table of facts. */
#include "check.h"
#include "rollover/agenda.h"

#define DAY   86400000LL
#define NOW   (20000 * DAY)
#define LEAST (30 * 86400)

static const struct agenda_policy policy = { .roll_every_s = 90 * 86400,
	.renew_before_s = LEAST,
	.check_every_s = 3600 };

static struct agenda_facts a_name(void)
{
	return (struct agenda_facts){ .name = "js.b.example",
		.begins_ms = NOW - 10 * DAY,
		.ends_ms = NOW + 355 * DAY,
		.rolled_ms = NOW - 10 * DAY,
		.checked_ms = NOW };
}

static void a_new_name_is_checked_at_once(void **state)
{
	struct agenda_facts f = a_name();

	(void)state;
	f.checked_ms = 0;
	assert_int_equal(agenda_next(&policy, &f, NOW).task, AGENDA_CHECK);
}

static void a_check_is_due_after_its_period_and_up_to_a_tenth(void **state)
{
	struct agenda_facts f = a_name();
	struct agenda a = agenda_next(&policy, &f, NOW);

	(void)state;
	assert_int_equal(a.task, AGENDA_WAIT);
	assert_true(a.at_ms >= NOW + 3600000 && a.at_ms < NOW + 3960000);
	assert_int_equal(agenda_next(&policy, &f, a.at_ms - 1).task, AGENDA_WAIT);
	assert_int_equal(agenda_next(&policy, &f, a.at_ms).task, AGENDA_CHECK);
	f.name = "as.b.example";
	assert_int_not_equal(agenda_next(&policy, &f, NOW).at_ms, a.at_ms);
}

static void a_key_that_is_old_is_rolled(void **state)
{
	struct agenda_facts f = a_name();

	(void)state;
	f.rolled_ms = NOW - 100 * DAY;
	assert_int_equal(agenda_next(&policy, &f, NOW).task, AGENDA_ROLL);
	assert_string_equal(agenda_next(&policy, &f, NOW).why, "the key is old enough");
}

static void a_certificate_that_ends_is_rolled_in_time(void **state)
{
	struct agenda_policy never = policy;
	struct agenda_facts f = a_name();

	(void)state;
	never.roll_every_s = 0;
	f.ends_ms = NOW + 30 * DAY;
	f.begins_ms = NOW - 335 * DAY;
	f.checked_ms = NOW + DAY;
	assert_int_equal(agenda_next(&never, &f, NOW - 1).task, AGENDA_WAIT);
	assert_int_equal(agenda_next(&never, &f, NOW).task, AGENDA_ROLL);
	/* One of nine days: three days before its end. */
	f.begins_ms = NOW - 6 * DAY;
	f.ends_ms = NOW + 3 * DAY;
	assert_int_equal(agenda_next(&never, &f, NOW - 1).task, AGENDA_WAIT);
	assert_int_equal(agenda_next(&never, &f, NOW).task, AGENDA_ROLL);
}

static void a_rollover_under_way_goes_before_the_rest(void **state)
{
	struct agenda_facts f = a_name();

	(void)state;
	f.under_way = true;
	f.deadline_ms = NOW + 5000;
	f.checked_ms = 0;
	f.rolled_ms = NOW - 100 * DAY;
	assert_int_equal(agenda_next(&policy, &f, NOW).task, AGENDA_WAIT);
	assert_int_equal(agenda_next(&policy, &f, NOW).at_ms, NOW + 5000);
	assert_int_equal(agenda_next(&policy, &f, NOW + 5000).task, AGENDA_GO_ON);
}

static void what_failed_is_tried_again_ever_more_seldom(void **state)
{
	struct agenda_facts f = a_name();

	(void)state;
	f.checked_ms = 0;
	f.failed_ms = NOW;
	f.failures = 1;
	assert_int_equal(agenda_next(&policy, &f, NOW + 29999).task, AGENDA_WAIT);
	assert_int_equal(agenda_next(&policy, &f, NOW + 30000).task, AGENDA_CHECK);
	f.failures = 3;
	assert_int_equal(agenda_next(&policy, &f, NOW + 119999).task, AGENDA_WAIT);
	assert_int_equal(agenda_next(&policy, &f, NOW + 120000).task, AGENDA_CHECK);
	f.failures = 4000000000;
	assert_int_equal(agenda_next(&policy, &f, NOW + 3599999).task, AGENDA_WAIT);
	assert_int_equal(agenda_next(&policy, &f, NOW + 3600000).task, AGENDA_CHECK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_new_name_is_checked_at_once),
		TEST(a_check_is_due_after_its_period_and_up_to_a_tenth),
		TEST(a_key_that_is_old_is_rolled),
		TEST(a_certificate_that_ends_is_rolled_in_time),
		TEST(a_rollover_under_way_goes_before_the_rest),
		TEST(what_failed_is_tried_again_ever_more_seldom),
	};

	return cmocka_run_group_tests_name("rollover/agenda", tests, NULL, NULL);
}
