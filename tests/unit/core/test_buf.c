/* SPDX-License-Identifier: Apache-2.0 */
#include "core/buf.h"

#include <string.h>

#include "check.h"

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

static void prints_what_fits_into_its_room_and_what_does_not(void **state)
{
	struct buf b = { 0 };

	(void)state;
	buf_printf(&b, "%d", 1);
	buf_reserve(&b, 200);
	assert_true(b.cap > 200);
	buf_printf(&b, "%*d", (int)(b.cap - b.n - 1), 2); /* to the last octet, the zero behind */
	assert_int_equal(b.n, b.cap - 1);
	buf_printf(&b, "%*d", 300, 3);
	assert_true(buf_ok(&b));
	assert_memory_equal(b.p + b.n - 2, " 3", 3);
	buf_done(&b);
}

static void extends_by_octets_to_be_filled(void **state)
{
	struct buf b = { .limit = 6 };
	uint8_t *p;

	(void)state;
	buf_text(&b, "ab");
	p = buf_extend(&b, 3);
	assert_non_null(p);
	memcpy(p, "cde", 3);
	assert_string_equal(buf_string(&b), "abcde");
	assert_null(buf_extend(&b, 2));
	assert_false(buf_ok(&b));
	buf_done(&b);
}

static void keeps_what_it_had_when_a_text_is_too_long(void **state)
{
	struct buf b = { .limit = 10 };

	(void)state;
	buf_text(&b, "1234");
	buf_printf(&b, "%s", "too long");
	assert_false(buf_ok(&b));
	assert_int_equal(b.n, 4);
	assert_int_equal(b.p[4], 0);
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
		TEST(prints_what_fits_into_its_room_and_what_does_not),
		TEST(extends_by_octets_to_be_filled),
		TEST(keeps_what_it_had_when_a_text_is_too_long),
		TEST(goes_bad_at_its_limit_and_stays_bad),
	};

	return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}
