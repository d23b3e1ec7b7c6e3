/* SPDX-License-Identifier: Apache-2.0 */
#include "store/database.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int database_fail(struct database *db, struct err *err)
{
	return err_set(err, ERR_SYSTEM, "%s: %s", db->path, sqlite3_errmsg(db->handle));
}

int database_exec(struct database *db, const char *sql, struct err *err)
{
	return sqlite3_exec(db->handle, sql, NULL, NULL, NULL) == SQLITE_OK
		? 0
		: database_fail(db, err);
}

int database_prepare(struct database *db, const char *sql, sqlite3_stmt **out, struct err *err)
{
	return sqlite3_prepare_v3(db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, out, NULL) ==
			SQLITE_OK
		? 0
		: database_fail(db, err);
}

/* The first column of the first row, as a number. */
static int ask_number(struct database *db, const char *sql, int *out, struct err *err)
{
	sqlite3_stmt *s;
	int rc = database_prepare(db, sql, &s, err);

	if (rc)
		return rc;
	if (sqlite3_step(s) == SQLITE_ROW)
		*out = sqlite3_column_int(s, 0);
	else
		rc = database_fail(db, err);
	sqlite3_finalize(s);
	return rc;
}

/* Is it ours, and of this version? *empty: it is nobody's yet. */
static int check_kind(struct database *db, const struct database_kind *kind, bool *empty,
	struct err *err)
{
	int id = 0, version = 0, pages = 0, rc;

	rc = ask_number(db, "PRAGMA application_id", &id, err);
	rc = rc ? rc : ask_number(db, "PRAGMA user_version", &version, err);
	rc = rc ? rc : ask_number(db, "SELECT count(*) FROM sqlite_master", &pages, err);
	if (rc)
		return rc;
	*empty = !pages && !id && !version;
	if (*empty)
		return 0;
	if (id != kind->application_id)
		return err_set(err, ERR_FORMAT, "%s: a database of another program", db->path);
	if (version != kind->version)
		return err_set(err, ERR_FORMAT, "%s: schema version %d, this program knows %d",
			db->path, version, kind->version);
	return 0;
}

/* Another process may have been faster. */
static int make_ours(struct database *db, const struct database_kind *kind, struct err *err)
{
	bool empty = false;
	char sql[96];
	int rc = database_begin(db, err);

	snprintf(sql, sizeof(sql), "PRAGMA application_id=%d;PRAGMA user_version=%d",
		kind->application_id, kind->version);
	rc = rc ? rc : check_kind(db, kind, &empty, err);
	if (!rc && empty)
		rc = database_exec(db, kind->schema, err);
	if (!rc && empty)
		rc = database_exec(db, sql, err);
	rc = rc ? rc : database_commit(db, err);
	if (rc)
		database_rollback(db);
	return rc;
}

/* Of one moment, and without the lock of writers: those who open it may be many. */
static int look_at_kind(struct database *db, const struct database_kind *kind, bool *empty,
	struct err *err)
{
	int rc = database_exec(db, "BEGIN", err);

	rc = rc ? rc : check_kind(db, kind, empty, err);
	rc = rc ? rc : database_exec(db, "COMMIT", err);
	if (rc)
		database_rollback(db);
	return rc;
}

static int prepare_file(const char *path, bool create, struct err *err)
{
	int fd = open(path, O_RDWR | O_CLOEXEC | (create ? O_CREAT : 0), 0600);

	if (fd < 0)
		return err_set(err, ERR_SYSTEM, "%s: %s", path, strerror(errno));
	close(fd);
	return 0;
}

static int set_up(struct database *db, const struct database_kind *kind, struct err *err)
{
	bool empty = false;
	int rc;

	sqlite3_busy_timeout(db->handle, kind->busy_ms ? kind->busy_ms : DATABASE_BUSY_MS);
	sqlite3_extended_result_codes(db->handle, 1);
	rc = database_exec(db,
		"PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA trusted_schema=OFF;"
		"PRAGMA secure_delete=FAST; PRAGMA cache_size=-8192; PRAGMA foreign_keys=ON;"
		"PRAGMA wal_autocheckpoint=4000",
		err);
	rc = rc ? rc : database_prepare(db, "BEGIN IMMEDIATE", &db->begin, err);
	rc = rc ? rc : database_prepare(db, "COMMIT", &db->commit, err);
	rc = rc ? rc : database_prepare(db, "ROLLBACK", &db->rollback, err);
	rc = rc ? rc : look_at_kind(db, kind, &empty, err);
	return !rc && empty ? make_ours(db, kind, err) : rc;
}

