/* SPDX-License-Identifier: Apache-2.0 */
#include "store/devices.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"

struct lab {
	char folder[64], path[96];
	struct devices *db;
	struct device device, got;
};

static struct device a_device(uint64_t dev_eui)
{
	return (struct device){ .dev_eui = dev_eui,
		.join_eui = 0xffeeddccbbaa9988,
		.version = VERSION_1_1_0,
		.name = "a \"name\"",
		.app_key = "0123456789abcde",
		.nwk_key = "edcba9876543210",
		.net_ids = { 0x000013, 0xc00053 },
		.net_ids_n = 2,
		.application_server = "https://as.b.example:8005",
		.as_id = "as.b.example",
		.ns_kek_label = "n",
		.as_kek_label = "a",
		.nonce_rule = DEVICE_NONCE_UNUSED,
		.dev_nonce = -1,
		.rj_count1 = -1 };
}

static const struct device_session first = { .join_nonce = 1, .rj_count0 = -1 };

static int set_up(void **state)
{
	struct lab *lab = calloc(1, sizeof(*lab));

	strcpy(lab->folder, "/tmp/sardane-store-XXXXXX");
	assert_non_null(mkdtemp(lab->folder));
	snprintf(lab->path, sizeof(lab->path), "%s/js.db", lab->folder);
	*state = lab;
	return 0;
}

static int tear_down(void **state)
{
	static const char *const files[] = { "js.db", "js.db-wal", "js.db-shm" };
	struct lab *lab = *state;
	char path[128];

	devices_close(lab->db);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", lab->folder, files[i]);
		unlink(path);
	}
	rmdir(lab->folder);
	free(lab);
	return 0;
}

static void open_it(struct lab *lab, const struct secret *kek)
{
	devices_close(lab->db);
	lab->db = NULL;
	assert_int_equal(devices_open(lab->path, kek, true, &lab->db, NULL), 0);
}

static bool load(struct lab *lab, uint64_t dev_eui)
{
	bool found;

	assert_int_equal(devices_load(lab->db, dev_eui, &lab->got, &found, NULL), 0);
	return found;
}

