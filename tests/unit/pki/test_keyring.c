/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "pki/authority.h"
#include "pki/der.h"
#include "pki/keyring.h"
#include "pki/pemfile.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/sardane-keyring-XXXXXX";

static int prepare(void **state)
{
	(void)state;
	return mkdtemp(folder) ? chdir(folder) : -1;
}

static int finish(void **state)
{
	char words[64];

	(void)state;
	snprintf(words, sizeof(words), "rm -rf %s", folder);
	return chdir("/") || system(words);
}

static struct profile a_leaf(void)
{
	struct profile p = { .role = PROFILE_BOTH, .life_s = 2 * PROFILE_DAY_S, .path_len = -1 };

	assert_int_equal(profile_add_san(&p, "js.b.example", NULL), 0);
	return p;
}

static int issue(void *arg, const char *prefix, const struct profile *profile, struct err *err)
{
	char key[128];
	struct authority_order order = { .profile = profile, .key_file = key, .replace = true };
	struct authority *issuer = NULL;
	int rc = authority_load(arg, NULL, &issuer, err);

	snprintf(key, sizeof(key), "%s-key.pem", prefix);
	if (rc == 0)
		rc = authority_issue(issuer, prefix, &order, err);
	authority_free(issuer);
	return rc;
}

static bool there(const char *path)
{
	return access(path, F_OK) == 0;
}

