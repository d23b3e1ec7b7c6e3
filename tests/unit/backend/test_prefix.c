/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/prefix.h"
#include "check.h"

static void holds_what_begins_with_its_bits(void **state)
{
	(void)state;
	assert_true(prefix_text_holds("0102030405060700/56", 0x01020304050607ffu));
	assert_false(prefix_text_holds("0102030405060700/56", 0x01020304050608ffu));
	assert_true(prefix_text_holds("0102030405060708", 0x0102030405060708u));
	assert_false(prefix_text_holds("0102030405060708", 0x0102030405060709u));
	assert_true(prefix_text_holds("0000000000000000/0", 0xffffffffffffffffu));
	assert_true(prefix_text_holds("8000000000000000/1", 0xffffffffffffffffu));
	assert_false(prefix_text_holds("8000000000000000/1", 1));
}

static void refuses_what_is_no_prefix(void **state)
{
	static const char *const bad[] = { "", "/", "01/8", "0102030405060700/",
		"0102030405060700/65", "0102030405060700/-1", "0102030405060700/8 ",
		"0102030405060700/99999999999999999999", "010203040506070g/8",
		"0x02030405060700/8" };
	struct prefix p;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_true(prefix_read(bad[i], &p) < 0);
		assert_false(prefix_text_holds(bad[i], 0));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(holds_what_begins_with_its_bits),
		TEST(refuses_what_is_no_prefix),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
