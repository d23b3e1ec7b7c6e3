/* SPDX-License-Identifier: Apache-2.0 */
#include "identity/roster.h"

#include "check.h"
#include "scratch.h"

#include <string.h>

static struct roster_order an_order(void)
{
	return (struct roster_order){ .matching = 1,
		.certificates = true,
		.key_kind = "p256",
		.terms = "3 1" };
}

static void write_text(const char *path, const char *text)
{
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	assert_int_equal(fputs(text, f) >= 0 && fclose(f) == 0, 1);
}

/* What is said of the first row that is wrong; "" when none is. */
static const char *complaint(const char *text, const struct roster_order *o)
{
	static char out[300];
	struct err err = { .code = 0 };
	struct roster r;

	write_text("list", text);
	out[0] = '\0';
	if (roster_read("list", o, &r, &err) != 0)
		snprintf(out, sizeof(out), "%zu: %s", r.problems ? r.problem[0].line : 0,
			r.problems ? r.problem[0].words : err.msg);
	roster_done(&r);
	return out;
}

static void devices_are_sorted_and_in_lower_case(void **state)
{
	const struct roster_order o = an_order();
	struct roster r;

	(void)state;
	write_text("list", "tlsa,name\n3 1 0,B.x.example.\n,a.X.example\n");
	assert_int_equal(roster_read("list", &o, &r, NULL), 0);
	assert_int_equal(r.count, 2);
	assert_string_equal(r.device[0].owner, "a.x.example");
	assert_string_equal(r.device[1].owner, "b.x.example");
	assert_int_equal(r.device[0].matching, 1);
	assert_int_equal(r.device[1].matching, 0);
	assert_int_equal(r.device[1].line, 2);
	roster_done(&r);
}

/* The terms of the one device of a list. */
static void terms_of(const char *row, const struct roster_order *o, uint8_t out[32])
{
	struct roster r;

	write_text("list", row);
	assert_int_equal(roster_read("list", o, &r, NULL), 0);
	memcpy(out, r.device[0].terms, 32);
	roster_done(&r);
}

static void terms_change_with_all_that_is_wanted_and_with_nothing_else(void **state)
{
	struct roster_order o = an_order();
	uint8_t first[32], again[32];

	(void)state;
	terms_of("name,key\na.x.example,\n", &o, first);
	terms_of("key,name\n,A.x.example.\n", &o, again);
	assert_memory_equal(first, again, 32);
	terms_of("name,tlsa\na.x.example,3 1 0\n", &o, again);
	assert_memory_not_equal(first, again, 32);
	terms_of("name,key\na.x.example,abc\n", &o, again);
	assert_memory_not_equal(first, again, 32);
	terms_of("name,request\na.x.example,abc\n", &o, first);
	assert_memory_not_equal(first, again, 32);
	terms_of("name,key\na.x.example,@file\n", (write_text("file", "abc"), &o), first);
	assert_memory_equal(first, again, 32);
	write_text("file", "abd");
	terms_of("name,key\na.x.example,@file\n", &o, first);
	assert_memory_not_equal(first, again, 32);
	terms_of("name,key\na.x.example,\n", &o, first);
	o.key_kind = "ed25519";
	terms_of("name,key\na.x.example,\n", &o, again);
	assert_memory_not_equal(first, again, 32);
	o.terms = "2 1 1";
	terms_of("name,key\na.x.example,\n", &o, first);
	assert_memory_not_equal(first, again, 32);
}

static void what_is_wrong_is_told_with_its_line(void **state)
{
	struct roster_order o = an_order();

	(void)state;
	assert_string_equal(complaint("name\na.x.example\n", &o), "");
	assert_non_null(strstr(complaint("name\na..example\n", &o), "2: name 'a..example'"));
	assert_non_null(strstr(complaint("name\n*.x.example\n", &o), "2: name '*.x.example'"));
	assert_non_null(strstr(complaint("name\n\"\"\n", &o), "2: name ''"));
	assert_non_null(strstr(complaint("name\nalone\n", &o), "2: name 'alone'"));
	assert_non_null(strstr(complaint("name,key,request\na.x,b,c\n", &o), "2: key and request"));
	assert_non_null(
		strstr(complaint("name\na.x\n\nA.x.\n", &o), "4: name 'a.x': is in line 2"));
	assert_non_null(strstr(complaint("name,key\na.x,@none\n", &o), "2: key '@none'"));
	assert_non_null(strstr(complaint("name,name\na.x,b.x\n", &o), "column 'name'"));
	o.certificates = false;
	assert_non_null(strstr(complaint("name,request\na.x,b\n", &o), "only with --ca"));
	o.wildcard = true;
	assert_non_null(strstr(complaint("name\na.x.example\nb.y.example\n", &o), "3: name 'b.y"));
	assert_non_null(strstr(complaint("name,tlsa\na.x,3 1 1\n", &o), "the wildcard's record"));
}

static void keys_are_read_from_base64_and_refused_when_they_are_none(void **state)
{
	/* Ed25519, RFC 8410 section 10.1 */
	static const char list[] =
		"name,key\n"
		"a.x,MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n"
		"b.x,MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=AAAA\n"
		"c.x,MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7\n"
		"d.x,\n";
	const struct roster_order o = an_order();
	struct roster r;

	(void)state;
	write_text("list", list);
	assert_int_equal(roster_read("list", &o, &r, NULL), 0);
	for (size_t i = 0; i < r.count; i++)
		assert_int_equal(roster_read_key(&r, &r.device[i], NULL), 0);
	assert_int_equal(r.device[0].spki.n, 44);
	assert_int_equal(r.device[1].spki.n, 0);
	assert_int_equal(r.device[2].spki.n, 0);
	assert_int_equal(r.device[3].spki.n, 0);
	assert_int_equal(r.problems, 2);
	assert_int_equal(r.problem[0].line, 3);
	assert_int_equal(r.problem[1].line, 4);
	roster_done(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(devices_are_sorted_and_in_lower_case),
		TEST(terms_change_with_all_that_is_wanted_and_with_nothing_else),
		TEST(what_is_wrong_is_told_with_its_line),
		TEST(keys_are_read_from_base64_and_refused_when_they_are_none),
	};

	return cmocka_run_group_tests_name("roster", tests, scratch_begin, scratch_end);
}
