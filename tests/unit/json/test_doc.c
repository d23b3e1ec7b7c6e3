/* SPDX-License-Identifier: Apache-2.0 */
#include "json/doc.h"

#include <stdlib.h>
#include <string.h>

#include "check.h"

static int read_text(struct span text, struct err *err)
{
	struct doc *d = NULL;
	int rc = doc_read(text, &d, err);

	doc_free(d);
	return rc;
}

static void reads_an_object_and_finds_its_members(void **state)
{
	struct doc *d;

	(void)state;
	assert_int_equal(doc_read(bytes("{\"a\":1,\"b\":[true,2.5,\"x\"],\"c\":null}"), &d, NULL),
		0);
	assert_int_equal(doc_kind(d), DOC_OBJECT);
	assert_int_equal(doc_integer(doc_member(d, "a")), 1);
	assert_int_equal(doc_count(doc_member(d, "b")), 3);
	assert_true(doc_is_true(doc_item(doc_member(d, "b"), 0)));
	assert_true(doc_real(doc_item(doc_member(d, "b"), 1)) == 2.5);
	assert_string_equal(doc_text(doc_item(doc_member(d, "b"), 2)), "x");
	assert_int_equal(doc_kind(doc_member(d, "c")), DOC_NULL);
	assert_int_equal(doc_kind(doc_member(d, "z")), DOC_NONE);
	assert_null(doc_member(doc_member(d, "a"), "b"));
	doc_free(d);
}

static void counts_a_name_in_two_cases_as_two(void **state)
{
	struct doc *d;
	unsigned times;

	(void)state;
	assert_int_equal(doc_read(bytes("{\"DevEUI\":1,\"deveui\":2,\"x\":3}"), &d, NULL), 0);
	doc_member_any_case(d, "DEVEUI", &times);
	assert_int_equal(times, 2);
	assert_int_equal(doc_integer(doc_member_any_case(d, "X", &times)), 3);
	assert_int_equal(times, 1);
	doc_free(d);
}

static void refuses_what_is_not_strict_json(void **state)
{
	static const char *const texts[] = { "", " ", "{", "1", "\"a\"", "{\"a\":1}x", "{\"a\":1,}",
		"{'a':1}", "{\"a\":01}", "{\"a\":1,\"a\":2}", "{\"\\u0061\":1,\"a\":2}",
		"{\"a\":\"\\u0000\"}", "{\"a\":\"\\ud800\"}", "{\"a\":NaN}", "{\"a\":1e999}",
		"{\"a\":99999999999999999999}", "// c\n{}", "{\"a\":\"\xff\"}",
		"{\"a\":\"\xc0\xaf\"}", "{\"a\":\"\xed\xa0\x80\"}", "\xef\xbb\xbf{}" };
	struct err err;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct span s = { (const uint8_t *)texts[i], strlen(texts[i]) };

		err = (struct err){ 0 };
		assert_int_equal(read_text(s, &err), ERR_FORMAT);
		assert_memory_equal(err.msg, "JSON: ", 6);
	}
	assert_int_equal(read_text(bytes("{\"a\":1}\0"), NULL), ERR_FORMAT);
}

static void says_where_without_repeating_what_the_peer_wrote(void **state)
{
	struct err err = { 0 };

	(void)state;
	assert_int_equal(read_text(bytes("{\"a\": secretsecret}"), &err), ERR_FORMAT);
	assert_null(strstr(err.msg, "secret"));
	assert_non_null(strstr(err.msg, "line 1"));
}

static void bounds_depth_and_octets_before_it_parses(void **state)
{
	struct err err = { 0 };
	char deep[30000], *big = calloc(1, DOC_OCTETS_MAX + 2);

	(void)state;
	memset(deep, '[', sizeof(deep));
	assert_int_equal(read_text((struct span){ (uint8_t *)deep, 30000 }, &err), ERR_FORMAT);
	assert_string_equal(err.msg, "JSON: deeper than 16");
	memset(deep + 16, ']', 16);
	assert_int_equal(read_text((struct span){ (uint8_t *)deep, 32 }, NULL), 0);
	memset(deep + 17, ']', 17);
	deep[16] = '[';
	assert_int_equal(read_text((struct span){ (uint8_t *)deep, 34 }, &err), ERR_FORMAT);
	/* Brackets in a string are not depth. */
	assert_int_equal(read_text(bytes("[\"\\\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\"]"), &err), 0);
	assert_non_null(big);
	memset(big, ' ', DOC_OCTETS_MAX + 1);
	big[0] = '{';
	big[DOC_OCTETS_MAX - 1] = '}';
	assert_int_equal(read_text((struct span){ (uint8_t *)big, DOC_OCTETS_MAX }, NULL), 0);
	assert_int_equal(read_text((struct span){ (uint8_t *)big, DOC_OCTETS_MAX + 1 }, &err),
		ERR_FORMAT);
	assert_string_equal(err.msg, "JSON: 32769 octets, at most 32768");
	free(big);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(reads_an_object_and_finds_its_members),
		TEST(counts_a_name_in_two_cases_as_two),
		TEST(refuses_what_is_not_strict_json),
		TEST(says_where_without_repeating_what_the_peer_wrote),
		TEST(bounds_depth_and_octets_before_it_parses),
	};

	return cmocka_run_group_tests_name("doc", tests, NULL, NULL);
}
