/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "publish/tsigkey.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void reads_the_line_of_kdig_and_nsupdate(void **state)
{
	struct tsigkey key;

	(void)state;
	assert_int_equal(tsigkey_read("hmac-sha256:lab.:AAECAwQFBgcICQoLDA0ODw==\n", &key, NULL),
		0);
	assert_string_equal(key.name, "lab.");
	assert_string_equal(key.secret, "AAECAwQFBgcICQoLDA0ODw==");
}

static void knows_three_algorithms(void **state)
{
	static const char *const lines[] = {
		[HMAC_SHA256] = "hmac-sha256:k:AAECAwQFBgcICQoLDA0ODw==",
		[HMAC_SHA384] = "hmac-sha384:k:AAECAwQFBgcICQoLDA0ODw==",
		[HMAC_SHA512] = "hmac-sha512:k:AAECAwQFBgcICQoLDA0ODw==",
	};
	struct tsigkey key;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(tsigkey_read(lines[i], &key, NULL), 0);
		assert_int_equal(key.digest, i);
		assert_memory_equal(tsigkey_algorithm(&key), lines[i], 11);
	}
}

static void refuses_other_lines_without_telling_the_secret(void **state)
{
	static const char *const bad[] = {
		"",
		"hmac-md5:lab:AAECAwQFBgcICQoLDA0ODw==",
		"hmac-sha1:lab:AAECAwQFBgcICQoLDA0ODw==",
		"hmac-sha25:lab:AAECAwQFBgcICQoLDA0ODw==",
		"hmac-sha256:lab",
		"hmac-sha256::AAECAwQFBgcICQoLDA0ODw==",
		"hmac-sha256:lab:",
		"hmac-sha256:lab:QUJDREVGRw==",
		"hmac-sha256:lab:SECRET!SECRET!SECRET!SECR",
		"hmac-sha256:lab:AAECAwQFBgcICQoLDA0ODw==\nmore",
	};
	struct tsigkey key;
	struct err err;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(tsigkey_read(bad[i], &key, &err), ERR_FORMAT);
		assert_null(strstr(err.msg, "SECRET"));
		assert_null(strstr(err.msg, "AAEC"));
	}
}

static void a_new_key_reads_back_and_differs_each_time(void **state)
{
	struct tsigkey a, b, again;
	char line[400];

	(void)state;
	assert_int_equal(tsigkey_new("x", &a, NULL), 0);
	assert_int_equal(tsigkey_new("x", &b, NULL), 0);
	assert_string_not_equal(a.secret, b.secret);
	snprintf(line, sizeof(line), "hmac-sha256:%s:%s", a.name, a.secret);
	assert_int_equal(tsigkey_read(line, &again, NULL), 0);
	assert_string_equal(again.secret, a.secret);
}

static void a_file_others_can_read_is_refused(void **state)
{
	char path[] = "/tmp/sardane-tsig-XXXXXX";
	const char line[] = "hmac-sha256:lab.:AAECAwQFBgcICQoLDA0ODw==\n";
	struct tsigkey key;
	int fd = mkstemp(path);

	(void)state;
	assert_int_equal(write(fd, line, sizeof(line) - 1), sizeof(line) - 1);
	assert_int_equal(tsigkey_load(path, &key, NULL), 0);
	assert_int_equal(fchmod(fd, 0644), 0);
	assert_int_equal(tsigkey_load(path, &key, NULL), ERR_ARG);
	close(fd);
	unlink(path);
	assert_int_equal(tsigkey_load(path, &key, NULL), ERR_SYSTEM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(reads_the_line_of_kdig_and_nsupdate),
		TEST(knows_three_algorithms),
		TEST(refuses_other_lines_without_telling_the_secret),
		TEST(a_new_key_reads_back_and_differs_each_time),
		TEST(a_file_others_can_read_is_refused),
	};

	return cmocka_run_group_tests_name("tsigkey", tests, NULL, NULL);
}
