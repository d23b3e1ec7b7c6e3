/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "network/gateway.h"

static void is_reachable_while_it_pulls(void **state)
{
	struct gateway_address a = { .n = 16, .octets = { 1 } }, b = { .n = 16, .octets = { 2 } };
	struct gateway_table t;
	struct gateway *g;

	(void)state;
	assert_int_equal(gateway_table_init(&t, 4, NULL), 0);
	assert_false(gateway_is_reachable(gateway_find(&t, 1), 0));
	g = gateway_heard(&t, 1, 1000);
	assert_false(gateway_is_reachable(g, 1000));
	assert_true(gateway_pulled(g, &a, 2, 1000));
	assert_false(gateway_pulled(g, &a, 2, 2000));
	assert_true(gateway_is_reachable(g, 2000 + GATEWAY_PULL_MS - 1));
	assert_false(gateway_is_reachable(g, 2000 + GATEWAY_PULL_MS));
	assert_true(gateway_pulled(g, &b, 2, 3000));
	assert_ptr_equal(gateway_find(&t, 1), g);
	gateway_table_done(&t);
}

static void forgets_a_silent_one_for_a_new_one(void **state)
{
	struct gateway_table t;

	(void)state;
	assert_int_equal(gateway_table_init(&t, 2, NULL), 0);
	assert_non_null(gateway_heard(&t, 1, 0));
	assert_non_null(gateway_heard(&t, 2, 0));
	assert_null(gateway_heard(&t, 3, GATEWAY_SILENT_MS - 1));
	assert_non_null(gateway_heard(&t, 2, GATEWAY_SILENT_MS - 1));
	assert_non_null(gateway_heard(&t, 3, GATEWAY_SILENT_MS));
	assert_null(gateway_find(&t, 1));
	assert_non_null(gateway_find(&t, 2));
	gateway_table_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(is_reachable_while_it_pulls),
		TEST(forgets_a_silent_one_for_a_new_one),
	};

	return cmocka_run_group_tests_name("gateway", tests, NULL, NULL);
}
