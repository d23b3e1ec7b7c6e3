/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "publish/child.h"

#include <stdlib.h>
#include <string.h>

#define LONG_MS 20000

static const char *const none[] = { NULL };

static void a_command_that_goes_well_is_no_error(void **state)
{
	(void)state;
	assert_int_equal(child_run("exit 0", none, LONG_MS, NULL), 0);
}

static void its_status_and_its_last_line_are_told(void **state)
{
	struct err err;

	(void)state;
	assert_int_equal(child_run("echo one; echo two >&2; exit 3", none, LONG_MS, &err),
		ERR_PEER);
	assert_non_null(strstr(err.msg, "status 3: two"));
	assert_int_equal(child_run("kill -9 $$", none, LONG_MS, &err), ERR_PEER);
	assert_non_null(strstr(err.msg, "signal 9"));
	assert_int_equal(child_run("no-such-command", none, LONG_MS, &err), ERR_PEER);
	assert_non_null(strstr(err.msg, "status 127"));
}

static void its_variables_go_before_ours(void **state)
{
	static const char *const variables[] = { "ONE=a b'c", "HOME=/nowhere", NULL };

	(void)state;
	setenv("ONE", "other", 1);
	setenv("KEPT", "yes", 1);
	assert_int_equal(child_run("[ \"$ONE\" = \"a b'c\" ] && [ \"$HOME\" = /nowhere ] &&"
				   " [ \"$KEPT\" = yes ]",
				 variables, LONG_MS, NULL),
		0);
}

static void one_that_takes_too_long_is_killed_with_all_its_own(void **state)
{
	struct err err;

	(void)state;
	assert_int_equal(child_run("sleep 15 & sleep 15", none, 200, &err), ERR_TIMEOUT);
	assert_non_null(strstr(err.msg, "did not end in its time"));
}

static void what_it_leaves_running_is_not_waited_for(void **state)
{
	(void)state;
	assert_int_equal(child_run("sleep 1 & echo done", none, LONG_MS, NULL), 0);
}

static void much_output_does_not_stop_it(void **state)
{
	struct err err;

	(void)state;
	assert_int_equal(child_run("yes 0123456789 | head -n 100000; echo last; exit 1", none,
				 LONG_MS, &err),
		ERR_PEER);
	assert_non_null(strstr(err.msg, ": last"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_command_that_goes_well_is_no_error),
		TEST(its_status_and_its_last_line_are_told),
		TEST(its_variables_go_before_ours),
		TEST(one_that_takes_too_long_is_killed_with_all_its_own),
		TEST(what_it_leaves_running_is_not_waited_for),
		TEST(much_output_does_not_stop_it),
	};

	return cmocka_run_group_tests_name("child", tests, NULL, NULL);
}