static void a_generation_is_made_once(void **state)
{
	struct profile p = a_leaf();
	struct keyring_order order = { .profile = &p };
	struct buf first = { 0 }, second = { 0 };
	struct stat st;

	(void)state;
	assert_int_equal(keyring_make("a", "g1", &order, NULL), 0);
	assert_int_equal(stat("a/g1/key.pem", &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_true(there("a/g1/cert.pem") && there("a/g1/combined.pem"));
	assert_int_equal(keyring_certificate("a", "g1", &first, NULL), 0);
	assert_int_equal(keyring_make("a", "g1", &order, NULL), 0);
	assert_int_equal(keyring_certificate("a", "g1", &second, NULL), 0);
	assert_int_equal(first.n, second.n);
	assert_memory_equal(first.p, second.p, first.n);
	buf_done(&first);
	buf_done(&second);
}

static void what_a_crash_left_half_made_is_made_anew(void **state)
{
	struct profile p = a_leaf();
	struct keyring_order order = { .profile = &p };

	(void)state;
	assert_int_equal(system("mkdir -p b/g1.making && echo half >b/g1.making/key.pem"), 0);
	assert_int_equal(keyring_make("b", "g1", &order, NULL), 0);
	assert_false(there("b/g1.making"));
	assert_true(there("b/g1/cert.pem"));
}

static void an_order_that_cannot_be_filled_leaves_nothing(void **state)
{
	struct profile p = a_leaf();
	struct keyring_order order = { .profile = &p,
		.issue = issue,
		.issue_arg = (char[]){ "nowhere" } };
	struct err err;

	(void)state;
	assert_int_equal(keyring_make("c", "g1", &order, &err), ERR_SYSTEM);
	assert_non_null(strstr(err.msg, "nowhere"));
	assert_false(there("c/g1") || there("c/g1.making"));
}

static void an_authority_adds_its_chain(void **state)
{
	struct profile p = { .role = PROFILE_ROOT,
		.common_name = "R",
		.life_s = 9 * PROFILE_DAY_S,
		.path_len = 0 };
	struct authority_order root = { .profile = &p };
	struct profile leaf = a_leaf();
	struct keyring_order order = { .profile = &leaf,
		.issue = issue,
		.issue_arg = (char[]){ "root" } };
	OWNED(pemfile_chain) combined = NULL;

	(void)state;
	assert_int_equal(authority_init("root", &root, NULL), 0);
	assert_int_equal(keyring_make("d", "g1", &order, NULL), 0);
	assert_true(there("d/g1/chain.pem") && there("d/g1/key.pem"));
	assert_false(there("d/g1/leaf.pem"));
	assert_int_equal(pemfile_read_chain("d/g1/combined.pem", &combined, NULL), 0);
	assert_int_equal(sk_X509_num(combined), 2);
}

static void the_next_may_be_for_what_the_current_is_for(void **state)
{
	struct profile p;
	bool self_signed = true;

	(void)state;
	assert_int_equal(keyring_profile("d", "g1", &p, &self_signed, NULL), 0);
	assert_false(self_signed);
	assert_int_equal(p.role, PROFILE_BOTH);
	assert_int_equal(p.san_count, 1);
	assert_int_equal(keyring_profile("a", "g1", &p, &self_signed, NULL), 0);
	assert_true(self_signed);
}

static void the_link_moves_whole(void **state)
{
	struct profile p = a_leaf();
	struct keyring_order order = { .profile = &p };
	char current[KEYRING_GENERATION_MAX];
	struct err err;

	(void)state;
	assert_int_equal(keyring_make("e", "g1", &order, NULL), 0);
	assert_int_equal(keyring_make("e", "g2", &order, NULL), 0);
	assert_int_equal(keyring_current("e", current, NULL), 0);
	assert_string_equal(current, "");
	assert_int_equal(keyring_point("e", "g1", NULL), 0);
	assert_int_equal(keyring_point("e", "g2", NULL), 0);
	assert_int_equal(keyring_point("e", "g2", NULL), 0);
	assert_int_equal(keyring_current("e", current, NULL), 0);
	assert_string_equal(current, "g2");
	assert_int_equal(keyring_point("e", "g3", &err), ERR_ARG);
	assert_int_equal(keyring_erase("e", "g2", &err), ERR_ARG);
	assert_non_null(strstr(err.msg, "is in use"));
	assert_int_equal(keyring_erase("e", "g1", NULL), 0);
	assert_int_equal(keyring_erase("e", "g1", NULL), 0);
	assert_false(there("e/g1"));
	assert_true(there("e/current/key.pem"));
}

static void other_files_follow_the_one_in_use_and_all_is_cleared(void **state)
{
	struct buf der = { 0 }, through = { 0 };
	struct profile p = a_leaf();
	struct keyring_order order = { .profile = &p };

	(void)state;
	assert_int_equal(keyring_make("h", "g1", &order, NULL), 0);
	assert_int_equal(keyring_make("h", "g2", &order, NULL), 0);
	assert_int_equal(system("echo old >h/x.pem"), 0);
	assert_int_equal(keyring_point("h", "g1", NULL), 0);
	assert_int_equal(keyring_follow("h", "x.pem", "cert.pem", NULL), 0);
	assert_int_equal(keyring_point("h", "g2", NULL), 0);
	assert_int_equal(keyring_certificate("h", "g2", &der, NULL), 0);
	assert_int_equal(der_read_certificate("h/x.pem", &through, NULL), 0);
	assert_int_equal(der.n, through.n);
	assert_memory_equal(der.p, through.p, der.n);
	assert_int_equal(system("mkdir h/g3.making h/gone && touch h/g3.making/key.pem"), 0);
	assert_int_equal(keyring_clear("h", NULL), 0);
	assert_false(there("h/g1") || there("h/g2") || there("h/g3.making"));
	assert_true(there("h/gone"));
	assert_int_equal(keyring_clear("nowhere", NULL), 0);
	buf_done(&der);
	buf_done(&through);
}

static void a_link_that_leads_elsewhere_is_refused(void **state)
{
	char current[KEYRING_GENERATION_MAX];
	struct err err;

	(void)state;
	assert_int_equal(system("mkdir f && ln -s ../e/g2 f/current"), 0);
	assert_int_equal(keyring_current("f", current, &err), ERR_FORMAT);
	assert_non_null(strstr(err.msg, "leads elsewhere"));
}

static void a_pair_from_elsewhere_is_taken_over_when_it_fits(void **state)
{
	struct buf der = { 0 };
	struct err err;

	(void)state;
	assert_int_equal(keyring_adopt("g", "g1", "d/g1/combined.pem", "d/g1/key.pem", NULL), 0);
	assert_int_equal(keyring_certificate("g", "g1", &der, NULL), 0);
	assert_true(der.n > 100);
	assert_int_equal(keyring_adopt("g", "g2", "d/g1/combined.pem", "a/g1/key.pem", &err),
		ERR_FORMAT);
	assert_non_null(strstr(err.msg, "does not fit"));
	assert_false(there("g/g2") || there("g/g2.making"));
	buf_done(&der);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_generation_is_made_once),
		TEST(what_a_crash_left_half_made_is_made_anew),
		TEST(an_order_that_cannot_be_filled_leaves_nothing),
		TEST(an_authority_adds_its_chain),
		TEST(the_next_may_be_for_what_the_current_is_for),
		TEST(the_link_moves_whole),
		TEST(other_files_follow_the_one_in_use_and_all_is_cleared),
		TEST(a_link_that_leads_elsewhere_is_refused),
		TEST(a_pair_from_elsewhere_is_taken_over_when_it_fits),
	};

	return cmocka_run_group_tests_name("pki/keyring", tests, prepare, finish);
}
