/* SPDX-License-Identifier: Apache-2.0 */
#include "store/sessions.h"

#include <stdlib.h>

#include "store/database.h"

static const struct database_kind kind = {
	.application_id = 0x53644e53, /* "SdNS" */
	.version = 2,
	.schema = "CREATE TABLE session (dev_eui INTEGER NOT NULL, join_eui INTEGER NOT NULL,"
		  " slot INTEGER NOT NULL, state BLOB NOT NULL,"
		  " PRIMARY KEY (dev_eui, join_eui, slot)) WITHOUT ROWID",
};

struct sessions {
	struct database db;
	sqlite3_stmt *put, *remove, *each;
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
