/* SPDX-License-Identifier: Apache-2.0 */
/*
 * database - one SQLite file: opened safely, prepared statements, transactions that last.
 *
 *   Durable    write-ahead log with synchronous=FULL: when database_commit returns 0 the
 *              transaction is on the disk.
 *   Checkpoint every 4,000 pages (16 MB): a page that many transactions change is then copied
 *              back once for all of them, in a quarter of the syncs of SQLite's own 1,000.
 *   Sharing    other processes may write at the same time; we wait up to 5 s for our turn.
 *   File       created with mode 0600, also its -wal and -shm.
 *   Threads    one at a time.
 *   Ownership  database_open gives, database_close takes; statements are finalised there.
 *   Errors     ERR_SYSTEM with SQLite's words after ours.
 */
#ifndef STORE_DATABASE_H
#define STORE_DATABASE_H

#include <sqlite3.h>
#include <stdbool.h>

#include "base/cursor.h"
#include "core/err.h"

#define DATABASE_BUSY_MS 5000
/* SQLite's lock is not fair: of several commands on a busy machine one may wait for many turns. */
#define DATABASE_SHARED_MS 30000

struct database {
	sqlite3 *handle;
	sqlite3_stmt *begin, *commit, *rollback;
	bool begun; /* between database_begin and its commit or rollback */
	char path[512];
};

struct database_kind {
	int application_id; /* PRAGMA application_id, so a file of another program is refused */
	int version;        /* of the schema; another one is refused */
	const char *schema; /* SQL that makes an empty file one of ours */
	int busy_ms;        /* how long another writer is waited for; 0: DATABASE_BUSY_MS */
};

/* create: make the file if there is none. */
int database_open(const char *path, const struct database_kind *kind, bool create,
	struct database *out, struct err *err);
void database_close(struct database *db); /* accepts { 0 } */

/* PRAGMA quick_check: ERR_SYSTEM with its first complaint. */
int database_check(struct database *db, struct err *err);

int database_prepare(struct database *db, const char *sql, sqlite3_stmt **out, struct err *err);
int database_exec(struct database *db, const char *sql, struct err *err);

/* IMMEDIATE: takes the write lock at once, so what is read stays true until commit. */
int database_begin(struct database *db, struct err *err);
int database_commit(struct database *db, struct err *err);
void database_rollback(struct database *db); /* nothing when there is no transaction */

/* Runs a bound statement that gives no rows; resets it and forgets its bindings. */
int database_run(struct database *db, sqlite3_stmt *s, struct err *err);
/*
 * One row: *row tells if there is one. The statement must be reset by database_reset.
 * When SQLite gave the transaction up (no memory, disk full), all that follows in it fails.
 */
int database_step(struct database *db, sqlite3_stmt *s, bool *row, struct err *err);
void database_reset(sqlite3_stmt *s);

/* Sets words "PATH: SQLite's message". */
int database_fail(struct database *db, struct err *err);

void database_bind_blob(sqlite3_stmt *s, int at, struct span octets); /* borrowed until reset */
struct span database_blob(sqlite3_stmt *s, int column); /* until the next step or reset */
const char *database_text(sqlite3_stmt *s, int column); /* likewise; never NULL */

#endif
