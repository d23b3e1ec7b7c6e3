/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "net/sources.h"

static void holds_each_source_to_its_share(void **state)
{
	struct sources s;

	(void)state;
	sources_init(&s);
	assert_true(sources_take(&s, 7, 2));
	assert_true(sources_take(&s, 7, 2));
	assert_false(sources_take(&s, 7, 2));
	assert_true(sources_take(&s, 8, 2));
	sources_give(&s, 7);
	assert_true(sources_take(&s, 7, 2));
	assert_false(sources_take(&s, 7, 2));
	sources_done(&s);
}

static void forgets_a_source_that_holds_nothing(void **state)
{
	struct sources s;

	(void)state;
	sources_init(&s);
	for (uint64_t i = 1; i <= 5000; i++)
		assert_true(sources_take(&s, i, 1));
	for (uint64_t i = 1; i <= 5000; i++)
		assert_false(sources_take(&s, i, 1));
	for (uint64_t i = 1; i <= 5000; i++)
		sources_give(&s, i);
	for (unsigned i = 0; i < SOURCES_BUCKETS; i++)
		assert_null(s.bucket[i]);
	sources_give(&s, 3);
	sources_done(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(holds_each_source_to_its_share),
		TEST(forgets_a_source_that_holds_nothing),
	};

	return cmocka_run_group_tests_name("sources", tests, NULL, NULL);
}
