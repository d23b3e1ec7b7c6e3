/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "network/scan.h"

#include <string.h>

static bool whole(const char *text)
{
	struct scan s = scan_over((struct span){ (const uint8_t *)text, strlen(text) });

	scan_skip(&s);
	return scan_done(&s);
}

static void accepts_every_kind_of_value(void **state)
{
	static const char *const good[] = { "{}", "[]", " [ ] ", "null", "true", "false", "0",
		"-0.5e-3", "\"\\u0041\\n\"", "{\"a\":[1,{\"b\":null}],\"c\":\"d\"}",
		"[[[[[[[[]]]]]]]]" };

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		assert_true(whole(good[i]));
}

static void refuses_what_is_not_json(void **state)
{
	static const char *const bad[] = { "", "{", "[", "]", "{]", "[}", "[1,]", "{\"a\"}",
		"{\"a\":}", "{\"a\":1,}", "{,}", "[1 2]", "tru", "nul", "01", "-", "1.", ".5", "1e",
		"+1", "\"", "\"\\q\"", "\"\n\"", "{} {}", "[[[[[[[[[]]]]]]]]]", "'a'", "{1:2}",
		"1234567890123456789" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		if (whole(bad[i]))
			fail_msg("accepted: %s", bad[i]);
}

static int64_t fixed(const char *text, unsigned decimals)
{
	struct scan s = scan_over((struct span){ (const uint8_t *)text, strlen(text) });
	int64_t v = scan_fixed(&s, decimals, -1000000000000, 1000000000000);

	return scan_done(&s) ? v : -1;
}

static void reads_decimals_exactly(void **state)
{
	(void)state;
	assert_int_equal(fixed("868.1", 6), 868100000);
	assert_int_equal(fixed("868.1000004", 6), 868100000);
	assert_int_equal(fixed("868.1000005", 6), 868100001);
	assert_int_equal(fixed("8.681e2", 6), 868100000);
	assert_int_equal(fixed("-12.75", 1), -128);
	assert_int_equal(fixed("-12.74", 1), -127);
	assert_int_equal(fixed("0.0000000000000000000001", 6), 0);
	assert_int_equal(fixed("1e13", 0), -1);
	assert_int_equal(fixed("1e99", 0), -1);
}

static void resolves_escapes_in_text(void **state)
{
	struct scan s = scan_over(bytes("\"a\\/b\\u0041\\\"\""));
	char out[8];

	(void)state;
	assert_int_equal(scan_text(&s, out, sizeof(out)), 5);
	assert_string_equal(out, "a/bA\"");
	assert_true(scan_done(&s));
}

static void refuses_text_that_does_not_fit(void **state)
{
	struct scan s = scan_over(bytes("\"abcd\""));
	char out[4];

	(void)state;
	assert_int_equal(scan_text(&s, out, sizeof(out)), 0);
	assert_true(s.bad);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(accepts_every_kind_of_value),
		TEST(refuses_what_is_not_json),
		TEST(reads_decimals_exactly),
		TEST(resolves_escapes_in_text),
		TEST(refuses_text_that_does_not_fit),
	};

	return cmocka_run_group_tests_name("scan", tests, NULL, NULL);
}
