/* SPDX-License-Identifier: Apache-2.0 */
#include "store/names.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/database.h"

static const struct database_kind kind = {
	.application_id = 0x53644e6d, /* "SdNm" */
	.version = 2,
	.busy_ms = DATABASE_SHARED_MS,
	.schema = "CREATE TABLE entry (owner TEXT PRIMARY KEY, name TEXT NOT NULL,"
		  " service TEXT NOT NULL, via TEXT NOT NULL, issuer TEXT NOT NULL,"
		  " key TEXT NOT NULL, days INTEGER NOT NULL, step TEXT NOT NULL,"
		  " begun INTEGER NOT NULL, changed INTEGER NOT NULL) WITHOUT ROWID;"
		  "CREATE TABLE record (owner TEXT NOT NULL, type INTEGER NOT NULL,"
		  " data BLOB NOT NULL, ttl INTEGER NOT NULL, state INTEGER NOT NULL,"
		  " since INTEGER NOT NULL, PRIMARY KEY (owner, type, data)) WITHOUT ROWID;"
		  "CREATE TABLE device (owner TEXT PRIMARY KEY, form TEXT NOT NULL,"
		  " serial TEXT NOT NULL, terms BLOB NOT NULL, data BLOB NOT NULL,"
		  " seen BLOB NOT NULL, seen_until INTEGER NOT NULL, step INTEGER NOT NULL,"
		  " cut INTEGER NOT NULL, changed INTEGER NOT NULL) WITHOUT ROWID",
};

struct names {
	struct database db;
	sqlite3_stmt *put_record, *drop_record, *pardon, *records, *owners, *put, *remove, *one,
		*all;
	char lock_path[520];
	int lock; /* -1: not held */
};

#define REVOKED "3"
static_assert(NAMES_REVOKED == 3, "as the statements have it");

#define ENTRY                                                                       \
	"SELECT owner, name, service, via, issuer, key, days, step, begun, changed" \
	" FROM entry"

static int prepare(struct names *n, struct err *err)
{
	const struct {
		sqlite3_stmt **at;
		const char *sql;
	} all[] = {
		{ &n->put_record,
			"INSERT INTO record (owner, type, data, ttl, state, since)"
			" VALUES (?1, ?2, ?3, ?4, ?5, ?6)"
			" ON CONFLICT (owner, type, data) DO UPDATE SET ttl = ?4, state = ?5,"
			" since = ?6 WHERE state <> " REVOKED },
		{ &n->drop_record,
			"DELETE FROM record WHERE owner = ?1 AND type = ?2 AND data = ?3"
			" AND state <> " REVOKED },
		{ &n->pardon,
			"DELETE FROM record WHERE owner = ?1 AND type = ?2 AND state = " REVOKED },
		{ &n->records,
			"SELECT owner, type, data, ttl, state, since FROM record"
			" WHERE owner = ?1 AND type = ?2 ORDER BY data" },
		{ &n->owners,
			"SELECT DISTINCT owner FROM record"
			" WHERE type = ?1 AND substr(data, 1, 1) = ?2 AND state <> " REVOKED
			" ORDER BY owner" },
		{ &n->put,
			"INSERT INTO entry (owner, name, service, via, issuer, key, days, step,"
			" begun, changed) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"
			" ON CONFLICT (owner) DO UPDATE SET name = ?2, service = ?3, via = ?4,"
			" issuer = ?5, key = ?6, days = ?7, step = ?8, begun = ?9,"
			" changed = ?10" },
		{ &n->remove, "DELETE FROM entry WHERE owner = ?1" },
		{ &n->one, ENTRY " WHERE owner = ?1" },
		{ &n->all, ENTRY " ORDER BY owner" },
	};
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < sizeof(all) / sizeof(all[0]); i++)
		rc = database_prepare(&n->db, all[i].sql, all[i].at, err);
	return rc;
}

int names_open(const char *state, bool create, struct names **out, struct err *err)
{
	struct names *n = calloc(1, sizeof(*n));
	char path[500];
	int rc = 0;

	if (!n)
		return err_set(err, ERR_NOMEM, "%s: no memory", state);
	n->lock = -1;
	if (snprintf(path, sizeof(path), "%s/names.db", state) >= (int)sizeof(path))
		rc = err_set(err, ERR_ARG, "%.80s...: the path is too long", state);
	else if (create && mkdir(state, 0700) != 0 && errno != EEXIST)
		rc = err_set(err, ERR_SYSTEM, "folder '%s': %s", state, strerror(errno));
	snprintf(n->lock_path, sizeof(n->lock_path), "%s.lock", path);
	rc = rc ? rc : database_open(path, &kind, create, &n->db, err);
	rc = rc ? rc : prepare(n, err);
	if (rc) {
		names_close(n);
		return rc;
	}
	*out = n;
	return 0;
}

void names_close(struct names *n)
{
	if (!n)
		return;
	names_unlock(n);
	if (n->db.handle)
		database_rollback(&n->db);
	database_close(&n->db);
	free(n);
}

struct database *names_database(struct names *n)
{
	return &n->db;
}

int names_lock(struct names *n, struct err *err)
{
	int fd = open(n->lock_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0 || flock(fd, LOCK_EX) != 0) {
		int rc = err_set(err, ERR_SYSTEM, "%s: %s", n->lock_path, strerror(errno));

		if (fd >= 0)
			close(fd);
		return rc;
	}
	n->lock = fd;
	return 0;
}

void names_unlock(struct names *n)
{
	if (n->lock >= 0)
		close(n->lock);
	n->lock = -1;
}

