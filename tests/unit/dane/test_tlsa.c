/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "dane/tlsa.h"

#include <string.h>

static void reads_and_writes_the_same_octets(void **state)
{
	struct span in = bytes("\x03\x01\x01"
			       "0123456789abcdef0123456789abcdef");
	struct tlsa t;
	uint8_t out[64];
	size_t n;

	(void)state;
	assert_int_equal(tlsa_read(in, &t, NULL), 0);
	assert_int_equal(t.usage, TLSA_DANE_EE);
	assert_int_equal(t.selector, TLSA_SPKI);
	assert_int_equal(t.matching, TLSA_SHA256);
	assert_null(tlsa_unusable(&t));
	assert_int_equal(tlsa_write(&t, out, sizeof(out), &n, NULL), 0);
	assert_int_equal(n, in.n);
	assert_memory_equal(out, in.p, n);
	assert_int_equal(tlsa_write(&t, out, in.n - 1, &n, NULL), ERR_SPACE);
}

static void refuses_less_than_one_octet_of_data(void **state)
{
	struct tlsa t = { .usage = 77 };

	(void)state;
	assert_int_equal(tlsa_read(bytes(""), &t, NULL), ERR_FORMAT);
	assert_int_equal(tlsa_read(bytes("\x03\x01"), &t, NULL), ERR_FORMAT);
	assert_int_equal(tlsa_read(bytes("\x03\x01\x01"), &t, NULL), ERR_FORMAT);
	assert_int_equal(t.usage, 77);
}

static void says_why_a_record_is_unusable(void **state)
{
	static const struct {
		struct tlsa t;
		const char *why;
	} cases[] = {
		{ { 4, 1, 1, { NULL, 32 } }, "unknown certificate usage" },
		{ { 255, 1, 1, { NULL, 32 } }, "unknown certificate usage" },
		{ { 3, 2, 1, { NULL, 32 } }, "unknown selector" },
		{ { 3, 1, 3, { NULL, 32 } }, "unknown matching type" },
		{ { 3, 1, 1, { NULL, 31 } }, "SHA2-256 digest is not 32 octets" },
		{ { 3, 1, 2, { NULL, 32 } }, "SHA2-512 digest is not 64 octets" },
		{ { 3, 1, 2, { NULL, 64 } }, NULL },
		{ { 2, 0, 0, { NULL, 600 } }, NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *why = tlsa_unusable(&cases[i].t);
		if (!cases[i].why)
			assert_null(why);
		else
			assert_string_equal(why, cases[i].why);
	}
}

static void reads_text_in_pieces_and_brackets(void **state)
{
	uint8_t memory[8];
	char text[64];
	struct tlsa t;

	(void)state;
	assert_int_equal(tlsa_read_text(bytes(" 2 0\t1 ( dead\n BE ef )"), memory, 8, &t, NULL), 0);
	assert_int_equal(t.usage, 2);
	assert_int_equal(t.data.n, 4);
	assert_memory_equal(t.data.p, "\xde\xad\xbe\xef", 4);
	assert_int_equal(tlsa_write_text(&t, text, sizeof(text), NULL), 0);
	assert_string_equal(text, "2 0 1 deadbeef");
	assert_int_equal(tlsa_write_text(&t, text, 14, NULL), ERR_SPACE);
}

static void refuses_text_that_is_not_a_record(void **state)
{
	static const char *const bad[] = { "", "3", "3 1 1", "3 1 1 ", "3 1 1 abc", "3 1 256 ab",
		"3 1 -1 ab", "3 1 1 zz", "3 1 1 (ab", "3 1 1 ab)", "3 1 1 (ab) cd", "0003 1 1 ab",
		"3,1,1 ab", "3 1 1 0xab" };
	uint8_t memory[8];
	struct tlsa t;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct span s = { (const uint8_t *)bad[i], strlen(bad[i]) };
		assert_int_equal(tlsa_read_text(s, memory, sizeof(memory), &t, NULL), ERR_FORMAT);
	}
	assert_int_equal(tlsa_read_text(bytes("3 1 1 000102030405060708"), memory, 8, &t, NULL),
		ERR_SPACE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(reads_and_writes_the_same_octets),
		TEST(refuses_less_than_one_octet_of_data),
		TEST(says_why_a_record_is_unusable),
		TEST(reads_text_in_pieces_and_brackets),
		TEST(refuses_text_that_is_not_a_record),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