static void gives_back_a_device_as_it_was_stored(void **state)
{
	struct lab *lab = *state;
	struct stat st;
	bool existed;

	open_it(lab, NULL);
	lab->device = a_device(0x8877665544332211);
	assert_int_equal(devices_add(lab->db, &lab->device, false, &existed, NULL), 0);
	assert_false(existed);
	assert_true(load(lab, lab->device.dev_eui));
	assert_memory_equal(&lab->got, &lab->device, sizeof(lab->got));
	assert_int_equal(devices_add(lab->db, &lab->device, false, &existed, NULL), 0);
	assert_true(existed);
	assert_false(load(lab, 1));
	assert_int_equal(stat(lab->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(devices_check(lab->db, NULL), 0);
}

static void keeps_what_joins_move_only_after_commit(void **state)
{
	struct lab *lab = *state;
	bool existed;

	open_it(lab, NULL);
	lab->device = a_device(1);
	assert_int_equal(devices_add(lab->db, &lab->device, false, &existed, NULL), 0);
	lab->device.join_nonce = 7;
	lab->device.dev_nonce = 65535;
	lab->device.rj_count1 = 3;
	nonces_add(&lab->device.used, 65535);
	nonces_add(&lab->device.used, 12);
	assert_int_equal(devices_begin(lab->db, NULL), 0);
	assert_int_equal(devices_save(lab->db, &lab->device, &first, NULL), 0);
	devices_rollback(lab->db);
	assert_true(load(lab, 1));
	assert_int_equal(lab->got.join_nonce, 0);
	assert_int_equal(devices_begin(lab->db, NULL), 0);
	assert_int_equal(devices_save(lab->db, &lab->device, &first, NULL), 0);
	assert_int_equal(devices_commit(lab->db, NULL), 0);
	open_it(lab, NULL);
	assert_true(load(lab, 1));
	assert_memory_equal(&lab->got.used, &lab->device.used, 4);
	assert_int_equal(lab->got.join_nonce, 7);
	assert_int_equal(lab->got.dev_nonce, 65535);
	assert_int_equal(lab->got.rj_count1, 3);
}

static void keeps_the_last_ten_sessions(void **state)
{
	struct device_session sessions[DEVICE_SESSIONS],
		s = { .rj_count0 = -1,
			.is_1_1 = true,
			.app_s_key = "app-session-key",
			.s_nwk_s_int_key = "int-session-key" };
	struct lab *lab = *state;
	bool existed;
	size_t n;

	open_it(lab, NULL);
	lab->device = a_device(5);
	assert_int_equal(devices_add(lab->db, &lab->device, false, &existed, NULL), 0);
	assert_int_equal(devices_sessions(lab->db, 5, sessions, &n, NULL), 0);
	assert_int_equal(n, 0);
	for (s.join_nonce = 1; s.join_nonce <= 25; s.join_nonce++) {
		s.id[0] = (uint8_t)s.join_nonce;
		lab->device.join_nonce = s.join_nonce;
		assert_int_equal(devices_save(lab->db, &lab->device, &s, NULL), 0);
		assert_int_equal(devices_sessions(lab->db, 5, sessions, &n, NULL), 0);
		assert_int_equal(n, s.join_nonce < 10 ? s.join_nonce : 10);
		assert_int_equal(sessions[0].join_nonce, s.join_nonce);
	}
	assert_int_equal(devices_sessions(lab->db, 5, sessions, &n, NULL), 0);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(sessions[i].join_nonce, 25 - i);
	assert_string_equal((char *)sessions[3].app_s_key, "app-session-key");
	assert_string_equal((char *)sessions[3].s_nwk_s_int_key, "int-session-key");
	sessions[3].rj_count0 = 9;
	assert_int_equal(devices_save(lab->db, &lab->device, &sessions[3], NULL), 0);
	assert_int_equal(devices_sessions(lab->db, 5, sessions, &n, NULL), 0);
	assert_int_equal(n, DEVICE_SESSIONS);
	assert_int_equal(sessions[3].rj_count0, 9);
	assert_int_equal(devices_sessions(lab->db, 6, sessions, &n, NULL), 0);
	assert_int_equal(n, 0);
	assert_int_equal(devices_remove(lab->db, 5, false, &existed, NULL), 0);
	assert_int_equal(devices_add(lab->db, &lab->device, false, &existed, NULL), 0);
	assert_int_equal(devices_sessions(lab->db, 5, sessions, &n, NULL), 0);
	assert_int_equal(n, 0);
}

static void gives_back_a_session_as_it_was_stored(void **state)
{
	struct device_session s[DEVICE_SESSIONS],
		one = { .id = "fifteen-octets!",
			.join_nonce = 1,
			.net_id = 0xc00053,
			.dev_addr = 0xfe000001,
			.app_s_key = "app-session-key",
			.rj_count0 = -1 };
	struct lab *lab = *state;
	bool existed;
	size_t n;

	open_it(lab, NULL);
	lab->device = a_device(5);
	lab->device.join_nonce = 2;
	assert_int_equal(devices_add(lab->db, &lab->device, false, &existed, NULL), 0);
	assert_int_equal(devices_save(lab->db, &lab->device, &one, NULL), 0);
	assert_int_equal(devices_sessions(lab->db, 5, s, &n, NULL), 0);
	assert_int_equal(n, 1);
	assert_memory_equal(&s[0].id, &one.id, sizeof(one.id));
	assert_int_equal(s[0].net_id, 0xc00053);
	assert_int_equal(s[0].dev_addr, 0xfe000001);
	assert_int_equal(s[0].rj_count0, -1);
	assert_false(s[0].is_1_1);
	assert_string_equal((char *)s[0].app_s_key, "app-session-key");
	/* A device that has become a 1.1 one keeps its sessions of 1.0. */
	one.join_nonce = 2;
	one.is_1_1 = true;
	assert_int_equal(devices_save(lab->db, &lab->device, &one, NULL), 0);
	assert_int_equal(devices_sessions(lab->db, 5, s, &n, NULL), 0);
	assert_int_equal(n, 2);
	assert_true(s[0].is_1_1 && !s[1].is_1_1);
}

static void accepts_nothing_for_a_device_without_state(void **state)
{
	struct lab *lab = *state;
	struct err err = { 0 };

	open_it(lab, NULL);
	lab->device = a_device(1);
	assert_int_equal(devices_save(lab->db, &lab->device, &first, &err), ERR_FORMAT);
	assert_non_null(strstr(err.msg, "device 0000000000000001: it has no state"));
}

static void remembers_nonces_of_a_removed_device_unless_told_to_forget(void **state)
{
	struct lab *lab = *state;
	bool found;

	open_it(lab, NULL);
	lab->device = a_device(1);
	devices_add(lab->db, &lab->device, false, &found, NULL);
	lab->device.join_nonce = 9;
	nonces_add(&lab->device.used, 4);
	assert_int_equal(devices_save(lab->db, &lab->device, &first, NULL), 0);
	assert_int_equal(devices_remove(lab->db, 1, false, &found, NULL), 0);
	assert_true(found);
	assert_false(load(lab, 1));
	devices_add(lab->db, &lab->device, false, &found, NULL);
	assert_true(load(lab, 1));
	assert_int_equal(lab->got.join_nonce, 9);
	assert_true(nonces_has(&lab->got.used, 4));
	assert_int_equal(devices_flush_nonces(lab->db, 1, &found, NULL), 0);
	assert_true(found && load(lab, 1));
	assert_int_equal(lab->got.join_nonce, 9);
	assert_int_equal(lab->got.used.n, 0);
	assert_int_equal(devices_remove(lab->db, 1, true, &found, NULL), 0);
	devices_add(lab->db, &lab->device, false, &found, NULL);
	assert_true(load(lab, 1));
	assert_int_equal(lab->got.join_nonce, 0);
	assert_int_equal(devices_flush_nonces(lab->db, 2, &found, NULL), 0);
	assert_false(found);
}

static bool file_has(const char *path, const char *text)
{
	static char octets[1 << 20];
	FILE *f = fopen(path, "rb");
	size_t n;

	if (!f)
		return false;
	n = fread(octets, 1, sizeof(octets), f);
	fclose(f);
	return memmem(octets, n, text, strlen(text)) != NULL;
}

static void never_writes_a_key_in_clear_when_it_has_a_kek(void **state)
{
	struct secret kek = { .octets = "0123456789012345", .n = 16 }, other = { .n = 16 };
	struct device_session s = { .app_s_key = "app-session-key", .is_1_1 = true };
	struct lab *lab = *state;
	struct devices *db = NULL;
	struct err err = { 0 };
	char wal[128];
	bool found;

	open_it(lab, &kek);
	lab->device = a_device(1);
	assert_int_equal(devices_add(lab->db, &lab->device, false, &found, NULL), 0);
	assert_int_equal(devices_save(lab->db, &lab->device, &s, NULL), 0);
	assert_true(load(lab, 1));
	assert_memory_equal(&lab->got, &lab->device, sizeof(lab->got));
	snprintf(wal, sizeof(wal), "%s-wal", lab->path);
	assert_true(file_has(wal, "as.b.example"));
	assert_false(file_has(wal, "0123456789abcde") || file_has(wal, "app-session-key"));
	assert_int_equal(devices_open(lab->path, NULL, true, &db, &err), ERR_FORMAT);
	assert_non_null(strstr(err.msg, "wrapped under a KEK, which is not given"));
	assert_int_equal(devices_open(lab->path, &other, true, &db, &err), ERR_FORMAT);
	assert_non_null(strstr(err.msg, "another KEK"));
	assert_null(db);
	open_it(lab, &kek);
	assert_true(load(lab, 1));
}

static bool count_one(void *arg, const struct device *d)
{
	uint64_t *last = arg;

	assert_true(d->dev_eui > *last);
	*last = d->dev_eui;
	return true;
}

static void lists_all_euis_in_their_order(void **state)
{
	static const uint64_t euis[] = { 0xffffffffffffffff, 1, 0x8000000000000000, 2,
		0x7fffffffffffffff };
	struct lab *lab = *state;
	uint64_t last = 0, count;
	bool existed;

	open_it(lab, NULL);
	for (size_t i = 0; i < 5; i++) {
		lab->device = a_device(euis[i]);
		devices_add(lab->db, &lab->device, false, &existed, NULL);
	}
	assert_int_equal(devices_count(lab->db, &count, NULL), 0);
	assert_int_equal(count, 5);
	assert_int_equal(devices_list(lab->db, 0, count_one, &last, NULL), 0);
	assert_int_equal(last, 0xffffffffffffffff);
	last = 1;
	assert_int_equal(devices_list(lab->db, 2, count_one, &last, NULL), 0);
}

static void refuses_a_file_of_another_program_or_version(void **state)
{
	struct lab *lab = *state;
	struct devices *db = NULL;
	struct err err = { 0 };
	FILE *f;

	assert_int_equal(devices_open(lab->path, NULL, false, &db, &err), ERR_SYSTEM);
	open_it(lab, NULL);
	devices_close(lab->db);
	lab->db = NULL;
	f = fopen(lab->path, "r+b");
	assert_non_null(f);
	fseek(f, 60, SEEK_SET); /* user_version, big-endian: database file format section 1.3 */
	fwrite("\0\0\0\x63", 1, 4, f);
	fclose(f);
	assert_int_equal(devices_open(lab->path, NULL, false, &db, &err), ERR_FORMAT);
	assert_non_null(strstr(err.msg, "schema version 99"));
	f = fopen(lab->path, "wb");
	fputs("this is not a database, and long enough to tell", f);
	fclose(f);
	assert_int_not_equal(devices_open(lab->path, NULL, false, &db, &err), 0);
	assert_null(db);
}

int main(void)
{
#define STORE_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		STORE_TEST(gives_back_a_device_as_it_was_stored),
		STORE_TEST(keeps_what_joins_move_only_after_commit),
		STORE_TEST(keeps_the_last_ten_sessions),
		STORE_TEST(gives_back_a_session_as_it_was_stored),
		STORE_TEST(accepts_nothing_for_a_device_without_state),
		STORE_TEST(remembers_nonces_of_a_removed_device_unless_told_to_forget),
		STORE_TEST(never_writes_a_key_in_clear_when_it_has_a_kek),
		STORE_TEST(lists_all_euis_in_their_order),
		STORE_TEST(refuses_a_file_of_another_program_or_version),
	};

	return cmocka_run_group_tests_name("devices", tests, NULL, NULL);
}
