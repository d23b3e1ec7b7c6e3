/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "net/rights.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net/listen.h"

static void reads_octal_modes_and_groups_by_name_or_number(void **state)
{
	struct rights r;

	(void)state;
	assert_int_equal(rights_read("0660", "root", &r, NULL), 0);
	assert_true(r.has_mode && r.has_group && r.mode == 0660 && r.group == 0);
	assert_int_equal(rights_read("600", "1234", &r, NULL), 0);
	assert_true(r.mode == 0600 && r.group == 1234);
	assert_int_equal(rights_read(NULL, NULL, &r, NULL), 0);
	assert_false(r.has_mode || r.has_group);
}

static void refuses_what_is_no_mode_and_no_group(void **state)
{
	static const char *const modes[] = { "", "60", "066a", "0888", "4755", "00660", "rw",
		" 660", "-660" };
	static const char *const groups[] = { "", "no such group", "-1", "4294967295",
		"99999999999999999999" };
	struct rights r;
	struct err err;

	(void)state;
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		assert_int_equal(rights_read(modes[i], NULL, &r, &err), ERR_FORMAT);
		assert_non_null(strstr(err.msg, "octal"));
	}
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
		assert_int_equal(rights_read("0600", groups[i], &r, &err), ERR_FORMAT);
		assert_non_null(strstr(err.msg, "there is none"));
	}
}

static void only_a_socket_gets_them_and_no_link_leads_elsewhere(void **state)
{
	char dir[] = "/tmp/sardane-rights-XXXXXX", where[64], link[64], file[64];
	struct rights r = { .has_mode = true, .mode = 0640 };
	struct stat st;
	struct err err;
	int fd;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(where, sizeof(where), "unix:%s/socket", dir);
	snprintf(link, sizeof(link), "unix:%s/link", dir);
	snprintf(file, sizeof(file), "unix:%s/file", dir);
	assert_int_equal(listen_bind(where, false, &fd, NULL), 0);
	assert_int_equal(rights_set(where, &r, NULL), 0);
	assert_int_equal(stat(where + 5, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_int_equal(symlink("socket", link + 5), 0);
	r.mode = 0666;
	assert_int_equal(rights_set(link, &r, &err), ERR_SYSTEM);
	fclose(fopen(file + 5, "w"));
	assert_int_equal(rights_set(file, &r, &err), ERR_SYSTEM);
	assert_int_equal(rights_set("unix:/nonexistent/x", &r, &err), ERR_SYSTEM);
	assert_int_equal(stat(where + 5, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	close(fd);
	unlink(where + 5);
	unlink(link + 5);
	unlink(file + 5);
	rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(reads_octal_modes_and_groups_by_name_or_number),
		TEST(refuses_what_is_no_mode_and_no_group),
		TEST(only_a_socket_gets_them_and_no_link_leads_elsewhere),
	};

	return cmocka_run_group_tests_name("rights", tests, NULL, NULL);
}
