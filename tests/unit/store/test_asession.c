/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "store/asession.h"

static char folder[64], path[96];
static const struct secret no_kek = { 0 };

static int begin(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/sardane-asession-XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/as.sqlite", folder);
	return 0;
}

static int end(void **state)
{
	char command[96];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	return system(command);
}

static struct session a_session(uint8_t n)
{
	struct session s = { .dev_eui = 0xf0b3d57ed0000001u,
		.id = { 1, { n } },
		.net_id = 0x13,
		.dev_addr = 0xfffffffe,
		.key_check = 0xff00000000000000u | n,
		.up_any = true,
		.up_last = UINT32_MAX,
		.up_window = UINT64_MAX,
		.down_floor = (uint64_t)UINT32_MAX + 1 };

	memset(s.app_s_key, n, 16);
	s.up_digest[63] = 0xdeadbeef;
	return s;
}

struct seen {
	struct session s[80];
	unsigned age[80], n;
	struct downlink d[8];
	unsigned downlinks;
};

static int see_session(void *arg, const struct session *s, unsigned age, struct err *err)
{
	struct seen *seen = arg;

	(void)err;
	seen->s[seen->n] = *s;
	seen->age[seen->n++] = age;
	return 0;
}

static int see_downlink(void *arg, const struct downlink *d, struct err *err)
{
	struct seen *seen = arg;

	(void)err;
	seen->d[seen->downlinks++] = *d;
	return 0;
}

static void reopen(struct asession **a, const struct secret *kek, struct seen *seen)
{
	struct err err = { 0 };

	asession_close(*a);
	memset(seen, 0, sizeof(*seen));
	assert_int_equal(asession_open(path, kek, a, &err), 0);
	assert_int_equal(asession_sessions(*a, see_session, seen, &err), 0);
	assert_int_equal(asession_downlinks(*a, see_downlink, seen, &err), 0);
}

static void gives_back_what_was_kept(void **state)
{
	struct session s = a_session(1);
	struct downlink d = { .number = 5,
		.dev_eui = s.dev_eui,
		.id = "q",
		.confirmed = true,
		.f_port = 223,
		.n = 2,
		.data = { 1, 0 },
		.state = DOWNLINK_SENT,
		.bound = true,
		.session = s.id,
		.f_cnt = UINT32_MAX };
	struct asession *a = NULL;
	struct seen seen;

	(void)state;
	reopen(&a, &no_kek, &seen);
	assert_int_equal(asession_keep(a, &s, true, &d, NULL, NULL), 0);
	reopen(&a, &no_kek, &seen);
	assert_int_equal(seen.n, 1);
	assert_memory_equal(&seen.s[0], &s, sizeof(s));
	assert_int_equal(seen.downlinks, 1);
	assert_memory_equal(&seen.d[0], &d, sizeof(d));
	s.up_last = 7;
	assert_int_equal(asession_keep(a, &s, false, NULL, &d, NULL), 0);
	reopen(&a, &no_kek, &seen);
	assert_int_equal(seen.s[0].up_last, 7);
	assert_int_equal(seen.downlinks, 0);
	asession_close(a);
}

static void keeps_two_keys_and_the_marks_of_64_older_sessions(void **state)
{
	static const uint8_t none[16];
	struct asession *a = NULL;
	struct seen seen;

	(void)state;
	reopen(&a, &no_kek, &seen);
	for (uint8_t i = 1; i <= 70; i++) {
		struct session s = a_session(i);

		assert_int_equal(asession_keep(a, &s, true, NULL, NULL, NULL), 0);
	}
	reopen(&a, &no_kek, &seen);
	assert_int_equal(seen.n, 66);
	assert_int_equal(seen.s[0].id.octets[0], 70);
	assert_int_equal(seen.s[1].app_s_key[0], 69);
	assert_int_equal(seen.age[2], 2);
	assert_memory_equal(seen.s[2].app_s_key, none, 16);
	assert_true(seen.s[2].key_check == (0xff00000000000000u | 68));
	asession_close(a);
}

static void a_second_server_is_kept_out(void **state)
{
	struct asession *a = NULL, *b = NULL;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(asession_open(path, &no_kek, &a, &err), 0);
	assert_int_equal(asession_open(path, &no_kek, &b, &err), ERR_SYSTEM);
	assert_non_null(strstr(err.msg, "locked"));
	asession_close(a);
}

static void a_session_that_is_not_there_is_an_error_not_a_silence(void **state)
{
	struct session s = a_session(1);
	struct asession *a = NULL;

	(void)state;
	assert_int_equal(asession_open(path, &no_kek, &a, NULL), 0);
	assert_int_equal(asession_keep(a, &s, false, NULL, NULL, NULL), ERR_SYSTEM);
	asession_close(a);
}

static void keys_lie_wrapped_under_the_kek(void **state)
{
	struct secret kek = { .octets = { 1, 2, 3 }, .n = 16 }, other = { .n = 16 };
	struct session s = a_session(0x5a);
	struct asession *a = NULL;
	struct seen seen = { 0 };

	(void)state;
	reopen(&a, &kek, &seen);
	assert_int_equal(asession_keep(a, &s, true, NULL, NULL, NULL), 0);
	reopen(&a, &kek, &seen);
	assert_memory_equal(seen.s[0].app_s_key, s.app_s_key, 16);
	asession_close(a);
	assert_int_equal(asession_open(path, &other, &a, NULL), 0);
	assert_int_equal(asession_sessions(a, see_session, &seen, NULL), ERR_FORMAT);
	asession_close(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(gives_back_what_was_kept, begin, end),
		cmocka_unit_test_setup_teardown(keeps_two_keys_and_the_marks_of_64_older_sessions,
			begin, end),
		cmocka_unit_test_setup_teardown(a_second_server_is_kept_out, begin, end),
		cmocka_unit_test_setup_teardown(
			a_session_that_is_not_there_is_an_error_not_a_silence, begin, end),
		cmocka_unit_test_setup_teardown(keys_lie_wrapped_under_the_kek, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
