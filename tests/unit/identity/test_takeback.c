/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/issuance.h"
#include "check.h"
#include "identity/takeback.h"
#include "scratch.h"

#include <string.h>
#include <sys/stat.h>

static char our_serial[FACTS_SERIAL_MAX], other_serial[FACTS_SERIAL_MAX];

static void make_authority(const char *folder)
{
	struct profile p = { .role = PROFILE_ROOT,
		.common_name = "R",
		.life_s = 900000,
		.path_len = 1 };
	struct authority_order order = { .profile = &p };

	assert_int_equal(issuance_root(folder, &order, NULL), 0);
}

static void issue(const char *authority, const char *prefix, char serial[FACTS_SERIAL_MAX])
{
	struct profile p = { .role = PROFILE_SERVER, .life_s = 90000, .path_len = -1 };
	struct authority_order order = { .profile = &p };
	struct state *s = NULL;
	struct facts f;
	char path[64];

	assert_int_equal(profile_add_san(&p, "js.a.example", NULL), 0);
	assert_int_equal(state_open(authority, NULL, &s, NULL), 0);
	assert_int_equal(issuance_files(s, prefix, &order, NULL), 0);
	state_close(s);
	snprintf(path, sizeof(path), "%s.pem", prefix);
	assert_int_equal(facts_load(path, &f, NULL), 0);
	memcpy(serial, f.serial, FACTS_SERIAL_MAX);
	facts_done(&f);
}

static bool note(void *arg, const struct ledger_entry *e)
{
	*(int64_t *)arg = e->revoked_at;
	return false;
}

static bool is_revoked(const char *authority, const char *serial)
{
	const struct ledger_filter filter = { .serial = serial };
	struct state *s = NULL;
	int64_t at = 0;

	assert_int_equal(state_open_keyless(authority, &s, NULL), 0);
	assert_int_equal(ledger_each(s->ledger, &filter, note, &at, NULL), 0);
	state_close(s);
	return at != 0;
}

/* A name that was taken over with a certificate of another authority, while it is rolled. */
static int prepare(void **state)
{
	if (scratch_begin(state) != 0 || mkdir("name", 0700) != 0 || mkdir("name/g1", 0700) != 0 ||
		mkdir("name/g2", 0700) != 0)
		return -1;
	make_authority("ca");
	make_authority("other");
	issue("other", "name/g1/cert", other_serial);
	issue("ca", "name/g2/cert", our_serial);
	return symlink("g1/cert.pem", "name/current.pem");
}

static void what_is_ours_is_revoked_and_the_rest_told(void **state)
{
	struct takeback t;
	struct err err;

	(void)state;
	if (takeback_certificates("ca", "name", &t, &err) != 0)
		fail_msg("%s", err.msg);
	assert_true(is_revoked("ca", our_serial));
	assert_int_equal(t.foreign, 1);
	assert_string_equal(t.serial[0], other_serial);
	assert_false(is_revoked("other", other_serial));
}

static void again_it_says_the_same(void **state)
{
	struct takeback t;

	(void)state;
	assert_int_equal(takeback_certificates("ca", "name", &t, NULL), 0);
	assert_int_equal(t.foreign, 1);
}

static void a_folder_that_is_not_there_is_empty(void **state)
{
	struct takeback t;

	(void)state;
	assert_int_equal(takeback_certificates("ca", "nowhere", &t, NULL), 0);
	assert_int_equal(t.foreign, 0);
}

static void one_that_cannot_be_read_is_an_error(void **state)
{
	struct takeback t;
	struct err err;

	(void)state;
	assert_int_equal(takeback_certificates("ca", "name/g1/cert.pem", &t, &err), ERR_SYSTEM);
	assert_non_null(strstr(err.msg, "Not a directory"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_ours_is_revoked_and_the_rest_told),
		TEST(again_it_says_the_same),
		TEST(a_folder_that_is_not_there_is_empty),
		TEST(one_that_cannot_be_read_is_an_error),
	};

	return cmocka_run_group_tests_name("takeback", tests, prepare, scratch_end);
}
