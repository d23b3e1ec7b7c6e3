/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "relay/rule.h"

#include <string.h>

#define PIN "0101010101010101010101010101010101010101010101010101010101010101"

static const uint8_t pinned[32] = { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
	1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 };
static const uint8_t other[32];

static struct name of(const char *text)
{
	struct name n;

	assert_int_equal(name_of(text, &n), 0);
	return n;
}

static struct rule_set *set_of(const struct rule_words *words, size_t count)
{
	struct rule_set *set = NULL;

	assert_int_equal(rule_set_new(words, count, &set, NULL), 0);
	return set;
}

static bool admits(const struct rule_set *set, const char *text, int usage, const uint8_t *spki)
{
	struct name name = of(text);

	return rule_admits(set,
		&(struct rule_peer){ &name, usage < 0 ? RULE_BY_PKIX : RULE_BY_DANE, usage, spki });
}

static void an_empty_list_is_refused(void **state)
{
	struct rule_set *set = NULL;
	struct rule_words none = { 0 };
	struct err err;

	(void)state;
	assert_int_equal(rule_set_new(&none, 0, &set, &err), ERR_FORMAT);
	assert_non_null(strstr(err.msg, "no rule"));
	assert_null(set);
}

static void a_bad_rule_is_refused_by_its_number(void **state)
{
	static const struct {
		struct rule_words words;
		const char *why;
	} bad[] = {
		{ { .name = "." }, "rule 2: '.' is no name" },
		{ { .name = NULL }, "rule 2: '' is no name" },
		{ { .name = "a.example", .usage = "4" }, "rule 2: usage '4'" },
		{ { .name = "a.example", .usage = "33" }, "rule 2: usage '33'" },
		{ { .name = "a.example", .usage = "" }, "rule 2: usage ''" },
		{ { .name = "a.example", .by = "ca" }, "rule 2: by 'ca' is not dane or pkix" },
		{ { .name = "a.example", .by = "" }, "rule 2: by ''" },
		{ { .name = "a.example", .by = "pkix", .usage = "1" },
			"rule 2: by pkix no TLSA has a usage" },
		{ { .name = "a.example", .spki_sha256 = "01" }, "rule 2: spki_sha256" },
		{ { .name = "a.example", .spki_sha256 = PIN "00" }, "rule 2: spki_sha256" },
	};
	struct rule_set *set = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct rule_words words[] = { { .name = "good.example" }, bad[i].words };
		struct err err;

		assert_int_equal(rule_set_new(words, 2, &set, &err), ERR_FORMAT);
		assert_non_null(strstr(err.msg, bad[i].why));
	}
}

static void a_name_may_be_proved_when_any_rule_is_about_it(void **state)
{
	const struct rule_words words[] = { { .name = "a.example", .usage = "2" },
		{ .name = ".b.example", .spki_sha256 = PIN } };
	struct rule_set *set = set_of(words, 2);
	struct name a = of("a.example"), b = of("x.b.example"), c = of("c.example");

	(void)state;
	assert_true(rule_admits_name(set, &a, RULE_BY_DANE));
	assert_true(rule_admits_name(set, &b, RULE_BY_ANY));
	assert_false(rule_admits_name(set, &c, RULE_BY_ANY));
	assert_false(rule_admits_name(set, &a, RULE_BY_PKIX));
	rule_set_free(set);
}

static void who_passes_meets_all_that_one_rule_says(void **state)
{
	const struct rule_words words[] = { { .name = "a.example", .usage = "3" },
		{ .name = ".example", .usage = "2", .spki_sha256 = PIN } };
	struct rule_set *set = set_of(words, 2);

	(void)state;
	assert_true(admits(set, "a.example", 3, other));
	assert_false(admits(set, "a.example", 2, other));
	assert_true(admits(set, "a.example", 2, pinned));
	assert_false(admits(set, "b.example", 3, pinned));
	assert_false(admits(set, "b.example", 2, other));
	/* By a certificate authority no TLSA record matched. */
	assert_false(admits(set, "a.example", -1, pinned));
	rule_set_free(set);
}

static void a_rule_that_says_a_name_alone_takes_any_tlsa(void **state)
{
	const struct rule_words words[] = { { .name = "a.example" } };
	struct rule_set *set = set_of(words, 1);

	(void)state;
	assert_true(admits(set, "a.example", 3, other));
	assert_true(admits(set, "A.example", 0, pinned));
	assert_false(admits(set, "a.example", -1, other));
	rule_set_free(set);
}

static void a_rule_by_pkix_is_about_nobody_else(void **state)
{
	const struct rule_words words[] = { { .name = "a.example", .by = "dane" },
		{ .name = "b.example", .by = "pkix" },
		{ .name = "c.example", .by = "pkix", .spki_sha256 = PIN } };
	struct rule_set *set = set_of(words, 3);
	struct name a = of("a.example"), b = of("b.example");

	(void)state;
	assert_true(rule_admits_name(set, &b, RULE_BY_PKIX));
	assert_true(rule_admits_name(set, &b, RULE_BY_ANY));
	assert_false(rule_admits_name(set, &b, RULE_BY_DANE));
	assert_false(rule_admits_name(set, &a, RULE_BY_PKIX));
	assert_true(admits(set, "b.example", -1, other));
	assert_false(admits(set, "b.example", 3, other));
	assert_true(admits(set, "c.example", -1, pinned));
	assert_false(admits(set, "c.example", -1, other));
	assert_false(admits(set, "a.example", -1, other));
	rule_set_free(set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_empty_list_is_refused),
		TEST(a_bad_rule_is_refused_by_its_number),
		TEST(a_name_may_be_proved_when_any_rule_is_about_it),
		TEST(who_passes_meets_all_that_one_rule_says),
		TEST(a_rule_that_says_a_name_alone_takes_any_tlsa),
		TEST(a_rule_by_pkix_is_about_nobody_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
