/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "dns/rr.h"
#include "resolve/budget.h"
#include "resolve/key.h"

/* The key and inputs 00 01 02 ... of the vectors published with SipHash-2-4 (appendix A of
 * the paper gives the one of 15 octets). */
static void hashes_as_siphash_2_4(void **state)
{
	struct key_seed seed = { 0x0706050403020100, 0x0f0e0d0c0b0a0908 };
	uint8_t octets[16];

	(void)state;
	for (uint8_t i = 0; i < 16; i++)
		octets[i] = i;
	assert_true(key_hash(&seed, (struct span){ octets, 15 }) == 0xa129ca6149be45e5);
	assert_true(key_hash(&seed, (struct span){ octets, 0 }) == 0x726fdb47dd0e0e31);
}

static void keys_are_equal_without_case_and_differ_by_type_and_seed(void **state)
{
	struct key_seed seed = { 1, 2 }, other_seed = { 1, 3 };
	struct question q = { .type = RR_A }, upper = { .type = RR_A }, type = { .type = RR_TLSA };
	struct key a, b;

	(void)state;
	name_of("a.example", &q.name);
	name_of("A.EXAMPLE", &upper.name);
	type.name = q.name;
	key_of(&seed, &q, &a);
	key_of(&seed, &upper, &b);
	assert_true(a.hash == b.hash);
	assert_memory_equal(a.name.wire, b.name.wire, a.name.n);
	key_of(&seed, &type, &b);
	assert_true(a.hash != b.hash);
	key_of(&other_seed, &q, &b);
	assert_true(a.hash != b.hash);
}

static void a_budget_is_per_source_and_given_back(void **state)
{
	struct key_seed seed = { 1, 2 };
	struct budget *b = budget_new(&seed, 2);

	(void)state;
	for (unsigned i = 0; i < 100; i++)
		assert_int_equal(budget_take(b, 0, i, false), BUDGET_TAKEN);
	assert_int_equal(budget_take(b, 9, 1, false), BUDGET_TAKEN);
	assert_int_equal(budget_take(b, 9, 2, false), BUDGET_TAKEN);
	assert_int_equal(budget_take(b, 9, 3, false), BUDGET_OVER);
	assert_int_equal(budget_take(b, 10, 3, false), BUDGET_TAKEN);
	budget_give(b, 9, 2);
	assert_int_equal(budget_take(b, 9, 3, false), BUDGET_TAKEN);
	budget_free(b);
}

static void equal_questions_of_a_source_count_once_until_the_last_is_given_back(void **state)
{
	const struct key_seed seed = { 1, 2 };
	struct budget *b = budget_new(&seed, 1);

	(void)state;
	for (int i = 0; i < 100; i++)
		assert_int_equal(budget_take(b, 9, 1, false), BUDGET_TAKEN);
	for (int i = 0; i < 99; i++)
		budget_give(b, 9, 1);
	assert_int_equal(budget_take(b, 9, 2, false), BUDGET_OVER);
	budget_give(b, 9, 1);
	assert_int_equal(budget_take(b, 9, 2, false), BUDGET_TAKEN);
	budget_free(b);
}

static void a_scarce_budget_is_an_eighth_but_never_nothing(void **state)
{
	const struct key_seed seed = { 1, 2 };
	struct budget *b = budget_new(&seed, 16);

	(void)state;
	assert_int_equal(budget_take(b, 9, 1, true), BUDGET_TAKEN);
	assert_int_equal(budget_take(b, 9, 2, true), BUDGET_TAKEN);
	assert_int_equal(budget_take(b, 9, 3, true), BUDGET_OVER);
	assert_int_equal(budget_take(b, 9, 3, false), BUDGET_TAKEN);
	assert_int_equal(budget_take(b, 0, 4, true), BUDGET_TAKEN);
	budget_free(b);
	b = budget_new(&seed, 1);
	assert_int_equal(budget_take(b, 9, 1, true), BUDGET_TAKEN);
	assert_int_equal(budget_take(b, 9, 2, true), BUDGET_OVER);
	budget_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(hashes_as_siphash_2_4),
		TEST(keys_are_equal_without_case_and_differ_by_type_and_seed),
		TEST(a_budget_is_per_source_and_given_back),
		TEST(equal_questions_of_a_source_count_once_until_the_last_is_given_back),
		TEST(a_scarce_budget_is_an_eighth_but_never_nothing),
	};

	return cmocka_run_group_tests_name("key", tests, NULL, NULL);
}
