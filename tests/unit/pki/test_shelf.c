/* SPDX-License-Identifier: Apache-2.0 */
#include "pki/shelf.h"

#include "check.h"
#include "pki/issue.h"
#include "pki/keykind.h"
#include "pki/press.h"
#include "scratch.h"

#include <string.h>
#include <sys/stat.h>
#include <time.h>

static struct shelf *opened(const char *dir)
{
	struct shelf *s = NULL;
	struct err err;

	if (shelf_open(dir, &s, &err) != 0)
		fail_msg("%s", err.msg);
	return s;
}

static void a_key_stays_until_another_kind_is_wanted(void **state)
{
	struct shelf *s = opened("keys");
	struct buf first = { 0 }, again = { 0 }, other = { 0 };
	struct stat st;

	(void)state;
	assert_int_equal(shelf_key(s, "a.x", "p256", &first, NULL), 0);
	assert_int_equal(shelf_key(s, "a.x", "p256", &again, NULL), 0);
	assert_int_equal(first.n, again.n);
	assert_memory_equal(first.p, again.p, first.n);
	assert_int_equal(stat("keys/a.x-key.pem", &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(shelf_key(s, "a.x", "ed25519", &other, NULL), 0);
	assert_int_equal(other.n, 44);
	assert_int_equal(shelf_no_key(s, "a.x", NULL), 0);
	assert_int_equal(shelf_no_key(s, "a.x", NULL), 0);
	assert_int_not_equal(stat("keys/a.x-key.pem", &st), 0);
	assert_int_equal(shelf_sync(s, NULL), 0);
	buf_done(&first);
	buf_done(&again);
	buf_done(&other);
	shelf_close(s);
}

static void half_a_key_is_made_anew(void **state)
{
	struct shelf *s = opened("half");
	struct buf spki = { 0 };
	FILE *f = fopen("half/b.x-key.pem", "we");

	(void)state;
	assert_non_null(f);
	fputs("-----BEGIN PRIVATE", f);
	fclose(f);
	assert_int_equal(chmod("half/b.x-key.pem", 0600), 0);
	assert_int_equal(shelf_key(s, "b.x", "p256", &spki, NULL), 0);
	assert_int_equal(spki.n, 91);
	buf_done(&spki);
	shelf_close(s);
}

static void a_certificate_fits_its_key_name_and_issuer(void **state)
{
	const struct profile root = { .role = PROFILE_ROOT,
		.common_name = "R",
		.life_s = 900000,
		.path_len = 0 };
	const struct profile leaf = { .role = PROFILE_CLIENT, .life_s = 500000, .path_len = -1 };
	struct shelf *s = opened("certs");
	pemfile_chain *chain = sk_X509_new_null();
	struct buf spki = { 0 }, other = { 0 };
	char serial[FACTS_SERIAL_MAX] = "";
	EVP_PKEY *key = NULL, *stranger = NULL;
	X509 *issuer = NULL, *alien = NULL;
	struct press_certificate c;
	struct press *p = NULL;
	struct name name;
	bool fits;

	(void)state;
	assert_int_equal(keykind_new(KEYKIND_P256, &key, NULL), 0);
	assert_int_equal(keykind_new(KEYKIND_P256, &stranger, NULL), 0);
	assert_int_equal(issue_certificate(&root, key, NULL, key, time(NULL), &issuer, NULL), 0);
	assert_int_equal(
		issue_certificate(&root, stranger, NULL, stranger, time(NULL), &alien, NULL), 0);
	sk_X509_push(chain, issuer);
	assert_int_equal(press_new(&leaf, chain, key, time(NULL), &p, NULL), 0);
	assert_int_equal(name_of("a.x", &name), 0);
	assert_int_equal(shelf_key(s, "a.x", "p256", &spki, NULL), 0);
	assert_int_equal(shelf_key(s, "b.x", "p256", &other, NULL), 0);
	assert_int_equal(shelf_find(s, "a.x", buf_span(&spki), issuer, &fits, serial, NULL), 0);
	assert_false(fits);
	assert_int_equal(press_make(p, &name, buf_span(&spki), &c, NULL), 0);
	assert_int_equal(shelf_certificate(s, "a.x", c.der, chain, NULL), 0);
	assert_int_equal(shelf_find(s, "a.x", buf_span(&spki), issuer, &fits, serial, NULL), 0);
	assert_true(fits);
	assert_string_equal(serial, c.serial);
	assert_int_equal(shelf_find(s, "a.x", buf_span(&other), issuer, &fits, serial, NULL), 0);
	assert_false(fits);
	assert_int_equal(shelf_find(s, "a.x", buf_span(&spki), alien, &fits, serial, NULL), 0);
	assert_false(fits);
	assert_int_equal(shelf_certificate(s, "c.x", c.der, chain, NULL), 0);
	assert_int_equal(shelf_find(s, "c.x", buf_span(&spki), issuer, &fits, serial, NULL), 0);
	assert_false(fits);
	press_free(p);
	buf_done(&spki);
	buf_done(&other);
	chain_free(chain);
	X509_free(alien);
	EVP_PKEY_free(key);
	EVP_PKEY_free(stranger);
	shelf_close(s);
}

static void a_name_whose_files_would_be_anothers_is_refused(void **state)
{
	struct shelf *s = opened("names");
	char prefix[PATH_MAX];

	(void)state;
	assert_int_equal(shelf_prefix(s, "a.x", prefix, NULL), 0);
	assert_string_equal(prefix, "names/a.x");
	assert_int_equal(shelf_prefix(s, "a.x-key", prefix, NULL), ERR_ARG);
	assert_int_equal(shelf_prefix(s, "a.x-combined", prefix, NULL), ERR_ARG);
	shelf_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_key_stays_until_another_kind_is_wanted),
		TEST(half_a_key_is_made_anew),
		TEST(a_certificate_fits_its_key_name_and_issuer),
		TEST(a_name_whose_files_would_be_anothers_is_refused),
	};

	return cmocka_run_group_tests_name("shelf", tests, scratch_begin, scratch_end);
}
