/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "identity/fleetlock.h"
#include "scratch.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

static void one_list_at_a_time(void **state)
{
	int first, second = -1;
	struct err err;

	(void)state;
	assert_false(fleetlock_is_busy("."));
	assert_int_equal(fleetlock_take(".", &first, NULL), 0);
	assert_true(fleetlock_is_busy("."));
	assert_int_equal(fleetlock_take(".", &second, &err), ERR_SYSTEM);
	assert_non_null(strstr(err.msg, "another list is being enrolled"));
	close(first);
	assert_false(fleetlock_is_busy("."));
	assert_int_equal(fleetlock_take(".", &second, NULL), 0);
	close(second);
}

static void a_folder_that_is_not_there_is_not_busy(void **state)
{
	(void)state;
	assert_false(fleetlock_is_busy("nowhere"));
}

static void *look(void *ended)
{
	while (!atomic_load((atomic_bool *)ended))
		fleetlock_is_busy(".");
	return NULL;
}

static void who_looks_keeps_nobody_away(void **state)
{
	atomic_bool ended = false;
	pthread_t looker;
	int fd, refused = 0;

	(void)state;
	assert_int_equal(pthread_create(&looker, NULL, look, &ended), 0);
	for (int i = 0; i < 3000; i++)
		if (fleetlock_take(".", &fd, NULL) == 0)
			close(fd);
		else
			refused++;
	atomic_store(&ended, true);
	pthread_join(looker, NULL);
	assert_int_equal(refused, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(one_list_at_a_time),
		TEST(a_folder_that_is_not_there_is_not_busy),
		TEST(who_looks_keeps_nobody_away),
	};

	return cmocka_run_group_tests_name("fleetlock", tests, scratch_begin, scratch_end);
}