int database_open(const char *path, const struct database_kind *kind, bool create,
	struct database *out, struct err *err)
{
	struct database db = { 0 };
	int rc;

	if (strlen(path) >= sizeof(db.path))
		return err_set(err, ERR_ARG, "%s: path too long", path);
	strcpy(db.path, path);
	rc = prepare_file(path, create, err);
	if (rc)
		return rc;
	if (sqlite3_open_v2(path, &db.handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) !=
		SQLITE_OK)
		rc = database_fail(&db, err);
	else
		rc = set_up(&db, kind, err);
	if (rc)
		database_close(&db);
	else
		*out = db;
	return rc;
}

void database_close(struct database *db)
{
	sqlite3_stmt *s;

	while (db->handle && (s = sqlite3_next_stmt(db->handle, NULL)))
		sqlite3_finalize(s);
	sqlite3_close(db->handle);
	*db = (struct database){ 0 };
}

int database_check(struct database *db, struct err *err)
{
	sqlite3_stmt *s;
	int rc = database_prepare(db, "PRAGMA quick_check(1)", &s, err);

	if (rc)
		return rc;
	if (sqlite3_step(s) != SQLITE_ROW)
		rc = database_fail(db, err);
	else if (strcmp(database_text(s, 0), "ok") != 0)
		rc = err_set(err, ERR_SYSTEM, "%s: damaged: %s", db->path, database_text(s, 0));
	sqlite3_finalize(s);
	return rc;
}

int database_begin(struct database *db, struct err *err)
{
	int rc;

	/* One that could not be rolled back: there was no memory even for that. */
	database_rollback(db);
	rc = database_run(db, db->begin, err);
	db->begun = rc == 0;
	return rc;
}

int database_commit(struct database *db, struct err *err)
{
	int rc = database_run(db, db->commit, err);

	if (!rc)
		db->begun = false;
	return rc;
}

void database_rollback(struct database *db)
{
	db->begun = false;
	if (db->rollback && !sqlite3_get_autocommit(db->handle))
		database_run(db, db->rollback, NULL);
}

int database_step(struct database *db, sqlite3_stmt *s, bool *row, struct err *err)
{
	int got;

	/* Not outside of it: each statement would be on the disk by itself. */
	if (db->begun && sqlite3_get_autocommit(db->handle)) {
		database_reset(s);
		return err_set(err, ERR_SYSTEM, "%s: the transaction was lost", db->path);
	}
	got = sqlite3_step(s);
	if (got != SQLITE_ROW && got != SQLITE_DONE) {
		int rc = database_fail(db, err);

		database_reset(s);
		return rc;
	}
	*row = got == SQLITE_ROW;
	return 0;
}

int database_run(struct database *db, sqlite3_stmt *s, struct err *err)
{
	bool row;
	int rc = database_step(db, s, &row, err);

	database_reset(s);
	return rc;
}

void database_reset(sqlite3_stmt *s)
{
	sqlite3_reset(s);
	sqlite3_clear_bindings(s);
}

void database_bind_blob(sqlite3_stmt *s, int at, struct span octets)
{
	if (octets.n)
		sqlite3_bind_blob(s, at, octets.p, (int)octets.n, SQLITE_STATIC);
	else
		sqlite3_bind_zeroblob(s, at, 0);
}

struct span database_blob(sqlite3_stmt *s, int column)
{
	const void *p = sqlite3_column_blob(s, column);

	return (struct span){ p, (size_t)sqlite3_column_bytes(s, column) };
}

const char *database_text(sqlite3_stmt *s, int column)
{
	const char *text = (const char *)sqlite3_column_text(s, column);

	return text ? text : "";
}
