/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "pki/facts.h"
#include "pki/issue.h"
#include "pki/keykind.h"
#include "pki/pemfile.h"

#include <string.h>

#define NOW_S 1800000000

static void a_certificate_tells_what_its_profile_said(void **state)
{
	struct profile p = { .role = PROFILE_ROOT,
		.common_name = "R",
		.organisation = "O",
		.country = "FR",
		.life_s = 9000,
		.backdate_s = 300,
		.path_len = 1 };
	OWNED(EVP_PKEY) key = NULL;
	OWNED(X509) root = NULL;
	OWNED(X509) leaf = NULL;
	struct facts r, f;
	bool taken;

	(void)state;
	assert_int_equal(keykind_new(KEYKIND_P384, &key, NULL), 0);
	assert_int_equal(issue_certificate(&p, key, NULL, key, NOW_S, &root, NULL), 0);
	p = (struct profile){ .role = PROFILE_SERVER, .life_s = 90, .path_len = -1 };
	assert_int_equal(profile_add_san(&p, "JS.a.example", NULL), 0);
	assert_int_equal(profile_add_address(&p, "192.0.2.1", &taken, NULL), 0);
	assert_int_equal(issue_certificate(&p, key, root, key, NOW_S, &leaf, NULL), 0);
	assert_int_equal(facts_read(root, &r, NULL), 0);
	assert_int_equal(facts_read(leaf, &f, NULL), 0);
	assert_string_equal(buf_string(&r.subject), "CN=R,O=O,C=FR");
	assert_string_equal(r.key, "p384");
	assert_true(r.self_signed);
	assert_int_equal(r.path_len, 1);
	assert_string_equal(r.issuer, r.own);
	assert_string_equal(f.issuer, r.own);
	assert_string_equal(buf_string(&f.names), "js.a.example 192.0.2.1");
	assert_string_equal(buf_string(&f.subject), "");
	assert_int_equal(f.not_before, NOW_S);
	assert_int_equal(f.not_after, NOW_S + 90);
	assert_int_equal(strlen(f.serial), 32);
	facts_done(&r);
	facts_done(&f);
}

static void a_serial_is_read_as_people_write_it(void **state)
{
	char out[FACTS_SERIAL_MAX];

	(void)state;
	assert_int_equal(facts_serial("0A:1b:FF", out, NULL), 0);
	assert_string_equal(out, "0a1bff");
	assert_int_equal(facts_serial("0xa1b", out, NULL), 0);
	assert_string_equal(out, "0a1b");
	assert_int_equal(facts_serial("0123456789012345678901234567890123456789", out, NULL), 0);
	assert_int_equal(facts_serial("01234567890123456789012345678901234567890", out, NULL),
		ERR_FORMAT);
	assert_int_equal(facts_serial("", out, NULL), ERR_FORMAT);
	assert_int_equal(facts_serial("xyz", out, NULL), ERR_FORMAT);
}

static void reasons_are_those_of_the_rfc(void **state)
{
	struct err err;
	int n;

	(void)state;
	assert_int_equal(facts_read_reason("keyCompromise", &n, NULL), 0);
	assert_int_equal(n, 1);
	assert_int_equal(facts_read_reason("privilegeWithdrawn", &n, NULL), 0);
	assert_int_equal(n, 9);
	assert_int_equal(facts_read_reason("certificateHold", &n, &err), ERR_ARG);
	assert_null(facts_reason_word(6));
	assert_null(facts_reason_word(-1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_certificate_tells_what_its_profile_said),
		TEST(a_serial_is_read_as_people_write_it),
		TEST(reasons_are_those_of_the_rfc),
	};

	return cmocka_run_group_tests_name("facts", tests, NULL, NULL);
}
