/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "dns/pattern.h"

static bool matches(const char *pattern, const char *name)
{
	struct pattern p;
	struct name n;

	assert_int_equal(pattern_read(pattern, &p), 0);
	assert_int_equal(name_of(name, &n), 0);
	return pattern_matches(&p, &n);
}

static void a_name_is_that_name_whatever_its_case(void **state)
{
	(void)state;
	assert_true(matches("ns.a.example", "NS.a.Example"));
	assert_true(matches("ns.a.example.", "ns.a.example"));
	assert_false(matches("ns.a.example", "x.ns.a.example"));
	assert_false(matches("ns.a.example", "a.example"));
}

static void a_subtree_is_all_below_and_not_its_top(void **state)
{
	(void)state;
	assert_true(matches(".a.example", "ns.a.example"));
	assert_true(matches(".a.example", "x.y.a.example"));
	assert_false(matches(".a.example", "a.example"));
	assert_false(matches(".a.example", "nsa.example"));
}

static void a_star_is_exactly_one_label(void **state)
{
	(void)state;
	assert_true(matches("*.a.example", "ns.a.example"));
	assert_false(matches("*.a.example", "x.ns.a.example"));
	assert_false(matches("*.a.example", "a.example"));
}

static void refuses_what_would_be_about_everybody(void **state)
{
	static const char *const bad[] = { "", ".", "*", "*.", "..", "a.*.example", "**.example",
		".*.example" };
	struct pattern p;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(pattern_read(bad[i], &p), ERR_FORMAT);
}

static void no_name_at_all_matches_nothing(void **state)
{
	struct name none = { 0 };
	struct pattern p;

	(void)state;
	assert_int_equal(pattern_read(".example", &p), 0);
	assert_false(pattern_matches(&p, &none));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_name_is_that_name_whatever_its_case),
		TEST(a_subtree_is_all_below_and_not_its_top),
		TEST(a_star_is_exactly_one_label),
		TEST(refuses_what_would_be_about_everybody),
		TEST(no_name_at_all_matches_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
