/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "identity/rollfile.h"
#include "identity/rollrecords.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "/tmp/sardane-rollfile-XXXXXX";

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

static struct rollfile a_file(void)
{
	struct rollfile f = { .name = "js.b.example",
		.services = 2,
		.service = { "8003/tcp", "443/tcp" },
		.via = "/etc/publish.yaml",
		.reload = "say \"new\"",
		.addresses = 1,
		.address = { "::1@8003" },
		.key_kind = "ed25519",
		.days = 90,
		.policy = { 1, 2, 3, 4, 5, true },
		.forms = 2,
		.form = { { 3, 1, 1 }, { 2, 0, 2 } },
		.last = 4,
		.current = "g2",
		.next = "g3",
		.standby = "g4",
		.standby_known_ms = 77,
		.done = 3,
		.ended_ms = 99,
		.result = "g2 in place of g1",
		.under_way = true };

	rollover_start(&f.rollover, &f.policy, 0, 1000);
	return f;
}

static void what_is_written_is_read(void **state)
{
	struct rollfile f = a_file(), again = { .days = 0 };
	bool there = false;
	int fd;

	(void)state;
	assert_int_equal(rollfile_lock("s/names/x", &fd, NULL), 0);
	assert_int_equal(rollfile_read("s/names/x", &again, &there, NULL), 0);
	assert_false(there);
	assert_int_equal(rollfile_write("s/names/x", &f, NULL), 0);
	assert_int_equal(rollfile_read("s/names/x", &again, &there, NULL), 0);
	assert_true(there);
	/* The table of moves is a pointer into the program, and the same one. */
	assert_int_equal(again.rollover.machine.at, ROLLOVER_MAKE);
	assert_string_equal(again.reload, f.reload);
	assert_string_equal(again.service[1], "443/tcp");
	assert_int_equal(again.form[1].matching, 2);
	assert_memory_equal(&again.policy, &f.policy, sizeof(f.policy));
	assert_string_equal(again.standby, "g4");
	assert_int_equal(again.done, 3);
	f.under_way = false;
	assert_int_equal(rollfile_write("s/names/x", &f, NULL), 0);
	assert_int_equal(rollfile_read("s/names/x", &again, &there, NULL), 0);
	assert_false(again.under_way);
	close(fd);
}

static void an_authority_has_settings_of_its_own(void **state)
{
	struct rollfile f = a_file(), again = { .days = 0 };
	char dir[PATH_MAX];
	bool there = false;
	int fd;

	(void)state;
	f.authority = true;
	strcpy(f.parent, "/pki/root");
	strcpy(f.switching, "/etc/js");
	assert_int_equal(rollfile_authority("s", dir, NULL), 0);
	assert_string_equal(dir, "s/authority");
	assert_int_equal(rollfile_lock(dir, &fd, NULL), 0);
	assert_int_equal(rollfile_write(dir, &f, NULL), 0);
	assert_int_equal(rollfile_read(dir, &again, &there, NULL), 0);
	assert_true(there && again.authority && again.under_way);
	assert_string_equal(again.parent, "/pki/root");
	assert_string_equal(again.switching, "/etc/js");
	assert_string_equal(again.adopt, "");
	close(fd);
	assert_int_equal(rollfile_read("s/names/x", &again, &there, NULL), 0);
	assert_false(again.authority);
}

static void one_process_at_a_time(void **state)
{
	int first, second = -1;
	struct err err;

	(void)state;
	assert_int_equal(rollfile_lock("s/names/y", &first, NULL), 0);
	assert_int_equal(rollfile_lock("s/names/y", &second, &err), ERR_SYSTEM);
	assert_non_null(strstr(err.msg, "another process is at it"));
	close(first);
	assert_int_equal(rollfile_lock("s/names/y", &second, NULL), 0);
	close(second);
}

