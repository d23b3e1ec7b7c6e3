/* SPDX-License-Identifier: Apache-2.0 */
#include "json/writer.h"

#include <math.h>
#include <string.h>

#include "check.h"

static void writes_members_items_and_commas(void **state)
{
	struct buf out = { 0 };
	struct writer w = writer_into(&out);

	(void)state;
	writer_open(&w, NULL, '{');
	writer_text(&w, "t", "a\"b\\c\nd\x01/\xc3\xa9");
	writer_hex(&w, "h", bytes("\xde\xad"));
	writer_id(&w, "i", 3, 0x10203);
	writer_open(&w, "l", '[');
	writer_u64(&w, NULL, UINT64_MAX);
	writer_integer(&w, NULL, -5);
	writer_open(&w, NULL, '{');
	writer_close(&w);
	writer_close(&w);
	writer_real(&w, "r", 868.1, 4);
	writer_real(&w, "n", NAN, 4);
	writer_bool(&w, "y", true);
	writer_null(&w, "z");
	writer_base64(&w, "b", bytes("any carnal pleas"));
	writer_close(&w);
	assert_true(writer_ok(&w));
	assert_string_equal(buf_string(&out),
		"{\"t\":\"a\\\"b\\\\c\\nd\\u0001/\xc3\xa9\",\"h\":\"dead\",\"i\":\"010203\",\"l\":["
		"18446744073709551615,-5,{}],\"r\":868.1000,\"n\":null,\"y\":true,\"z\":null,"
		"\"b\":\"YW55IGNhcm5hbCBwbGVhcw==\"}");
	buf_done(&out);
}

static void writes_long_hexadecimal_and_base64_whole(void **state)
{
	uint8_t octets[1000];
	struct buf out = { 0 };
	struct writer w = writer_into(&out);

	(void)state;
	memset(octets, 0xab, sizeof(octets));
	w.upper = true;
	writer_open(&w, NULL, '[');
	writer_hex(&w, NULL, (struct span){ octets, sizeof(octets) });
	writer_base64(&w, NULL, (struct span){ octets, sizeof(octets) });
	writer_hex(&w, NULL, (struct span){ 0 });
	writer_close(&w);
	assert_true(writer_ok(&w));
	assert_int_equal(out.n, 1 + 2002 + 1 + 1336 + 2 + 1 + 2 + 1);
	assert_memory_equal(out.p, "[\"ABAB", 6);
	assert_memory_equal(out.p + out.n - 7, "==\",\"\"]", 7);
	buf_done(&out);
}

static void is_bad_when_left_open_or_misnamed(void **state)
{
	struct buf out = { 0 };
	struct writer w = writer_into(&out);

	(void)state;
	writer_open(&w, NULL, '{');
	assert_false(writer_ok(&w));
	writer_bool(&w, NULL, true);
	writer_close(&w);
	assert_false(writer_ok(&w));
	buf_done(&out);
	w = writer_into(&out);
	writer_close(&w);
	assert_false(writer_ok(&w));
	buf_done(&out);
}

static void refuses_text_that_is_not_utf8(void **state)
{
	static const char *const texts[] = { "\xff", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80",
		"\xc3", "\x80", "a\xe2\x82" };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct buf out = { 0 };
		struct writer w = writer_into(&out);

		writer_open(&w, NULL, '[');
		writer_text(&w, NULL, texts[i]);
		writer_close(&w);
		assert_false(writer_ok(&w));
		buf_done(&out);
	}
}

static void keeps_the_limit_of_its_buffer(void **state)
{
	struct buf out = { .limit = 10 };
	struct writer w = writer_into(&out);

	(void)state;
	writer_open(&w, NULL, '[');
	for (int i = 0; i < 20; i++)
		writer_u64(&w, NULL, 1);
	writer_close(&w);
	assert_false(writer_ok(&w));
	assert_true(out.n <= 10);
	buf_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(writes_members_items_and_commas),
		TEST(writes_long_hexadecimal_and_base64_whole),
		TEST(is_bad_when_left_open_or_misnamed),
		TEST(refuses_text_that_is_not_utf8),
		TEST(keeps_the_limit_of_its_buffer),
	};

	return cmocka_run_group_tests_name("writer", tests, NULL, NULL);
}
