/* SPDX-License-Identifier: Apache-2.0 */
#include "store/asession.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/keywrap.h"
#include "store/database.h"

#define KEY_OCTETS 16

static const char schema[] =
	"CREATE TABLE session(seq INTEGER PRIMARY KEY AUTOINCREMENT, dev_eui INTEGER NOT NULL,"
	" id BLOB NOT NULL, net_id INTEGER NOT NULL, dev_addr INTEGER NOT NULL,"
	" app_s_key BLOB NOT NULL, key_check INTEGER NOT NULL, up_any INTEGER NOT NULL,"
	" up_last INTEGER NOT NULL, up_window INTEGER NOT NULL, up_digest BLOB NOT NULL,"
	" down_floor INTEGER NOT NULL);"
	"CREATE INDEX session_of ON session(dev_eui, seq);"
	"CREATE TABLE downlink(number INTEGER PRIMARY KEY AUTOINCREMENT, dev_eui INTEGER NOT NULL,"
	" id TEXT NOT NULL, confirmed INTEGER NOT NULL, f_port INTEGER NOT NULL,"
	" data BLOB NOT NULL, state INTEGER NOT NULL, bound INTEGER NOT NULL,"
	" session BLOB NOT NULL, f_cnt INTEGER NOT NULL);";

static const struct database_kind kind = { 0x53444153, 1, schema }; /* "SDAS" */

enum statement {
	UPDATE,
	REPEATED,
	INSERT,
	RETIRE,
	FORGET,
	SESSIONS,
	KEEP,
	DROP,
	DOWNLINKS,
	STATEMENTS,
};

static const char *const sql[STATEMENTS] = {
	[UPDATE] = "UPDATE session SET up_any = ?8, up_last = ?9, up_window = ?10, up_digest = ?11,"
		   " down_floor = ?12, net_id = ?4, dev_addr = ?5"
		   " WHERE dev_eui = ?2 AND id = ?3 AND key_check = ?7",
	[REPEATED] = "DELETE FROM session WHERE dev_eui = ?2 AND id = ?3 AND key_check = ?7",
	[INSERT] =
		"INSERT INTO session VALUES(NULL, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
	/* The key goes, the mark stays. */
	[RETIRE] = "UPDATE session SET app_s_key = zeroblob(0), up_digest = zeroblob(0)"
		   " WHERE dev_eui = ?1 AND length(app_s_key) > 0 AND seq NOT IN"
		   " (SELECT seq FROM session WHERE dev_eui = ?1 ORDER BY seq DESC LIMIT 2)",
	[FORGET] = "DELETE FROM session WHERE dev_eui = ?1 AND seq NOT IN"
		   " (SELECT seq FROM session WHERE dev_eui = ?1 ORDER BY seq DESC LIMIT 66)",
	[SESSIONS] = "SELECT dev_eui, id, net_id, dev_addr, app_s_key, key_check, up_any, up_last,"
		     " up_window, up_digest, down_floor FROM session ORDER BY dev_eui, seq DESC",
	[KEEP] = "INSERT OR REPLACE INTO downlink VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
	[DROP] = "DELETE FROM downlink WHERE number = ?1",
	[DOWNLINKS] = "SELECT number, dev_eui, id, confirmed, f_port, data, state, bound, session,"
		      " f_cnt FROM downlink ORDER BY number",
};

struct asession {
	struct database db;
	struct secret kek; /* n is 0: keys lie in clear */
	sqlite3_stmt *statements[STATEMENTS];
};

void asession_close(struct asession *a)
{
	if (!a)
		return;
	database_close(&a->db);
	secret_wipe(&a->kek);
	free(a);
}

int asession_open(const char *path, const struct secret *kek, struct asession **out,
	struct err *err)
{
	struct asession *a = calloc(1, sizeof(*a));
	int rc;

	if (!a)
		return err_set(err, ERR_NOMEM, "%s: no memory", path);
	a->kek = *kek;
	rc = database_open(path, &kind, true, &a->db, err);
	/* Taken with the first write, and kept. */
	rc = rc ? rc
		: database_exec(&a->db,
			  "PRAGMA locking_mode=EXCLUSIVE; PRAGMA secure_delete=ON;"
			  "BEGIN EXCLUSIVE; COMMIT",
			  err);
	for (int i = 0; !rc && i < STATEMENTS; i++)
		rc = database_prepare(&a->db, sql[i], &a->statements[i], err);
	if (rc) {
		asession_close(a);
		return rc;
	}
	*out = a;
	return 0;
}

static struct span octets(const void *p, size_t n)
{
	return (struct span){ p, n };
}

