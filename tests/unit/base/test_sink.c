/* SPDX-License-Identifier: Apache-2.0 */
#include "base/sink.h"
#include "check.h"

static void writes_what_a_cursor_reads(void **state)
{
	uint8_t p[17];
	struct sink s = sink_into(p, sizeof(p));
	struct cursor c;

	(void)state;
	sink_u8(&s, 1);
	sink_u16_le(&s, 0x0203);
	sink_u16_be(&s, 0x0405);
	sink_u64_le(&s, 0x060708090a0b0c0d);
	sink_u32_be(&s, 0x0e0f1011);
	assert_true(sink_fits(&s));
	c = cursor_over(sink_span(&s));
	assert_int_equal(cursor_u8(&c), 1);
	assert_int_equal(cursor_u16_le(&c), 0x0203);
	assert_int_equal(cursor_u16_be(&c), 0x0405);
	assert_true(cursor_u64_le(&c) == 0x060708090a0b0c0d);
	assert_int_equal(cursor_u32_be(&c), 0x0e0f1011);
	assert_true(cursor_done(&c));
}

static void writes_nothing_after_the_first_that_did_not_fit(void **state)
{
	uint8_t p[4] = { 9, 9, 9, 9 };
	struct sink s = sink_into(p, 3);

	(void)state;
	sink_u32_be(&s, 1);
	sink_u8(&s, 1);
	assert_false(sink_fits(&s));
	assert_int_equal(sink_span(&s).n, 0);
	assert_int_equal(p[0], 9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(writes_what_a_cursor_reads),
		TEST(writes_nothing_after_the_first_that_did_not_fit),
	};

	return cmocka_run_group_tests_name("sink", tests, NULL, NULL);
}
