/* SPDX-License-Identifier: Apache-2.0 */
#include "store/fleetbook.h"

#include <stdlib.h>
#include <time.h>

#include "store/database.h"

struct fleetbook {
	struct database *db;
	sqlite3_stmt *put, *see, *cut, *one, *all;
};

#define DEVICE "SELECT owner, form, serial, terms, data, seen, seen_until, step, cut FROM device"

int fleetbook_open(struct names *names, struct fleetbook **out, struct err *err)
{
	struct fleetbook *b = calloc(1, sizeof(*b));
	const struct {
		sqlite3_stmt **at;
		const char *sql;
	} rows[] = {
		{ b ? &b->put : NULL,
			"INSERT INTO device (owner, form, serial, terms, data, seen, seen_until,"
			" step, cut, changed) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"
			" ON CONFLICT (owner) DO UPDATE SET form = ?2, serial = ?3, terms = ?4,"
			" data = ?5, seen = ?6, seen_until = ?7, step = ?8, changed = ?10" },
		{ b ? &b->see : NULL,
			"UPDATE device SET step = ?2, changed = ?3, seen = ?4, seen_until = ?5"
			" WHERE owner = ?1" },
		{ b ? &b->cut : NULL,
			"UPDATE device SET step = ?2, changed = ?3, cut = ?4, seen = x'',"
			" seen_until = 0 WHERE owner = ?1" },
		{ b ? &b->one : NULL, DEVICE " WHERE owner = ?1" },
		{ b ? &b->all : NULL, DEVICE " ORDER BY owner" },
	};
	int rc = 0;

	if (!b)
		return err_set(err, ERR_NOMEM, "fleet: no memory");
	b->db = names_database(names);
	for (size_t i = 0; rc == 0 && i < sizeof(rows) / sizeof(rows[0]); i++)
		rc = database_prepare(b->db, rows[i].sql, rows[i].at, err);
	if (rc != 0)
		fleetbook_close(b);
	else
		*out = b;
	return rc;
}

void fleetbook_close(struct fleetbook *b)
{
	if (!b)
		return;
	sqlite3_finalize(b->put);
	sqlite3_finalize(b->see);
	sqlite3_finalize(b->cut);
	sqlite3_finalize(b->one);
	sqlite3_finalize(b->all);
	free(b);
}

static void bind_text(sqlite3_stmt *s, int at, const char *text)
{
	sqlite3_bind_text(s, at, text, -1, SQLITE_STATIC);
}

int fleetbook_put(struct fleetbook *b, const struct fleetbook_device *d, struct err *err)
{
	bind_text(b->put, 1, d->owner);
	bind_text(b->put, 2, d->form);
	bind_text(b->put, 3, d->serial);
	database_bind_blob(b->put, 4, d->terms);
	database_bind_blob(b->put, 5, d->data);
	database_bind_blob(b->put, 6, d->seen);
	sqlite3_bind_int64(b->put, 7, d->seen_until_s);
	sqlite3_bind_int(b->put, 8, d->step);
	sqlite3_bind_int(b->put, 9, d->cut);
	sqlite3_bind_int64(b->put, 10, time(NULL));
	return database_run(b->db, b->put, err);
}

static void bind_step(sqlite3_stmt *s, const char *owner, int step)
{
	bind_text(s, 1, owner);
	sqlite3_bind_int(s, 2, step);
	sqlite3_bind_int64(s, 3, time(NULL));
}

int fleetbook_see(struct fleetbook *b, const char *owner, int step, struct span seen,
	int64_t until_s, struct err *err)
{
	bind_step(b->see, owner, step);
	database_bind_blob(b->see, 4, seen);
	sqlite3_bind_int64(b->see, 5, until_s);
	return database_run(b->db, b->see, err);
}

int fleetbook_cut(struct fleetbook *b, const char *owner, bool cut, int step, struct err *err)
{
	bind_step(b->cut, owner, step);
	sqlite3_bind_int(b->cut, 4, cut);
	return database_run(b->db, b->cut, err);
}

int fleetbook_each(struct fleetbook *b, const char *owner,
	int (*each)(void *arg, const struct fleetbook_device *d, struct err *err), void *arg,
	size_t *count, struct err *err)
{
	sqlite3_stmt *q = owner ? b->one : b->all;
	bool row = false;
	size_t n = 0;
	int rc;

	if (owner)
		bind_text(q, 1, owner);
	rc = database_step(b->db, q, &row, err);
	while (rc == 0 && row) {
		const struct fleetbook_device d = { .owner = database_text(q, 0),
			.form = database_text(q, 1),
			.serial = database_text(q, 2),
			.terms = database_blob(q, 3),
			.data = database_blob(q, 4),
			.seen = database_blob(q, 5),
			.seen_until_s = sqlite3_column_int64(q, 6),
			.step = sqlite3_column_int(q, 7),
			.cut = sqlite3_column_int(q, 8) != 0 };

		n++;
		rc = each(arg, &d, err);
		rc = rc ? rc : database_step(b->db, q, &row, err);
	}
	database_reset(q);
	if (rc == 0 && count)
		*count = n;
	return rc;
}
