/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "pki/keyfile.h"
#include "pki/keykind.h"
#include "pki/wholefile.h"
#include "scratch.h"

#include <openssl/pem.h>
#include <string.h>
#include <sys/stat.h>

static void write_password(const char *path, const char *text, mode_t mode)
{
	FILE *f = fopen(path, "w");

	fputs(text, f);
	fclose(f);
	chmod(path, mode);
}

static void keys_come_back_and_must_be_private(void **state)
{
	OWNED(EVP_PKEY) key = NULL;
	OWNED(EVP_PKEY) again = NULL;
	EVP_PKEY *none = NULL;
	struct err err;

	(void)state;
	assert_int_equal(keykind_new(KEYKIND_P256, &key, NULL), 0);
	assert_int_equal(keyfile_write("k", false, key, NULL, NULL), 0);
	assert_int_equal(keyfile_read("k", NULL, &again, NULL), 0);
	assert_int_equal(EVP_PKEY_eq(key, again), 1);
	assert_int_equal(chmod("k", 0640), 0);
	assert_int_equal(keyfile_read("k", NULL, &none, &err), ERR_ARG);
	assert_non_null(strstr(err.msg, "key 'k'"));
	unlink("k");
	assert_int_equal(keyfile_read("k", NULL, &none, &err), ERR_SYSTEM);
	assert_string_equal(err.msg, "key 'k': No such file or directory");
}

static void an_encrypted_key_opens_by_its_password_alone(void **state)
{
	const struct password good = { .file = "good" }, bad = { .file = "bad" };
	OWNED(EVP_PKEY) key = NULL;
	OWNED(EVP_PKEY) again = NULL;
	EVP_PKEY *none = NULL;
	struct buf text = { 0 };
	struct err err;

	(void)state;
	write_password("good", "correct horse\nsecond line\n", 0600);
	write_password("bad", "correct horsf\n", 0600);
	assert_int_equal(keykind_new(KEYKIND_ED25519, &key, NULL), 0);
	assert_int_equal(keyfile_write("e", false, key, &good, NULL), 0);
	assert_int_equal(wholefile_read("key", "e", &text, NULL), 0);
	assert_non_null(strstr(buf_string(&text), "BEGIN ENCRYPTED PRIVATE KEY"));
	buf_done(&text);
	assert_int_equal(keyfile_read("e", &good, &again, NULL), 0);
	assert_int_equal(EVP_PKEY_eq(key, again), 1);
	assert_int_equal(keyfile_read("e", &bad, &none, &err), ERR_FORMAT);
	assert_string_equal(err.msg, "key 'e': the password does not fit it");
	assert_int_equal(keyfile_read("e", NULL, &none, &err), ERR_ARG);
	assert_string_equal(err.msg, "key 'e': needs a password; give a password file");
}

static void a_key_that_others_encrypted_opens_too(void **state)
{
	const struct password p = { .file = "pw" };
	OWNED(EVP_PKEY) key = NULL;
	OWNED(EVP_PKEY) again = NULL;
	FILE *f = fopen("o", "w");

	(void)state;
	write_password("pw", "pass", 0600);
	assert_int_equal(keykind_new(KEYKIND_P256, &key, NULL), 0);
	assert_int_equal(
		PEM_write_PKCS8PrivateKey(f, key, EVP_aes_128_cbc(), "pass", 4, NULL, NULL), 1);
	fclose(f);
	chmod("o", 0600);
	assert_int_equal(keyfile_read("o", &p, &again, NULL), 0);
}

static void a_password_file_must_be_private_and_say_something(void **state)
{
	char out[PASSWORD_MAX];
	char longer[400];
	struct err err;

	(void)state;
	write_password("p", "secret\r\n", 0600);
	assert_int_equal(password_read("p", out, NULL), 0);
	assert_string_equal(out, "secret");
	chmod("p", 0644);
	assert_int_equal(password_read("p", out, &err), ERR_ARG);
	assert_non_null(strstr(err.msg, "lets others at it"));
	write_password("empty", "\n", 0600);
	assert_int_equal(password_read("empty", out, &err), ERR_FORMAT);
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	write_password("long", longer, 0600);
	assert_int_equal(password_read("long", out, &err), ERR_FORMAT);
	assert_int_equal(password_read("none", out, &err), ERR_SYSTEM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(keys_come_back_and_must_be_private),
		TEST(an_encrypted_key_opens_by_its_password_alone),
		TEST(a_key_that_others_encrypted_opens_too),
		TEST(a_password_file_must_be_private_and_say_something),
	};

	return cmocka_run_group_tests_name("keyfile", tests, scratch_begin, scratch_end);
}
