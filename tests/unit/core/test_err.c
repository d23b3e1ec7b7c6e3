/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "core/err.h"

#include <string.h>

static void wraps_words_around_the_cause(void **state)
{
	struct err e;

	(void)state;
	assert_int_equal(err_set(&e, ERR_SYSTEM, "no such file"), ERR_SYSTEM);
	assert_int_equal(err_wrap(&e, e.code, "key '%s'", "a.pem"), ERR_SYSTEM);
	assert_string_equal(e.msg, "key 'a.pem': no such file");
}

static void accepts_no_place_for_the_words(void **state)
{
	(void)state;
	assert_int_equal(err_set(NULL, ERR_ARG, "%s", "x"), ERR_ARG);
	assert_int_equal(err_wrap(NULL, ERR_ARG, "%s", "x"), ERR_ARG);
}

static void cuts_words_that_are_too_long(void **state)
{
	char longer[400];
	struct err e;

	(void)state;
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = 0;
	err_set(&e, ERR_ARG, "%s", longer);
	err_wrap(&e, ERR_ARG, "%s", longer);
	assert_int_equal(strlen(e.msg), sizeof(e.msg) - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(wraps_words_around_the_cause),
		TEST(accepts_no_place_for_the_words),
		TEST(cuts_words_that_are_too_long),
	};

	return cmocka_run_group_tests_name("err", tests, NULL, NULL);
}