static void who_goes_on_does_not_bring_a_removed_name_back(void **state)
{
	enum rollfile_hold got = ROLLFILE_BUSY;
	struct err err;
	int fd = -1;

	(void)state;
	assert_int_equal(rollfile_try_lock("s/names/gone", &got, &fd, NULL), 0);
	assert_int_equal(got, ROLLFILE_ABSENT);
	assert_int_equal(rollfile_lock_kept("s/names/gone", &got, &fd, &err), ERR_ARG);
	assert_non_null(strstr(err.msg, "nothing is kept there any more"));
	assert_int_not_equal(access("s/names/gone", F_OK), 0);
	assert_int_equal(rollfile_lock("s/names/gone", &fd, NULL), 0);
	assert_int_equal(rollfile_try_lock("s/names/gone", &got, &fd, NULL), 0);
	assert_int_equal(got, ROLLFILE_BUSY);
	close(fd);
	assert_int_equal(rollfile_try_lock("s/names/gone", &got, &fd, NULL), 0);
	assert_int_equal(got, ROLLFILE_HELD);
	close(fd);
}

static void a_file_of_anything_else_is_refused_by_name(void **state)
{
	static const char *const texts[] = { "", "[]", "{\"name\":\"x\"}", "no JSON" };
	struct rollfile f = { .days = 7 };
	struct err err;
	bool there;

	(void)state;
	assert_int_equal(system("mkdir -p s/names/z"), 0);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		FILE *out = fopen("s/names/z/rollover.json", "w");

		assert_non_null(out);
		fputs(texts[i], out);
		fclose(out);
		assert_int_equal(rollfile_read("s/names/z", &f, &there, &err), ERR_FORMAT);
		assert_non_null(strstr(err.msg, "s/names/z/rollover.json"));
		assert_int_equal(f.days, 7);
	}
}

static void a_folder_stays_below_names(void **state)
{
	char dir[PATH_MAX];

	(void)state;
	assert_int_equal(rollfile_folder("s", "../x", dir, NULL), ERR_ARG);
	assert_int_equal(rollfile_folder("s", "a/b", dir, NULL), ERR_ARG);
	assert_int_equal(rollfile_folder("s", "a\\047b", dir, NULL), ERR_ARG);
	assert_int_equal(rollfile_folder("s", "", dir, NULL), ERR_ARG);
	assert_int_equal(rollfile_folder("s", "_8003._tcp.js.b.example", dir, NULL), 0);
	assert_string_equal(dir, "s/names/_8003._tcp.js.b.example");
}

static void services_have_their_owners(void **state)
{
	struct rollfile f = a_file();
	struct rollrecords r;
	char owner[NAME_TEXT_MAX];
	struct err err;

	(void)state;
	snprintf(f.name, sizeof(f.name), "JS.b.example");
	assert_int_equal(rollrecords_of(&f, &r, NULL), 0);
	assert_int_equal(r.count, 2);
	assert_int_equal(r.port[1], 443);
	assert_int_equal(rollrecords_owner(&f, owner, NULL), 0);
	assert_string_equal(owner, "_8003._tcp.js.b.example");
	f.services = 0;
	assert_int_equal(rollrecords_owner(&f, owner, NULL), 0);
	assert_string_equal(owner, "js.b.example");
	f.services = 1;
	snprintf(f.service[0], sizeof(f.service[0]), "0/tcp");
	assert_int_equal(rollrecords_of(&f, &r, &err), ERR_FORMAT);
	assert_non_null(strstr(err.msg, "0/tcp"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_written_is_read),
		TEST(an_authority_has_settings_of_its_own),
		TEST(one_process_at_a_time),
		TEST(who_goes_on_does_not_bring_a_removed_name_back),
		TEST(a_file_of_anything_else_is_refused_by_name),
		TEST(a_folder_stays_below_names),
		TEST(services_have_their_owners),
	};

	return cmocka_run_group_tests_name("identity/rollfile", tests, prepare, finish);
}
