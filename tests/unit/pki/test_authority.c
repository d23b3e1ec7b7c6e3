/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "pki/authority.h"
#include "pki/der.h"
#include "pki/pemfile.h"

#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "/tmp/sardane-authority-XXXXXX";

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

static struct profile a_profile(enum profile_role role)
{
	return (struct profile){ .role = role,
		.common_name = "N",
		.life_s = 2 * PROFILE_DAY_S,
		.path_len = 0 };
}

static void make_tree(void)
{
	struct profile p = a_profile(PROFILE_ROOT);
	struct authority_order order = { .profile = &p, .replace = true };
	struct authority *root = NULL;

	p.path_len = 1;
	assert_int_equal(authority_init("root", &order, NULL), 0);
	assert_int_equal(authority_load("root", NULL, &root, NULL), 0);
	p = a_profile(PROFILE_INTERMEDIATE);
	assert_int_equal(authority_extend(root, "below", &order, NULL), 0);
	authority_free(root);
}

static int length(const char *path)
{
	OWNED(pemfile_chain) chain = NULL;

	assert_int_equal(pemfile_read_chain(path, &chain, NULL), 0);
	return sk_X509_num(chain);
}

static void a_leaf_comes_with_its_chains(void **state)
{
	struct profile p = a_profile(PROFILE_SERVER);
	struct authority_order order = { .profile = &p };
	struct authority *a = NULL;

	(void)state;
	make_tree();
	assert_int_equal(profile_add_san(&p, "js.b.example", NULL), 0);
	assert_int_equal(authority_load("below", NULL, &a, NULL), 0);
	assert_int_equal(authority_issue(a, "leaf", &order, NULL), 0);
	authority_free(a);
	assert_int_equal(length("leaf.pem"), 1);
	assert_int_equal(length("leaf-chain.pem"), 2);
	assert_int_equal(length("leaf-combined.pem"), 2);
	assert_int_equal(authority_load("root", NULL, &a, NULL), 0);
	assert_int_equal(authority_issue(a, "direct", &order, NULL), 0);
	authority_free(a);
	assert_int_equal(length("direct-chain.pem"), 1);
	assert_int_equal(length("direct-combined.pem"), 2);
}

static void nothing_is_written_when_one_file_is_in_the_way(void **state)
{
	struct profile p = a_profile(PROFILE_SERVER);
	struct authority_order order = { .profile = &p };
	struct authority *a = NULL;
	struct err err;

	(void)state;
	make_tree();
	assert_int_equal(profile_add_san(&p, "js.b.example", NULL), 0);
	assert_int_equal(authority_load("below", NULL, &a, NULL), 0);
	assert_int_equal(
		pemfile_write("x-combined.pem", PEMFILE_PUBLIC, false, bytes("mine"), NULL), 0);
	assert_int_equal(authority_issue(a, "x", &order, &err), ERR_ARG);
	assert_non_null(strstr(err.msg, "x-combined.pem"));
	assert_int_not_equal(access("x-key.pem", F_OK), 0);
	assert_int_not_equal(access("x.pem", F_OK), 0);
	authority_free(a);
}

static void a_folder_that_does_not_fit_together_is_refused(void **state)
{
	struct authority *a = NULL;
	struct err err;

	(void)state;
	make_tree();
	assert_int_equal(rename("root/ca-key.pem", "below/ca-key.pem"), 0);
	assert_int_equal(authority_load("below", NULL, &a, &err), ERR_FORMAT);
	assert_non_null(strstr(err.msg, "does not fit"));
	make_tree();
	assert_int_equal(rename("root/ca.pem", "below/ca-chain.pem"), 0);
	assert_int_equal(authority_load("below", NULL, &a, &err), ERR_FORMAT);
	assert_non_null(strstr(err.msg, "does not begin with"));
	assert_null(a);
}

static void der_of_certificate_and_key_agree(void **state)
{
	struct buf cert = { 0 }, key = { 0 }, again = { 0 };

	(void)state;
	make_tree();
	assert_int_equal(der_read_certificate("root/ca.pem", &cert, NULL), 0);
	assert_int_equal(der_read_key("root/ca-key.pem", &key, NULL), 0);
	assert_non_null(memmem(cert.p, cert.n, key.p, key.n));
	assert_int_equal(pemfile_write("c.der", PEMFILE_PUBLIC, true, buf_span(&cert), NULL), 0);
	assert_int_equal(pemfile_write("k.der", PEMFILE_PUBLIC, true, buf_span(&key), NULL), 0);
	assert_int_equal(der_read_certificate("c.der", &again, NULL), 0);
	assert_int_equal(again.n, cert.n);
	assert_int_equal(der_read_key("c.der", &again, NULL), ERR_FORMAT);
	assert_int_equal(der_read_certificate("k.der", &again, NULL), ERR_FORMAT);
	buf_put(&cert, bytes("x"));
	assert_int_equal(pemfile_write("c.der", PEMFILE_PUBLIC, true, buf_span(&cert), NULL), 0);
	assert_int_equal(der_read_certificate("c.der", &again, NULL), ERR_FORMAT);
	buf_done(&cert);
	buf_done(&key);
	buf_done(&again);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_leaf_comes_with_its_chains),
		TEST(nothing_is_written_when_one_file_is_in_the_way),
		TEST(a_folder_that_does_not_fit_together_is_refused),
		TEST(der_of_certificate_and_key_agree),
	};

	return cmocka_run_group_tests_name("authority", tests, prepare, finish);
}
