/* SPDX-License-Identifier: Apache-2.0 */
#include "base/cursor.h"
#include "check.h"

static void reads_both_byte_orders(void **state)
{
	struct cursor c = cursor_over(bytes("\x01\x02\x01\x02\x01\x02\x03\x01\x02\x03\x04"));

	(void)state;
	assert_int_equal(cursor_u16_be(&c), 0x0102);
	assert_int_equal(cursor_u16_le(&c), 0x0201);
	assert_int_equal(cursor_u24_le(&c), 0x030201);
	assert_int_equal(cursor_u32_be(&c), 0x01020304);
	assert_true(cursor_done(&c));
}

static void stays_bad_after_the_first_missing_octet(void **state)
{
	struct cursor c = cursor_over(bytes("\x01\x02\x03"));

	(void)state;
	assert_int_equal(cursor_u32_be(&c), 0);
	assert_int_equal(cursor_u8(&c), 0);
	assert_int_equal(cursor_take(&c, 0).n, 0);
	assert_false(cursor_done(&c));
}

static void is_not_done_while_octets_are_left(void **state)
{
	struct cursor c = cursor_over(bytes("\x01\x02"));

	(void)state;
	cursor_u8(&c);
	assert_false(cursor_done(&c));
	assert_int_equal(cursor_rest(&c).n, 1);
	assert_true(cursor_done(&c));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(reads_both_byte_orders),
		TEST(stays_bad_after_the_first_missing_octet),
		TEST(is_not_done_while_octets_are_left),
	};

	return cmocka_run_group_tests_name("cursor", tests, NULL, NULL);
}