/* wrapped holds the key as it lies in the file, until the statement ran. */
static int bind_session(struct asession *a, sqlite3_stmt *q, const struct session *s,
	uint8_t wrapped[KEYWRAP_WRAPPED_OCTETS], struct err *err)
{
	struct span key = octets(s->app_s_key, KEY_OCTETS);
	int rc = 0;

	if (a->kek.n) {
		rc = keywrap_wrap(&a->kek, s->app_s_key, wrapped, err);
		key = octets(wrapped, KEYWRAP_WRAPPED_OCTETS);
	}
	if (rc)
		return rc;
	sqlite3_bind_int64(q, 2, (sqlite3_int64)s->dev_eui);
	database_bind_blob(q, 3, octets(s->id.octets, s->id.n));
	sqlite3_bind_int64(q, 4, s->net_id);
	sqlite3_bind_int64(q, 5, s->dev_addr);
	database_bind_blob(q, 6, key);
	sqlite3_bind_int64(q, 7, (sqlite3_int64)s->key_check);
	sqlite3_bind_int(q, 8, s->up_any);
	sqlite3_bind_int64(q, 9, s->up_last);
	sqlite3_bind_int64(q, 10, (sqlite3_int64)s->up_window);
	database_bind_blob(q, 11, octets(s->up_digest, sizeof(s->up_digest)));
	sqlite3_bind_int64(q, 12, (sqlite3_int64)s->down_floor);
	return 0;
}

static int run_session(struct asession *a, enum statement which, const struct session *s,
	struct err *err)
{
	uint8_t wrapped[KEYWRAP_WRAPPED_OCTETS];
	sqlite3_stmt *q = a->statements[which];
	int rc = bind_session(a, q, s, wrapped, err);

	rc = rc ? rc : database_run(&a->db, q, err);
	if (rc == 0 && which == UPDATE && sqlite3_changes(a->db.handle) != 1)
		return err_set(err, ERR_SYSTEM, "%s: the session is not in it", a->db.path);
	return rc;
}

static int run_device(struct asession *a, enum statement which, uint64_t dev_eui, struct err *err)
{
	sqlite3_bind_int64(a->statements[which], 1, (sqlite3_int64)dev_eui);
	return database_run(&a->db, a->statements[which], err);
}

static int put_session(struct asession *a, const struct session *s, bool adopted, struct err *err)
{
	int rc;

	if (!adopted)
		return run_session(a, UPDATE, s, err);
	rc = run_session(a, REPEATED, s, err);
	rc = rc ? rc : run_session(a, INSERT, s, err);
	rc = rc ? rc : run_device(a, RETIRE, s->dev_eui, err);
	return rc ? rc : run_device(a, FORGET, s->dev_eui, err);
}

static int put_downlink(struct asession *a, const struct downlink *d, struct err *err)
{
	sqlite3_stmt *q = a->statements[KEEP];

	sqlite3_bind_int64(q, 1, (sqlite3_int64)d->number);
	sqlite3_bind_int64(q, 2, (sqlite3_int64)d->dev_eui);
	sqlite3_bind_text(q, 3, d->id, -1, SQLITE_STATIC);
	sqlite3_bind_int(q, 4, d->confirmed);
	sqlite3_bind_int(q, 5, d->f_port);
	database_bind_blob(q, 6, octets(d->data, d->n));
	sqlite3_bind_int(q, 7, d->state);
	sqlite3_bind_int(q, 8, d->bound);
	database_bind_blob(q, 9, octets(d->session.octets, d->session.n));
	sqlite3_bind_int64(q, 10, d->f_cnt);
	return database_run(&a->db, q, err);
}

int asession_keep(struct asession *a, const struct session *session, bool adopted,
	const struct downlink *keep, const struct downlink *drop, struct err *err)
{
	int rc = database_begin(&a->db, err);

	if (rc == 0 && session)
		rc = put_session(a, session, adopted, err);
	if (rc == 0 && keep)
		rc = put_downlink(a, keep, err);
	if (rc == 0 && drop)
		rc = run_device(a, DROP, drop->number, err);
	rc = rc ? rc : database_commit(&a->db, err);
	if (rc)
		database_rollback(&a->db);
	return rc;
}

static int read_key(struct asession *a, struct span stored, uint8_t out[KEY_OCTETS],
	struct err *err)
{
	bool intact = false;
	int rc = 0;

