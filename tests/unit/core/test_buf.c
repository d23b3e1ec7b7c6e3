/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "core/buf.h"

static void grows_and_keeps_a_zero_behind(void **state)
{
	struct buf b = { 0 };

	(void)state;
	assert_string_equal(buf_string(&b), "");
	for (int i = 0; i < 100; i++)
		buf_printf(&b, "%02d", i);
	assert_true(buf_ok(&b));
	assert_int_equal(buf_span(&b).n, 200);
	buf_drop(&b, 198);
	assert_string_equal(buf_string(&b), "99");
	buf_done(&b);
}

static void goes_bad_at_its_limit_and_stays_bad(void **state)
{
	struct buf b = { .limit = 4 };

	(void)state;
	buf_text(&b, "1234");
	assert_true(buf_ok(&b));
	buf_text(&b, "5");
	buf_text(&b, "");
	assert_false(buf_ok(&b));
	assert_null(buf_string(&b));
	buf_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(grows_and_keeps_a_zero_behind),
		TEST(goes_bad_at_its_limit_and_stays_bad),
	};

	return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}
