/* SPDX-License-Identifier: Apache-2.0 */
#include "json/fields.h"

#include <stdio.h>
#include <string.h>

#include "check.h"

static const struct doc *doc_of(void **state, struct span text)
{
	struct doc *d;

	doc_free(*state);
	*state = NULL;
	assert_int_equal(doc_read(text, &d, NULL), 0);
	*state = d;
	return d;
}

static int drop(void **state)
{
	doc_free(*state);
	*state = NULL;
	return 0;
}

static void reads_hexadecimal_in_any_case_with_or_without_0x(void **state)
{
	struct fields f = fields_of(
		doc_of(state,
			bytes("{\"a\":\"0xABcd\",\"DevEUI\":\"0102030405060708\",\"e\":\"\"}")),
		NULL);
	uint8_t p[4];
	uint64_t eui;
	size_t n = 9;

	assert_true(fields_hex(&f, "A", FIELDS_MUST, p, sizeof(p), &n));
	assert_int_equal(n, 2);
	assert_int_equal(p[0] << 8 | p[1], 0xabcd);
	assert_true(fields_id(&f, "deveui", FIELDS_MUST, 8, &eui));
	assert_int_equal(eui, 0x0102030405060708);
	assert_true(fields_hex(&f, "e", FIELDS_MUST, p, sizeof(p), &n));
	assert_int_equal(n, 0);
	assert_int_equal(fields_done(&f), 0);
}

static void check_words(void **state, struct span text, unsigned octets, const char *words)
{
	struct err err = { 0 };
	struct fields f = fields_of(doc_of(state, text), &err);
	uint64_t v = 77;

	assert_false(fields_id(&f, "DevEUI", FIELDS_MUST, octets, &v));
	assert_int_equal(fields_done(&f), ERR_FORMAT);
	assert_string_equal(err.msg, words);
	assert_int_equal(v, 77);
}

static void names_the_field_and_then_what_is_wrong(void **state)
{
	check_words(state, bytes("{\"DevEUI\":\"010203040506070\"}"), 8,
		"DevEUI: 15 digits, need 16");
	check_words(state, bytes("{\"DevEUI\":\"010203040506070x\"}"), 8,
		"DevEUI: not hexadecimal");
	check_words(state, bytes("{\"DevEUI\":1}"), 8,
		"DevEUI: a string is needed, not an integer");
	check_words(state, bytes("{\"DevEUI\":null}"), 8, "DevEUI: missing");
	check_words(state, bytes("{}"), 8, "DevEUI: missing");
	check_words(state, bytes("[]"), 8, "JSON: an object is needed, not an array");
	check_words(state, bytes("{\"DevEUI\":\"00\",\"devEui\":\"01\"}"), 1,
		"DevEUI: there 2 times");
}

static void finds_members_in_objects_of_any_size(void **state)
{
	char text[512] = "{\"a\":1";

	/* Fewer than are listed, as many, more. */
	for (unsigned n = 1; n < 2 * FIELDS_LISTED; n++) {
		struct span whole = { (const uint8_t *)text, 0 };
		struct fields f;
		uint32_t v = 0;

		whole.n = strlen(text) + 1;
		text[whole.n - 1] = '}';
		f = fields_of(doc_of(state, whole), NULL);
		text[whole.n - 1] = 0;
		assert_true(fields_u32(&f, "A", FIELDS_MUST, 99, &v));
		assert_int_equal(v, 1);
		if (n > 1)
			assert_true(fields_u32(&f, "m10", FIELDS_MUST, 99, &v));
		if (n > 1)
			assert_int_equal(v, 10);
		assert_int_equal(fields_done(&f), 0);
		/* The same name in the other case, as the last of so many. */
		strcat(text, ",\"A\":2}");
		whole.n = strlen(text);
		f = fields_of(doc_of(state, whole), NULL);
		assert_false(fields_u32(&f, "a", FIELDS_MUST, 99, &v));
		assert_int_equal(fields_done(&f), ERR_FORMAT);
		text[whole.n - strlen(",\"A\":2}")] = 0;
		sprintf(text + strlen(text), ",\"m%u\":%u", n + 9, n + 9);
	}
}

static void keeps_the_first_fault_and_reads_nothing_after_it(void **state)
{
	struct err err = { 0 };
	struct fields f = fields_of(doc_of(state, bytes("{\"a\":300,\"b\":1}")), &err);
	uint32_t v = 5;

	assert_false(fields_u32(&f, "a", FIELDS_MAY, 255, &v));
	assert_false(fields_u32(&f, "b", FIELDS_MUST, 255, &v));
	assert_int_equal(v, 5);
	assert_string_equal(err.msg, "a: 300, need 0 to 255");
}

static void takes_absent_and_null_as_absent(void **state)
{
	struct fields f = fields_of(doc_of(state, bytes("{\"a\":null}")), NULL);
	char text[4] = "old";
	double real = 1;
	bool yes = true;

	assert_false(fields_copy(&f, "a", FIELDS_MAY, text, sizeof(text)));
	assert_false(fields_real(&f, "b", FIELDS_MAY, &real));
	assert_false(fields_bool(&f, "c", FIELDS_MAY, &yes));
	assert_int_equal(fields_done(&f), 0);
	assert_string_equal(text, "old");
}

static void refuses_a_text_that_does_not_fit(void **state)
{
	struct err err = { 0 };
	struct fields f = fields_of(doc_of(state, bytes("{\"a\":\"four\",\"b\":2}")), &err);
	char text[4];
	double real;

	assert_true(fields_real(&f, "b", FIELDS_MUST, &real));
	assert_true(real == 2);
	assert_false(fields_copy(&f, "a", FIELDS_MAY, text, sizeof(text)));
	assert_string_equal(err.msg, "a: 4 octets, at most 3");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(reads_hexadecimal_in_any_case_with_or_without_0x, drop),
		cmocka_unit_test_teardown(names_the_field_and_then_what_is_wrong, drop),
		cmocka_unit_test_teardown(finds_members_in_objects_of_any_size, drop),
		cmocka_unit_test_teardown(keeps_the_first_fault_and_reads_nothing_after_it, drop),
		cmocka_unit_test_teardown(takes_absent_and_null_as_absent, drop),
		cmocka_unit_test_teardown(refuses_a_text_that_does_not_fit, drop),
	};

	return cmocka_run_group_tests_name("fields", tests, NULL, NULL);
}
