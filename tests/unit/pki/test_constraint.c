/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "pki/constraint.h"
#include "pki/issue.h"
#include "pki/keykind.h"

#include <string.h>

#define NOW_S 1800000000

static EVP_PKEY *key;
static X509 *root, *inter;
static pemfile_chain *chain;

static int prepare(void **state)
{
	struct profile p = { .role = PROFILE_ROOT,
		.common_name = "R",
		.life_s = 9000,
		.path_len = 1 };

	(void)state;
	if (keykind_new(KEYKIND_P256, &key, NULL) != 0 ||
		issue_certificate(&p, key, NULL, key, NOW_S, &root, NULL) != 0)
		return -1;
	p.role = PROFILE_INTERMEDIATE;
	p.common_name = "Below A";
	p.path_len = 0;
	if (profile_permit(&p, "a.example", NULL) != 0 ||
		profile_exclude(&p, "lab.a.example", NULL) != 0 ||
		issue_certificate(&p, key, root, key, NOW_S, &inter, NULL) != 0)
		return -1;
	chain = sk_X509_new_null();
	return sk_X509_push(chain, inter) == 1 && sk_X509_push(chain, root) == 2 ? 0 : -1;
}

static int finish(void **state)
{
	(void)state;
	chain_free(chain);
	EVP_PKEY_free(key);
	return 0;
}

static int check(const char *name, struct err *err)
{
	struct profile p = { .role = PROFILE_SERVER, .life_s = 1, .path_len = -1 };
	bool taken;

	assert_int_equal(profile_add_address(&p, name, &taken, NULL), 0);
	if (!taken)
		assert_int_equal(profile_add_san(&p, name, NULL), 0);
	return constraint_check(&p, chain, err);
}

static void names_at_and_below_the_permitted_one_pass(void **state)
{
	(void)state;
	assert_int_equal(check("a.example", NULL), 0);
	assert_int_equal(check("js.a.example", NULL), 0);
	assert_int_equal(check("_ns-client.NS.A.example", NULL), 0);
	assert_int_equal(check("*.a.example", NULL), 0);
}

static void names_outside_are_refused_with_name_and_authority(void **state)
{
	static const char *const bad[] = { "b.example", "xa.example", "a.example.org", "example",
		"lab.a.example", "x.lab.a.example", "192.0.2.1", "2001:db8::1" };
	struct err err;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (check(bad[i], &err) != ERR_ARG)
			fail_msg("%s", bad[i]);
		assert_non_null(
			strstr(err.msg, "outside the constraints of the authority '/CN=Below A'"));
	}
	assert_non_null(strstr(err.msg, "name 'an address'"));
	check("js.b.example", &err);
	assert_non_null(strstr(err.msg, "name 'js.b.example'"));
}

static void one_bad_name_among_good_ones_is_enough(void **state)
{
	struct profile p = { .role = PROFILE_SERVER, .life_s = 1, .path_len = -1 };

	(void)state;
	assert_int_equal(profile_add_san(&p, "js.a.example", NULL), 0);
	assert_int_equal(profile_add_san(&p, "js.b.example", NULL), 0);
	assert_int_equal(constraint_check(&p, chain, NULL), ERR_ARG);
}

static void an_authority_further_up_counts_too(void **state)
{
	OWNED(X509) leaf_authority = NULL;
	struct profile p = { .role = PROFILE_ROOT,
		.common_name = "Free",
		.life_s = 9000,
		.path_len = 3 };
	pemfile_chain *longer = sk_X509_dup(chain);

	(void)state;
	assert_int_equal(issue_certificate(&p, key, NULL, key, NOW_S, &leaf_authority, NULL), 0);
	assert_int_equal(sk_X509_unshift(longer, leaf_authority), 3);
	p = (struct profile){ .role = PROFILE_SERVER, .life_s = 1, .path_len = -1 };
	assert_int_equal(profile_add_san(&p, "js.b.example", NULL), 0);
	assert_int_equal(constraint_check(&p, longer, NULL), ERR_ARG);
	sk_X509_free(longer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(names_at_and_below_the_permitted_one_pass),
		TEST(names_outside_are_refused_with_name_and_authority),
		TEST(one_bad_name_among_good_ones_is_enough),
		TEST(an_authority_further_up_counts_too),
	};

	return cmocka_run_group_tests_name("constraint", tests, prepare, finish);
}
