/* SPDX-License-Identifier: Apache-2.0 */
#include "store/database.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "check.h"

static const struct database_kind kind = { 0x54455354, 1, "CREATE TABLE t (x)" };

static struct database db;
static char folder[64];

static int set_up(void **state)
{
	char path[96];

	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/sardane-database-XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/db", folder);
	return database_open(path, &kind, true, &db, NULL);
}

static int tear_down(void **state)
{
	char path[96];

	(void)state;
	database_close(&db);
	snprintf(path, sizeof(path), "%s/db", folder);
	unlink(path);
	return rmdir(folder);
}

static int rows(void)
{
	sqlite3_stmt *s;
	bool row;
	int n;

	assert_int_equal(database_prepare(&db, "SELECT count(*) FROM t", &s, NULL), 0);
	assert_int_equal(database_step(&db, s, &row, NULL), 0);
	n = sqlite3_column_int(s, 0);
	sqlite3_finalize(s);
	return n;
}

static int put(void)
{
	sqlite3_stmt *s;
	int rc;

	assert_int_equal(database_prepare(&db, "INSERT INTO t VALUES (1)", &s, NULL), 0);
	rc = database_run(&db, s, NULL);
	sqlite3_finalize(s);
	return rc;
}

static void keeps_what_was_committed_and_nothing_else(void **state)
{
	(void)state;
	assert_int_equal(database_begin(&db, NULL), 0);
	assert_int_equal(put(), 0);
	database_rollback(&db);
	assert_int_equal(rows(), 0);
	assert_int_equal(database_begin(&db, NULL), 0);
	assert_int_equal(put(), 0);
	assert_int_equal(database_commit(&db, NULL), 0);
	assert_int_equal(rows(), 1);
	database_rollback(&db);
	assert_int_equal(put(), 0);
	assert_int_equal(rows(), 2);
}

/* As SQLite does by itself when memory or the disk runs out. */
static void what_follows_a_lost_transaction_is_not_written(void **state)
{
	(void)state;
	assert_int_equal(database_begin(&db, NULL), 0);
	assert_int_equal(put(), 0);
	assert_int_equal(sqlite3_exec(db.handle, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(put(), ERR_SYSTEM);
	assert_int_equal(database_commit(&db, NULL), ERR_SYSTEM);
	database_rollback(&db);
	assert_int_equal(rows(), 0);
	assert_int_equal(database_begin(&db, NULL), 0);
	assert_int_equal(put(), 0);
	assert_int_equal(database_commit(&db, NULL), 0);
	assert_int_equal(rows(), 1);
}

static void a_transaction_left_open_keeps_no_other_out(void **state)
{
	(void)state;
	assert_int_equal(database_begin(&db, NULL), 0);
	assert_int_equal(put(), 0);
	assert_int_equal(database_begin(&db, NULL), 0);
	assert_int_equal(put(), 0);
	assert_int_equal(database_commit(&db, NULL), 0);
	assert_int_equal(rows(), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(keeps_what_was_committed_and_nothing_else, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(what_follows_a_lost_transaction_is_not_written,
			set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_transaction_left_open_keeps_no_other_out, set_up,
			tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
