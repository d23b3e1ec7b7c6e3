/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hex.h"
#include "check.h"

static void reads_either_case_and_writes_lower(void **state)
{
	uint8_t p[4];
	char text[9];
	size_t n;

	(void)state;
	assert_int_equal(hex_read(bytes("DEADbeef"), p, sizeof(p), &n), 0);
	assert_int_equal(n, 4);
	assert_int_equal(hex_write((struct span){ p, n }, text, sizeof(text)), 0);
	assert_string_equal(text, "deadbeef");
}

static void refuses_odd_lengths_and_other_letters(void **state)
{
	uint8_t p[4];
	size_t n;

	(void)state;
	assert_int_equal(hex_read(bytes("abc"), p, sizeof(p), &n), ERR_FORMAT);
	assert_int_equal(hex_read(bytes("0x"), p, sizeof(p), &n), ERR_FORMAT);
	assert_int_equal(hex_read(bytes("0011223344"), p, sizeof(p), &n), ERR_SPACE);
	assert_int_equal(hex_read_exact(bytes("0011"), p, 3), ERR_FORMAT);
}

static void refuses_a_buffer_without_room_for_the_zero(void **state)
{
	char text[4];

	(void)state;
	assert_int_equal(hex_write(bytes("\1\2"), text, sizeof(text)), ERR_SPACE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(reads_either_case_and_writes_lower),
		TEST(refuses_odd_lengths_and_other_letters),
		TEST(refuses_a_buffer_without_room_for_the_zero),
	};

	return cmocka_run_group_tests_name("hex", tests, NULL, NULL);
}
