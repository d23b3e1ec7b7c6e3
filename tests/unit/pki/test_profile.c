/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "pki/profile.h"

#include <stdio.h>
#include <string.h>

static void takes_underscores_and_join_eui_names(void **state)
{
	struct profile p = { 0 };

	(void)state;
	assert_int_equal(profile_add_san(&p, "_ns-client.ns.a.example", NULL), 0);
	assert_int_equal(profile_add_san(&p,
				 "f.2.0.0.0.0.0.0.0.1.e.5.0.0.0.0.joineuis.registry.example", NULL),
		0);
	assert_int_equal(profile_add_san(&p, "*.b.example", NULL), 0);
	assert_int_equal(p.san_count, 3);
}

static void refuses_what_is_no_name_and_says_which(void **state)
{
	static const char *const bad[] = { "", ".", "a..b", "a b.example", "*", "a.*.example",
		"*a.example", "b\xc3\xbc.example", "a\\046b.example" };
	struct profile p = { 0 };
	struct err err;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(profile_add_san(&p, bad[i], &err), ERR_FORMAT);
		assert_non_null(strstr(err.msg, "name '"));
	}
	assert_int_equal(p.san_count, 0);
}

static void refuses_a_name_given_twice_in_any_case(void **state)
{
	struct profile p = { 0 };

	(void)state;
	assert_int_equal(profile_add_san(&p, "js.b.example", NULL), 0);
	assert_int_equal(profile_add_san(&p, "JS.b.example.", NULL), ERR_ARG);
}

static void refuses_more_names_than_it_holds(void **state)
{
	struct profile p = { 0 };
	char text[32];

	(void)state;
	for (int i = 0; i < PROFILE_SAN_MAX; i++) {
		snprintf(text, sizeof(text), "h%d.example", i);
		assert_int_equal(profile_add_san(&p, text, NULL), 0);
	}
	assert_int_equal(profile_add_san(&p, "more.example", NULL), ERR_SPACE);
}

static void checks_every_field(void **state)
{
	const struct profile good = { .role = PROFILE_ROOT, .common_name = "R", .life_s = 1 };
	struct profile p = good;
	char text[66];

	(void)state;
	assert_int_equal(profile_check(&p, NULL), 0);
	p.common_name = NULL;
	assert_int_equal(profile_check(&p, NULL), ERR_ARG);
	p = good;
	p.common_name = "";
	assert_int_equal(profile_check(&p, NULL), ERR_ARG);
	p.common_name = "a\nb";
	assert_int_equal(profile_check(&p, NULL), ERR_ARG);
	memset(text, 'x', 65);
	text[65] = '\0';
	p.common_name = text;
	assert_int_equal(profile_check(&p, NULL), ERR_ARG);
	p = good;
	p.life_s = 0;
	assert_int_equal(profile_check(&p, NULL), ERR_ARG);
	p.life_s = PROFILE_DAYS_MAX * PROFILE_DAY_S + 1;
	assert_int_equal(profile_check(&p, NULL), ERR_ARG);
	p = good;
	p.role = PROFILE_SERVER;
	assert_int_equal(profile_check(&p, NULL), ERR_ARG);
	p.nameless = true;
	assert_int_equal(profile_check(&p, NULL), 0);
	p.common_name = NULL;
	assert_int_equal(profile_check(&p, NULL), ERR_ARG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(takes_underscores_and_join_eui_names),
		TEST(refuses_what_is_no_name_and_says_which),
		TEST(refuses_a_name_given_twice_in_any_case),
		TEST(refuses_more_names_than_it_holds),
		TEST(checks_every_field),
	};

	return cmocka_run_group_tests_name("profile", tests, NULL, NULL);
}
