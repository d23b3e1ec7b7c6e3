/* SPDX-License-Identifier: Apache-2.0 */
#include "store/ledger.h"

#include <stdlib.h>
#include <string.h>

#include "core/buf.h"
#include "store/database.h"

/* "SDca" */
#define APPLICATION_ID 0x53446361

#define AUTOCHECKPOINT 1000 /* pages, as SQLite has it of itself */

static const struct database_kind kind = {
	.application_id = APPLICATION_ID,
	.version = 2,
	.busy_ms = DATABASE_SHARED_MS,
	.schema = "CREATE TABLE certificate("
		  " serial TEXT PRIMARY KEY, issuer TEXT NOT NULL, subject TEXT NOT NULL,"
		  " names TEXT NOT NULL, profile TEXT NOT NULL, prefix TEXT NOT NULL,"
		  " not_before INTEGER NOT NULL, not_after INTEGER NOT NULL,"
		  " issued_at INTEGER NOT NULL, revoked_at INTEGER NOT NULL DEFAULT 0,"
		  " reason INTEGER NOT NULL DEFAULT 0, state INTEGER NOT NULL, der BLOB NOT NULL"
		  ");"
		  "CREATE INDEX certificate_end ON certificate(not_after);"
		  "CREATE INDEX certificate_open ON certificate(state) WHERE state = 0;"
		  "CREATE INDEX certificate_revoked ON certificate(issuer, revoked_at)"
		  " WHERE revoked_at <> 0;"
		  "CREATE TABLE name(serial TEXT NOT NULL, name TEXT NOT NULL,"
		  " PRIMARY KEY(name, serial)) WITHOUT ROWID;"
		  "CREATE TABLE crl(issuer TEXT NOT NULL, number INTEGER NOT NULL,"
		  " this_update INTEGER NOT NULL, PRIMARY KEY(issuer, number)) WITHOUT ROWID;",
};

struct ledger {
	struct database db;
	sqlite3_stmt *add, *add_name, *settle, *revoke, *find;
};

#define COLUMNS                                                                              \
	"serial, issuer, subject, names, profile, prefix, not_before, not_after, issued_at," \
	" revoked_at, reason, state, der"

static int prepare(struct ledger *l, struct err *err)
{
	const struct {
		sqlite3_stmt **out;
		const char *sql;
	} rows[] = {
		{ &l->add,
			"INSERT INTO certificate(" COLUMNS
			") VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13)" },
		{ &l->add_name, "INSERT OR IGNORE INTO name VALUES(?1,?2)" },
		{ &l->settle, "UPDATE certificate SET state=?2 WHERE serial=?1" },
		{ &l->revoke,
			"UPDATE certificate SET revoked_at=?2, reason=?3 "
			"WHERE serial=?1 AND revoked_at=0" },
		{ &l->find, "SELECT revoked_at FROM certificate WHERE serial=?1" },
	};
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < sizeof(rows) / sizeof(rows[0]); i++)
		rc = database_prepare(&l->db, rows[i].sql, rows[i].out, err);
	return rc;
}

int ledger_open(const char *path, struct ledger **out, struct err *err)
{
	struct ledger *l = calloc(1, sizeof(*l));
	int rc;

	if (!l)
		return err_set(err, ERR_NOMEM, "%s: out of memory", path);
	rc = database_open(path, &kind, true, &l->db, err);
	if (rc == 0)
		rc = prepare(l, err);
	if (rc == 0)
		*out = l;
	else
		ledger_close(l);
	return rc;
}

void ledger_close(struct ledger *l)
{
	if (!l)
		return;
	database_close(&l->db);
	free(l);
}

static void bind_text(sqlite3_stmt *s, int at, const char *text)
{
	sqlite3_bind_text(s, at, text, -1, SQLITE_STATIC);
}

/* One name alone is found where it stands. */
static int add_names(struct ledger *l, const struct ledger_entry *e, struct err *err)
{
	const char *p = e->names;
	int rc = 0;

	while (rc == 0 && *p && strchr(e->names, ' ')) {
		size_t n = strcspn(p, " ");

		bind_text(l->add_name, 1, e->serial);
		sqlite3_bind_text(l->add_name, 2, p, (int)n, SQLITE_STATIC);
		rc = database_run(&l->db, l->add_name, err);
		p += n + strspn(p + n, " ");
	}
	return rc;
}

int ledger_begin(struct ledger *l, struct err *err)
{
	return database_begin(&l->db, err);
}

