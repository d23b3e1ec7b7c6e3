/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "pki/pemfile.h"
#include "pki/wholefile.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/sardane-pemfile-XXXXXX";

static int prepare(void **state)
{
	(void)state;
	return mkdtemp(folder) ? chdir(folder) : -1;
}

static int finish(void **state)
{
	(void)state;
	return chdir("/") || rmdir(folder);
}

static int entries(void)
{
	DIR *d = opendir(".");
	int n = 0;

	while (readdir(d))
		n++;
	closedir(d);
	return n - 2;
}

static void writes_whole_files_with_their_mode(void **state)
{
	struct buf text = { 0 };
	struct stat st;

	(void)state;
	assert_int_equal(pemfile_write("a", PEMFILE_PRIVATE, false, bytes("one"), NULL), 0);
	assert_int_equal(stat("a", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(wholefile_read("file", "a", &text, NULL), 0);
	assert_string_equal(buf_string(&text), "one");
	assert_int_equal(entries(), 1);
	buf_done(&text);
	unlink("a");
}

static void never_touches_an_existing_file_unless_told(void **state)
{
	struct buf text = { 0 };
	struct err err;

	(void)state;
	assert_int_equal(pemfile_write("a", PEMFILE_PUBLIC, false, bytes("one"), NULL), 0);
	assert_int_equal(pemfile_write("a", PEMFILE_PUBLIC, false, bytes("two"), &err), ERR_ARG);
	assert_non_null(strstr(err.msg, "'a'"));
	assert_int_equal(wholefile_read("file", "a", &text, NULL), 0);
	assert_string_equal(buf_string(&text), "one");
	buf_drop(&text, text.n);
	assert_int_equal(pemfile_write("a", PEMFILE_PUBLIC, true, bytes("two"), NULL), 0);
	assert_int_equal(wholefile_read("file", "a", &text, NULL), 0);
	assert_string_equal(buf_string(&text), "two");
	assert_int_equal(entries(), 1);
	buf_done(&text);
	unlink("a");
}

static void leaves_nothing_behind_when_it_fails(void **state)
{
	struct err err;

	(void)state;
	assert_int_equal(pemfile_write("no/such", PEMFILE_PUBLIC, false, bytes("x"), &err),
		ERR_SYSTEM);
	assert_non_null(strstr(err.msg, "no/such"));
	assert_int_equal(mkdir("d", 0700), 0);
	assert_int_equal(pemfile_write("d", PEMFILE_PUBLIC, true, bytes("x"), &err), ERR_ARG);
	rmdir("d");
	assert_int_equal(symlink("elsewhere", "l"), 0);
	assert_int_equal(pemfile_write("l", PEMFILE_PUBLIC, true, bytes("x"), &err), ERR_ARG);
	unlink("l");
	assert_int_equal(entries(), 0);
}

static void damaged_chains_are_refused(void **state)
{
	pemfile_chain *none = NULL;
	struct err err;

	(void)state;
	assert_int_equal(pemfile_write("c", PEMFILE_PUBLIC, false, bytes("words\n"), NULL), 0);
	assert_int_equal(pemfile_read_chain("c", &none, &err), ERR_FORMAT);
	assert_non_null(strstr(err.msg, "holds no PEM certificate"));
	assert_int_equal(pemfile_write("c", PEMFILE_PUBLIC, true,
				 bytes("-----BEGIN CERTIFICATE-----\nAAAA\n"
				       "-----END CERTIFICATE-----\n"),
				 NULL),
		0);
	assert_int_equal(pemfile_read_chain("c", &none, &err), ERR_FORMAT);
	assert_non_null(strstr(err.msg, "number 1 does not parse"));
	unlink("c");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(writes_whole_files_with_their_mode),
		TEST(never_touches_an_existing_file_unless_told),
		TEST(leaves_nothing_behind_when_it_fails),
		TEST(damaged_chains_are_refused),
	};

	return cmocka_run_group_tests_name("pemfile", tests, prepare, finish);
}
