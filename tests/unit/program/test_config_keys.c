/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "program/config_keys.h"

#include <stdio.h>
#include <string.h>

static char said[1024];

static int note(void *arg, const struct config_key *k, struct err *err)
{
	size_t n = strlen(said);

	snprintf(said + n, sizeof(said) - n, "%s[%u].%s %lu:%lu\n", k->list ? k->list : "top",
		k->index, k->key, k->line, k->column);
	return arg && strcmp(k->key, arg) == 0 ? err_set(err, ERR_FORMAT, "that one") : 0;
}

static void sees(const char *text, const char *expected)
{
	said[0] = '\0';
	assert_int_equal(config_keys_each(text, note, NULL, NULL), 0);
	assert_string_equal(said, expected);
}

static void each_key_at_the_top_and_in_an_entry_has_its_place(void **state)
{
	(void)state;
	sees("a: 1\n"
	     "ins:\n"
	     "  - name: x\n"
	     "    \"bind\": y\n"
	     "  # nothing\n"
	     "  - {bind: z, sub: {deep: 1}}\n"
	     "out: [{to: w}]\n",
		"top[0].a 1:1\n"
		"top[0].ins 2:1\n"
		"ins[0].name 3:5\n"
		"ins[0].bind 4:5\n"
		"ins[1].bind 6:6\n"
		"ins[1].sub 6:15\n"
		"top[0].out 7:1\n"
		"out[0].to 7:8\n");
}

static void what_is_no_list_of_mappings_has_none(void **state)
{
	(void)state;
	sees("", "");
	sees("[{a: 1}]\n", "");
	sees("a: {b: 1}\nc: [d, [e]]\n? [g]\n: [{h: 1}]\n", "top[0].a 1:1\ntop[0].c 2:1\n");
	sees("a: [b, {c: 1}, {[d]: 1, e: 1}]\n", "top[0].a 1:1\na[1].c 1:9\na[2].e 1:25\n");
}

static void the_first_that_is_refused_ends_the_walk(void **state)
{
	struct err err = { 0 };

	(void)state;
	said[0] = '\0';
	assert_int_equal(
		config_keys_each("a: [{b: 1, c: 2}, {d: 3}]\n", note, (char[]){ "b" }, &err),
		ERR_FORMAT);
	assert_string_equal(said, "top[0].a 1:1\na[0].b 1:6\n");
	assert_string_equal(err.msg, "that one");
}

static void what_is_no_yaml_is_an_error(void **state)
{
	struct err err = { 0 };

	(void)state;
	assert_int_equal(config_keys_each("a: [", note, NULL, &err), ERR_FORMAT);
	assert_ptr_equal(strstr(err.msg, "no YAML: "), err.msg);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_key_at_the_top_and_in_an_entry_has_its_place),
		TEST(what_is_no_list_of_mappings_has_none),
		TEST(the_first_that_is_refused_ends_the_walk),
		TEST(what_is_no_yaml_is_an_error),
	};

	return cmocka_run_group_tests_name("config_keys", tests, NULL, NULL);
}