int names_begin(struct names *n, struct err *err)
{
	return database_begin(&n->db, err);
}

int names_commit(struct names *n, struct err *err)
{
	return database_commit(&n->db, err);
}

void names_rollback(struct names *n)
{
	database_rollback(&n->db);
}

static void bind_record(sqlite3_stmt *q, const struct names_record *r)
{
	sqlite3_bind_text(q, 1, r->owner, -1, SQLITE_STATIC);
	sqlite3_bind_int(q, 2, r->type);
	database_bind_blob(q, 3, r->rdata);
}

int names_put_record(struct names *n, const struct names_record *r, struct err *err)
{
	bind_record(n->put_record, r);
	sqlite3_bind_int64(n->put_record, 4, r->ttl_s);
	sqlite3_bind_int(n->put_record, 5, r->state);
	sqlite3_bind_int64(n->put_record, 6, r->since_s);
	return database_run(&n->db, n->put_record, err);
}

int names_drop_record(struct names *n, const struct names_record *r, struct err *err)
{
	bind_record(n->drop_record, r);
	return database_run(&n->db, n->drop_record, err);
}

int names_pardon(struct names *n, const char *owner, uint16_t type, struct err *err)
{
	sqlite3_bind_text(n->pardon, 1, owner, -1, SQLITE_STATIC);
	sqlite3_bind_int(n->pardon, 2, type);
	return database_run(&n->db, n->pardon, err);
}

int names_each_record(struct names *n, const char *owner, uint16_t type,
	int (*each)(void *arg, const struct names_record *r, struct err *err), void *arg,
	struct err *err)
{
	sqlite3_stmt *q = n->records;
	bool row = false;
	int rc;

	sqlite3_bind_text(q, 1, owner, -1, SQLITE_STATIC);
	sqlite3_bind_int(q, 2, type);
	rc = database_step(&n->db, q, &row, err);
	while (rc == 0 && row) {
		struct names_record r = { .owner = database_text(q, 0),
			.type = (uint16_t)sqlite3_column_int(q, 1),
			.rdata = database_blob(q, 2),
			.ttl_s = (uint32_t)sqlite3_column_int64(q, 3),
			.state = (enum names_state)sqlite3_column_int(q, 4),
			.since_s = sqlite3_column_int64(q, 5) };

		rc = each(arg, &r, err);
		rc = rc ? rc : database_step(&n->db, q, &row, err);
	}
	database_reset(q);
	return rc;
}

int names_each_owner(struct names *n, uint16_t type, uint8_t first,
	int (*each)(void *arg, const char *owner, struct err *err), void *arg, struct err *err)
{
	bool row = false;
	int rc;

	sqlite3_bind_int(n->owners, 1, type);
	database_bind_blob(n->owners, 2, (struct span){ &first, 1 });
	rc = database_step(&n->db, n->owners, &row, err);
	while (rc == 0 && row) {
		rc = each(arg, database_text(n->owners, 0), err);
		rc = rc ? rc : database_step(&n->db, n->owners, &row, err);
	}
	database_reset(n->owners);
	return rc;
}

int names_put(struct names *n, const struct names_entry *e, struct err *err)
{
	sqlite3_bind_text(n->put, 1, e->owner, -1, SQLITE_STATIC);
	sqlite3_bind_text(n->put, 2, e->name, -1, SQLITE_STATIC);
	sqlite3_bind_text(n->put, 3, e->service, -1, SQLITE_STATIC);
	sqlite3_bind_text(n->put, 4, e->via, -1, SQLITE_STATIC);
	sqlite3_bind_text(n->put, 5, e->issuer, -1, SQLITE_STATIC);
	sqlite3_bind_text(n->put, 6, e->key, -1, SQLITE_STATIC);
	sqlite3_bind_int64(n->put, 7, e->days);
	sqlite3_bind_text(n->put, 8, e->step, -1, SQLITE_STATIC);
	sqlite3_bind_int64(n->put, 9, e->begun_s);
	sqlite3_bind_int64(n->put, 10, e->changed_s);
	return database_run(&n->db, n->put, err);
}

int names_remove(struct names *n, const char *owner, struct err *err)
{
	sqlite3_bind_text(n->remove, 1, owner, -1, SQLITE_STATIC);
	return database_run(&n->db, n->remove, err);
}

int names_each(struct names *n, const char *owner,
	int (*each)(void *arg, const struct names_entry *e, struct err *err), void *arg,
	size_t *count, struct err *err)
{
	sqlite3_stmt *q = owner ? n->one : n->all;
	bool row = false;
	size_t seen = 0;
	int rc;

	if (owner)
		sqlite3_bind_text(q, 1, owner, -1, SQLITE_STATIC);
	rc = database_step(&n->db, q, &row, err);
	while (rc == 0 && row) {
		struct names_entry e = { .owner = database_text(q, 0),
			.name = database_text(q, 1),
			.service = database_text(q, 2),
			.via = database_text(q, 3),
			.issuer = database_text(q, 4),
			.key = database_text(q, 5),
			.days = (unsigned)sqlite3_column_int64(q, 6),
			.step = database_text(q, 7),
			.begun_s = sqlite3_column_int64(q, 8),
			.changed_s = sqlite3_column_int64(q, 9) };

		seen++;
		rc = each(arg, &e, err);
		rc = rc ? rc : database_step(&n->db, q, &row, err);
	}
	database_reset(q);
	if (rc == 0 && count)
		*count = seen;
	return rc;
}