	if (!stored.n)
		return 0;
	if (!a->kek.n && stored.n == KEY_OCTETS) {
		memcpy(out, stored.p, KEY_OCTETS);
		return 0;
	}
	if (a->kek.n && stored.n == KEYWRAP_WRAPPED_OCTETS)
		rc = keywrap_unwrap(&a->kek, stored.p, out, &intact, err);
	if (rc || intact)
		return rc;
	return err_set(err, ERR_FORMAT, "%s: a key in it is under another KEK", a->db.path);
}

static int read_session(struct asession *a, sqlite3_stmt *q, struct session *out, struct err *err)
{
	struct span digest = database_blob(q, 9);
	struct session s = {
		.dev_eui = (uint64_t)sqlite3_column_int64(q, 0),
		.net_id = (uint32_t)sqlite3_column_int64(q, 2),
		.dev_addr = (uint32_t)sqlite3_column_int64(q, 3),
		.key_check = (uint64_t)sqlite3_column_int64(q, 5),
		.up_any = sqlite3_column_int(q, 6) != 0,
		.up_last = (uint32_t)sqlite3_column_int64(q, 7),
		.up_window = (uint64_t)sqlite3_column_int64(q, 8),
		.down_floor = (uint64_t)sqlite3_column_int64(q, 10),
	};
	struct span id = database_blob(q, 1);

	if (id.n > SESSION_ID_MAX || (digest.n && digest.n != sizeof(s.up_digest)))
		return err_set(err, ERR_FORMAT, "%s: a session in it makes no sense", a->db.path);
	s.id.n = (uint8_t)id.n;
	if (id.n)
		memcpy(s.id.octets, id.p, id.n);
	if (digest.n)
		memcpy(s.up_digest, digest.p, digest.n);
	*out = s;
	secret_wipe_octets(&s, sizeof(s));
	return read_key(a, database_blob(q, 4), out->app_s_key, err);
}

int asession_sessions(struct asession *a,
	int (*each)(void *arg, const struct session *s, unsigned age, struct err *err), void *arg,
	struct err *err)
{
	sqlite3_stmt *q = a->statements[SESSIONS];
	struct session s = { 0 };
	uint64_t device = 0;
	unsigned age = 0;
	bool row = false, any = false;
	int rc = database_step(&a->db, q, &row, err);

	while (rc == 0 && row) {
		rc = read_session(a, q, &s, err);
		age = any && s.dev_eui == device ? age + 1 : 0;
		device = s.dev_eui;
		any = true;
		rc = rc ? rc : each(arg, &s, age, err);
		rc = rc ? rc : database_step(&a->db, q, &row, err);
	}
	database_reset(q);
	secret_wipe_octets(&s, sizeof(s));
	return rc;
}

static int read_downlink(struct asession *a, sqlite3_stmt *q, struct downlink *out, struct err *err)
{
	struct span data = database_blob(q, 5), session = database_blob(q, 8);
	const char *id = database_text(q, 2);
	int state = sqlite3_column_int(q, 6);
	struct downlink d = {
		.number = (uint64_t)sqlite3_column_int64(q, 0),
		.dev_eui = (uint64_t)sqlite3_column_int64(q, 1),
		.confirmed = sqlite3_column_int(q, 3) != 0,
		.f_port = (uint8_t)sqlite3_column_int(q, 4),
		.bound = sqlite3_column_int(q, 7) != 0,
		.f_cnt = (uint32_t)sqlite3_column_int64(q, 9),
	};

	if (data.n > DOWNLINK_PAYLOAD_MAX || session.n > SESSION_ID_MAX ||
		strlen(id) > DOWNLINK_ID_MAX || state < DOWNLINK_QUEUED || state > DOWNLINK_SENT)
		return err_set(err, ERR_FORMAT, "%s: a downlink in it makes no sense", a->db.path);
	d.state = (enum downlink_state)state;
	strcpy(d.id, id);
	d.n = (uint8_t)data.n;
	if (data.n)
		memcpy(d.data, data.p, data.n);
	d.session.n = (uint8_t)session.n;
	if (session.n)
		memcpy(d.session.octets, session.p, session.n);
	*out = d;
	return 0;
}

int asession_downlinks(struct asession *a,
	int (*each)(void *arg, const struct downlink *d, struct err *err), void *arg,
	struct err *err)
{
	sqlite3_stmt *q = a->statements[DOWNLINKS];
	struct downlink d;
	bool row = false;
	int rc = database_step(&a->db, q, &row, err);

	while (rc == 0 && row) {
		rc = read_downlink(a, q, &d, err);
		rc = rc ? rc : each(arg, &d, err);
		rc = rc ? rc : database_step(&a->db, q, &row, err);
	}
	database_reset(q);
	return rc;
}