int ledger_commit(struct ledger *l, struct err *err)
{
	int rc = database_commit(&l->db, err);

	if (rc != 0)
		database_rollback(&l->db);
	return rc;
}

void ledger_rollback(struct ledger *l)
{
	database_rollback(&l->db);
}

void ledger_hold(struct ledger *l, bool hold)
{
	sqlite3_wal_autocheckpoint(l->db.handle, hold ? 0 : AUTOCHECKPOINT);
}

/* What cannot be moved now, as somebody reads it, is moved later. */
void ledger_tidy(struct ledger *l)
{
	sqlite3_wal_checkpoint_v2(l->db.handle, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
}

static int add(struct ledger *l, const struct ledger_entry *e, struct err *err)
{
	int rc;

	bind_text(l->add, 1, e->serial);
	bind_text(l->add, 2, e->issuer);
	bind_text(l->add, 3, e->subject);
	bind_text(l->add, 4, e->names);
	bind_text(l->add, 5, e->profile);
	bind_text(l->add, 6, e->prefix);
	sqlite3_bind_int64(l->add, 7, e->not_before);
	sqlite3_bind_int64(l->add, 8, e->not_after);
	sqlite3_bind_int64(l->add, 9, e->issued_at);
	sqlite3_bind_int64(l->add, 10, e->revoked_at);
	sqlite3_bind_int(l->add, 11, e->reason);
	sqlite3_bind_int(l->add, 12, (int)e->state);
	database_bind_blob(l->add, 13, e->der);
	rc = database_run(&l->db, l->add, err);
	return rc == 0 ? add_names(l, e, err) : rc;
}

int ledger_add(struct ledger *l, const struct ledger_entry *e, struct err *err)
{
	bool alone = sqlite3_get_autocommit(l->db.handle) != 0;
	int rc = alone ? ledger_begin(l, err) : 0;

	if (rc != 0)
		return rc;
	rc = add(l, e, err);
	if (rc == 0 && alone)
		return ledger_commit(l, err);
	if (rc != 0)
		database_rollback(&l->db);
	return rc;
}

int ledger_settle(struct ledger *l, const char *serial, enum ledger_state state, struct err *err)
{
	bind_text(l->settle, 1, serial);
	sqlite3_bind_int(l->settle, 2, (int)state);
	return database_run(&l->db, l->settle, err);
}

int ledger_revoke(struct ledger *l, const char *serial, int64_t at, int reason,
	enum ledger_answer *out, struct err *err)
{
	bool known = false;
	int rc = database_begin(&l->db, err);

	if (rc != 0)
		return rc;
	bind_text(l->revoke, 1, serial);
	sqlite3_bind_int64(l->revoke, 2, at);
	sqlite3_bind_int(l->revoke, 3, reason);
	rc = database_run(&l->db, l->revoke, err);
	*out = sqlite3_changes(l->db.handle) > 0 ? LEDGER_REVOKED : LEDGER_ALREADY;
	bind_text(l->find, 1, serial);
	if (rc == 0)
		rc = database_step(&l->db, l->find, &known, err);
	database_reset(l->find);
	if (rc == 0)
		rc = database_commit(&l->db, err);
	if (rc != 0)
		database_rollback(&l->db);
	if (!known)
		*out = LEDGER_UNKNOWN;
	return rc;
}

static void read_entry(sqlite3_stmt *s, struct ledger_entry *e)
{
	e->serial = database_text(s, 0);
	e->issuer = database_text(s, 1);
	e->subject = database_text(s, 2);
	e->names = database_text(s, 3);
	e->profile = database_text(s, 4);
	e->prefix = database_text(s, 5);
	e->not_before = sqlite3_column_int64(s, 6);
	e->not_after = sqlite3_column_int64(s, 7);
	e->issued_at = sqlite3_column_int64(s, 8);
	e->revoked_at = sqlite3_column_int64(s, 9);
	e->reason = sqlite3_column_int(s, 10);
	e->state = (enum ledger_state)sqlite3_column_int(s, 11);
	e->der = database_blob(s, 12);
}

/* Only the clauses that are wanted, so that each finds its index. */
static void put_select(struct buf *sql, const struct ledger_filter *f)
{
	buf_text(sql, "SELECT " COLUMNS " FROM certificate c WHERE ");
	buf_text(sql, f->signed_only ? "state=0" : "state<>2");
	buf_text(sql, f->serial ? " AND serial=?1" : "");
	buf_text(sql, f->issuer ? " AND issuer=?2" : "");
	buf_text(sql,
		f->name ? " AND ((instr(names, ' ')=0 AND names GLOB ?3)"
			  " OR lower(subject) GLOB ?3 OR serial IN"
			  " (SELECT serial FROM name WHERE name GLOB ?3))"
			: "");
	buf_text(sql, f->expires_before ? " AND not_after<?4" : "");
	buf_text(sql, f->revoked ? " AND revoked_at<>0" : "");
	buf_text(sql, " ORDER BY not_after, serial");
}

static int prepare_select(struct ledger *l, const struct ledger_filter *f, sqlite3_stmt **out,
	struct err *err)
{
	struct buf sql = { 0 };
	sqlite3_stmt *s = NULL;
	int rc;

	put_select(&sql, f);
	rc = buf_ok(&sql) ? database_prepare(&l->db, buf_string(&sql), &s, err)
			  : err_set(err, ERR_NOMEM, "%s: out of memory", l->db.path);
	buf_done(&sql);
	if (rc != 0)
		return rc;
	if (f->serial)
		bind_text(s, 1, f->serial);
	if (f->issuer)
		bind_text(s, 2, f->issuer);
	if (f->name)
		bind_text(s, 3, f->name);
	if (f->expires_before)
		sqlite3_bind_int64(s, 4, f->expires_before);
	*out = s;
	return 0;
}

int ledger_each(struct ledger *l, const struct ledger_filter *f,
	bool (*each)(void *arg, const struct ledger_entry *entry), void *arg, struct err *err)
{
	struct ledger_entry e;
	sqlite3_stmt *s;
	bool row = true, go_on = true;
	int rc = prepare_select(l, f, &s, err);

	if (rc != 0)
		return rc;
	while (rc == 0 && row && go_on) {
		rc = database_step(&l->db, s, &row, err);
		if (rc == 0 && row) {
			read_entry(s, &e);
			go_on = each(arg, &e);
		}
	}
	sqlite3_finalize(s);
	return rc;
}

int ledger_last_crl(struct ledger *l, const char *issuer, struct ledger_crl *out, struct err *err)
{
	struct ledger_crl crl = { 0 };
	sqlite3_stmt *s;
	bool row = false;
	int rc = database_prepare(&l->db,
		"SELECT number, this_update FROM crl WHERE issuer=?1 ORDER BY number DESC LIMIT 1",
		&s, err);

	if (rc != 0)
		return rc;
	bind_text(s, 1, issuer);
	rc = database_step(&l->db, s, &row, err);
	if (rc == 0 && row) {
		crl.number = (uint64_t)sqlite3_column_int64(s, 0);
		crl.this_update = sqlite3_column_int64(s, 1);
	}
	sqlite3_finalize(s);
	if (rc == 0)
		*out = crl;
	return rc;
}

int ledger_next_crl(struct ledger *l, const char *issuer, int64_t this_update, uint64_t *number,
	struct err *err)
{
	struct ledger_crl last;
	sqlite3_stmt *s = NULL;
	int rc = database_begin(&l->db, err);

	if (rc == 0)
		rc = ledger_last_crl(l, issuer, &last, err);
	if (rc == 0)
		rc = database_prepare(&l->db, "INSERT INTO crl VALUES(?1,?2,?3)", &s, err);
	if (rc == 0) {
		bind_text(s, 1, issuer);
		sqlite3_bind_int64(s, 2, (sqlite3_int64)last.number + 1);
		sqlite3_bind_int64(s, 3, this_update);
		rc = database_run(&l->db, s, err);
	}
	sqlite3_finalize(s);
	if (rc == 0)
		rc = database_commit(&l->db, err);
	if (rc != 0)
		database_rollback(&l->db);
	else
		*number = last.number + 1;
	return rc;
}

int ledger_count(struct ledger *l, const char *issuer, int64_t now, struct ledger_counts *out,
	struct err *err)
{
	sqlite3_stmt *s;
	bool row = false;
	int rc = database_prepare(&l->db,
		"SELECT count(*), sum(revoked_at<>0), sum(not_after<?2) FROM certificate"
		" WHERE issuer=?1 AND state<>2",
		&s, err);

	if (rc != 0)
		return rc;
	bind_text(s, 1, issuer);
	sqlite3_bind_int64(s, 2, now);
	rc = database_step(&l->db, s, &row, err);
	if (rc == 0)
		*out = (struct ledger_counts){ (uint64_t)sqlite3_column_int64(s, 0),
			(uint64_t)sqlite3_column_int64(s, 1),
			(uint64_t)sqlite3_column_int64(s, 2) };
	sqlite3_finalize(s);
	return rc;
}
