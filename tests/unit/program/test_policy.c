/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "program/policy.h"

/* The structs that libcyaml fills hold writable strings. */
#define TEXT(s) ((char[]){ s })

static bool admits(const struct policy *p, const char *text)
{
	struct name n;

	assert_int_equal(name_of(text, &n), 0);
	return policy_admits(p, &n) && policy_authorise((void *)(uintptr_t)p, &n);
}

static struct policy *of(const char *name, const char *net_id, const char *as_id)
{
	struct policy_rule r = { (char *)(uintptr_t)name, (char *)(uintptr_t)net_id,
		(char *)(uintptr_t)as_id };
	struct policy *p = NULL;

	assert_int_equal(policy_new(&r, 1, &p, NULL), 0);
	return p;
}

static void matches_a_name_and_nothing_near_it(void **state)
{
	struct policy *p = of("_ns-client.ns.a.example", NULL, NULL);

	(void)state;
	assert_true(admits(p, "_NS-client.ns.A.example"));
	assert_false(admits(p, "ns.a.example"));
	assert_false(admits(p, "x._ns-client.ns.a.example"));
	assert_false(admits(p, "_ns-client.ns.a.example.evil"));
	assert_false(admits(p, "."));
	assert_false(policy_admits(p, &(struct name){ .n = 0 }));
	policy_free(p);
}

static void matches_a_subtree_by_whole_labels(void **state)
{
	struct policy *p = of(".a.example", NULL, NULL);

	(void)state;
	assert_true(admits(p, "x.a.example"));
	assert_true(admits(p, "y.x.a.example"));
	assert_false(admits(p, "a.example"));
	assert_false(admits(p, "xa.example"));
	policy_free(p);
	p = of("*._device.b.example", NULL, NULL);
	assert_true(admits(p, "d1._device.b.example"));
	assert_false(admits(p, "x.d1._device.b.example"));
	assert_false(admits(p, "_device.b.example"));
	policy_free(p);
}

static void grants_an_id_only_to_the_name_of_its_rule(void **state)
{
	struct policy_rule rules[] = {
		{ TEXT("ns.a.example"), TEXT("000013"), NULL },
		{ TEXT("ns.b.example"), TEXT("0x000024"), NULL },
		{ TEXT("as.b.example"), NULL, TEXT("as.b.example") },
		{ TEXT("ns.a.example"), TEXT("00000A"), NULL },
	};
	struct policy *p = NULL;
	struct name a, b, as;

	(void)state;
	assert_int_equal(policy_new(rules, 4, &p, NULL), 0);
	assert_int_equal(name_of("ns.a.example", &a), 0);
	assert_int_equal(name_of("ns.b.example", &b), 0);
	assert_int_equal(name_of("as.b.example", &as), 0);
	assert_true(policy_grants_net_id(p, &a, 0x13));
	assert_true(policy_grants_net_id(p, &a, 0x0a));
	assert_false(policy_grants_net_id(p, &a, 0x24));
	assert_true(policy_grants_net_id(p, &b, 0x24));
	assert_false(policy_grants_net_id(p, &as, 0));
	assert_true(policy_grants_as_id(p, &as, "AS.b.example"));
	assert_false(policy_grants_as_id(p, &a, "as.b.example"));
	policy_free(p);
}

static void refuses_to_be_made_without_a_rule_or_with_a_bad_one(void **state)
{
	static const char *const bad[] = { "", ".", "*", "*.", "..", "a..b", "*.*.example", "a.*.b",
		"." };
	struct policy *p = NULL;
	struct err err;

	(void)state;
	assert_int_equal(policy_new(NULL, 0, &p, &err), ERR_FORMAT);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct policy_rule r = { .name = (char *)(uintptr_t)bad[i] };

		assert_int_equal(policy_new(&r, 1, &p, &err), ERR_FORMAT);
	}
	for (size_t i = 0; i < 3; i++) {
		static const char *const id[] = { "13", "0000013", "00001g" };
		struct policy_rule r = { TEXT("a.example"), (char *)(uintptr_t)id[i], NULL };

		assert_int_equal(policy_new(&r, 1, &p, &err), ERR_FORMAT);
	}
	assert_null(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(matches_a_name_and_nothing_near_it),
		TEST(matches_a_subtree_by_whole_labels),
		TEST(grants_an_id_only_to_the_name_of_its_rule),
		TEST(refuses_to_be_made_without_a_rule_or_with_a_bad_one),
	};

	return cmocka_run_group_tests_name("policy", tests, NULL, NULL);
}
