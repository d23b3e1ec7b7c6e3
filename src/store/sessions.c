/* SPDX-License-Identifier: Apache-2.0 */
#include "store/sessions.h"

#include <stdlib.h>

#include "store/database.h"

static const struct database_kind kind = {
	.application_id = 0x53644e53, /* "SdNS" */
	.version = 3,
	.schema = "CREATE TABLE session (dev_eui INTEGER NOT NULL, join_eui INTEGER NOT NULL,"
		  " slot INTEGER NOT NULL, state BLOB NOT NULL,"
		  " PRIMARY KEY (dev_eui, join_eui, slot)) WITHOUT ROWID;"
		  "CREATE TABLE waiting (id INTEGER PRIMARY KEY, dev_eui INTEGER NOT NULL,"
		  " f_cnt INTEGER NOT NULL, as_url TEXT NOT NULL, as_id TEXT NOT NULL,"
		  " expires INTEGER NOT NULL, body BLOB NOT NULL)",
};

struct sessions {
	struct database db;
	sqlite3_stmt *put, *remove, *each, *keep, *done, *waiting;
};

int sessions_open(const char *path, struct sessions **out, struct err *err)
{
	struct sessions *s = calloc(1, sizeof(*s));
	int rc;

	if (!s)
		return err_set(err, ERR_NOMEM, "%s: no memory", path);
	rc = database_open(path, &kind, true, &s->db, err);
	rc = rc ? rc
		: database_prepare(&s->db,
			  "INSERT INTO session (dev_eui, join_eui, slot, state)"
			  " VALUES (?1, ?2, ?3, ?4)"
			  " ON CONFLICT (dev_eui, join_eui, slot) DO UPDATE SET state = ?4",
			  &s->put, err);
	rc = rc ? rc
		: database_prepare(&s->db,
			  "DELETE FROM session WHERE dev_eui = ?1 AND join_eui = ?2"
			  " AND slot = ?3",
			  &s->remove, err);
	rc = rc ? rc : database_prepare(&s->db, "SELECT state FROM session", &s->each, err);
	rc = rc ? rc
		: database_prepare(&s->db,
			  "INSERT INTO waiting VALUES (NULL, ?1, ?2, ?3, ?4, ?5, ?6)", &s->keep,
			  err);
	rc = rc ? rc : database_prepare(&s->db, "DELETE FROM waiting WHERE id = ?1", &s->done, err);
	rc = rc ? rc
		: database_prepare(&s->db,
			  "SELECT id, dev_eui, f_cnt, as_url, as_id, expires, body FROM waiting"
			  " ORDER BY id",
			  &s->waiting, err);
	if (rc) {
		sessions_close(s);
		return rc;
	}
	*out = s;
	return 0;
}

void sessions_close(struct sessions *s)
{
	if (!s)
		return;
	if (s->db.handle)
		database_rollback(&s->db);
	database_close(&s->db);
	free(s);
}

int sessions_begin(struct sessions *s, struct err *err)
{
	return database_begin(&s->db, err);
}

int sessions_commit(struct sessions *s, struct err *err)
{
	return database_commit(&s->db, err);
}

void sessions_rollback(struct sessions *s)
{
	database_rollback(&s->db);
}

static void bind_key(sqlite3_stmt *q, uint64_t dev_eui, uint64_t join_eui, unsigned slot)
{
	sqlite3_bind_int64(q, 1, (int64_t)dev_eui);
	sqlite3_bind_int64(q, 2, (int64_t)join_eui);
	sqlite3_bind_int(q, 3, (int)slot);
}

int sessions_put(struct sessions *s, uint64_t dev_eui, uint64_t join_eui, unsigned slot,
	struct span blob, struct err *err)
{
	bind_key(s->put, dev_eui, join_eui, slot);
	database_bind_blob(s->put, 4, blob);
	return database_run(&s->db, s->put, err);
}

int sessions_remove(struct sessions *s, uint64_t dev_eui, uint64_t join_eui, unsigned slot,
	struct err *err)
{
	bind_key(s->remove, dev_eui, join_eui, slot);
	return database_run(&s->db, s->remove, err);
}

int sessions_each(struct sessions *s, int (*each)(void *arg, struct span blob, struct err *err),
	void *arg, struct err *err)
{
	bool row = false;
	int rc = database_step(&s->db, s->each, &row, err);

	while (rc == 0 && row) {
		rc = each(arg, database_blob(s->each, 0), err);
		if (rc == 0)
			rc = database_step(&s->db, s->each, &row, err);
	}
	database_reset(s->each);
	return rc;
}

int sessions_keep(struct sessions *s, const struct sessions_message *m, int64_t *id,
	struct err *err)
{
	int rc;

	sqlite3_bind_int64(s->keep, 1, (int64_t)m->dev_eui);
	sqlite3_bind_int64(s->keep, 2, m->f_cnt);
	sqlite3_bind_text(s->keep, 3, m->as_url, -1, SQLITE_STATIC);
	sqlite3_bind_text(s->keep, 4, m->as_id, -1, SQLITE_STATIC);
	sqlite3_bind_int64(s->keep, 5, m->expires_ms);
	database_bind_blob(s->keep, 6, m->body);
	rc = database_run(&s->db, s->keep, err);
	if (rc == 0)
		*id = sqlite3_last_insert_rowid(s->db.handle);
	return rc;
}

int sessions_done(struct sessions *s, int64_t id, struct err *err)
{
	sqlite3_bind_int64(s->done, 1, id);
	return database_run(&s->db, s->done, err);
}

int sessions_waiting(struct sessions *s,
	int (*each)(void *arg, const struct sessions_message *m, struct err *err), void *arg,
	struct err *err)
{
	sqlite3_stmt *q = s->waiting;
	bool row = false;
	int rc = database_step(&s->db, q, &row, err);

	while (rc == 0 && row) {
		struct sessions_message m = { .id = sqlite3_column_int64(q, 0),
			.dev_eui = (uint64_t)sqlite3_column_int64(q, 1),
			.f_cnt = (uint32_t)sqlite3_column_int64(q, 2),
			.as_url = database_text(q, 3),
			.as_id = database_text(q, 4),
			.expires_ms = sqlite3_column_int64(q, 5),
			.body = database_blob(q, 6) };

		rc = each(arg, &m, err);
		rc = rc ? rc : database_step(&s->db, q, &row, err);
	}
	database_reset(q);
	return rc;
}
