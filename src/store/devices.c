/* SPDX-License-Identifier: Apache-2.0 */
#include "store/devices.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/sink.h"
#include "crypto/keywrap.h"
#include "store/database.h"

/*
 * device is what was provisioned, state what joins move: one small row, so that a join makes one
 * page dirty. s0 to s9 are the ring of the last sessions, by JoinNonce modulo ten.
 */
#define SLOTS "s0, s1, s2, s3, s4, s5, s6, s7, s8, s9"
static const char schema[] =
	"CREATE TABLE device(dev_eui INTEGER PRIMARY KEY, join_eui INTEGER NOT NULL,"
	" version TEXT NOT NULL, name TEXT NOT NULL, app_key BLOB NOT NULL, nwk_key BLOB,"
	" net_ids BLOB NOT NULL, application_server TEXT NOT NULL, as_id TEXT NOT NULL,"
	" ns_kek_label TEXT NOT NULL, as_kek_label TEXT NOT NULL, nonce_rule TEXT NOT NULL,"
	" added INTEGER NOT NULL);"
	"CREATE TABLE state(dev_eui INTEGER PRIMARY KEY, join_nonce INTEGER NOT NULL,"
	" dev_nonce INTEGER NOT NULL, rj_count1 INTEGER NOT NULL, " SLOTS ", used BLOB NOT NULL);"
	"CREATE TABLE meta(key TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID;";

static const struct database_kind kind = { 0x5344414a, 2, schema }; /* "SDAJ" */

#define DEVICE_COLUMNS                                                                  \
	"d.dev_eui, d.join_eui, d.version, d.name, d.app_key, d.nwk_key, d.net_ids,"    \
	" d.application_server, d.as_id, d.ns_kek_label, d.as_kek_label, d.nonce_rule," \
	" s.join_nonce, s.dev_nonce, s.rj_count1, s.used"                               \
	" FROM device d LEFT JOIN state s ON s.dev_eui = d.dev_eui"

enum statement {
	LOAD,
	SESSIONS,
	INSERT,
	INSERT_STATE,
	REMOVE,
	FORGET_SESSIONS,
	FORGET,
	FLUSH,
	COUNT,
	LIST,
	META_GET,
	META_PUT,
	STATEMENTS,
};

static const char *const sql[STATEMENTS] = {
	[LOAD] = "SELECT " DEVICE_COLUMNS " WHERE d.dev_eui = ?1",
	[SESSIONS] = "SELECT join_nonce, " SLOTS " FROM state WHERE dev_eui = ?1",
	[INSERT] = "INSERT OR REPLACE INTO device VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10,"
		   " ?11, ?12, ?13)",
	[INSERT_STATE] = "INSERT OR IGNORE INTO state(dev_eui, join_nonce, dev_nonce, rj_count1,"
			 " used) VALUES(?1, 0, -1, -1, zeroblob(0))",
	[REMOVE] = "DELETE FROM device WHERE dev_eui = ?1",
	[FORGET_SESSIONS] = "UPDATE state SET (" SLOTS ") ="
			    " (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)"
			    " WHERE dev_eui = ?1",
	[FORGET] = "DELETE FROM state WHERE dev_eui = ?1",
	[FLUSH] = "UPDATE state SET dev_nonce = -1, rj_count1 = -1, used = zeroblob(0)"
		  " WHERE dev_eui = ?1",
	[COUNT] = "SELECT count(*) FROM device",
	/* EUIs are unsigned, SQLite's integers are not: the top half sorts after the rest. */
	[LIST] = "SELECT " DEVICE_COLUMNS " WHERE (d.dev_eui < 0) > (?1 < 0)"
		 " OR ((d.dev_eui < 0) = (?1 < 0) AND d.dev_eui >= ?1)"
		 " ORDER BY d.dev_eui < 0, d.dev_eui",
	[META_GET] = "SELECT value FROM meta WHERE key = ?1",
	[META_PUT] = "INSERT INTO meta VALUES(?1, ?2)",
};

struct devices {
	struct database db;
	struct secret kek; /* n is 0: keys lie in clear */
	sqlite3_stmt *statements[STATEMENTS];
	sqlite3_stmt *save[DEVICE_SESSIONS]; /* what joins move, and the session of one slot */
};

/* A key as it lies in the file: 24 octets wrapped, or 16. */
struct at_rest {
	uint8_t octets[KEYWRAP_WRAPPED_OCTETS];
	size_t n;
};

static int wrap(struct devices *d, const uint8_t key[LORAWAN_KEY_OCTETS], struct at_rest *out,
	struct err *err)
{
	if (d->kek.n) {
		out->n = KEYWRAP_WRAPPED_OCTETS;
		return keywrap_wrap(&d->kek, key, out->octets, err);
	}
	out->n = LORAWAN_KEY_OCTETS;
	memcpy(out->octets, key, LORAWAN_KEY_OCTETS);
	return 0;
}

static int unwrap(struct devices *d, struct span stored, uint8_t out[LORAWAN_KEY_OCTETS],
	struct err *err)
{
	bool intact = false;
	int rc = 0;

	if (!d->kek.n && stored.n == LORAWAN_KEY_OCTETS) {
		memcpy(out, stored.p, LORAWAN_KEY_OCTETS);
		return 0;
	}
	if (d->kek.n && stored.n == KEYWRAP_WRAPPED_OCTETS)
		rc = keywrap_unwrap(&d->kek, stored.p, out, &intact, err);
	if (rc || intact)
		return rc;
	return err_set(err, ERR_FORMAT, "%s: a key in it cannot be read", d->db.path);
}

/* An optional key: absent is zero. */
static int unwrap_optional(struct devices *d, struct span stored, uint8_t out[LORAWAN_KEY_OCTETS],
	struct err *err)
{
	if (stored.n)
		return unwrap(d, stored, out, err);
	memset(out, 0, LORAWAN_KEY_OCTETS);
	return 0;
}

static const uint8_t zero_key[LORAWAN_KEY_OCTETS];

/* The file remembers by what KEK its keys are wrapped: the wrap of a key of zeros. */
static int check_kek(struct devices *d, struct err *err)
{
	sqlite3_stmt *s = d->statements[META_GET];
	struct at_rest want = { 0 };
	bool found, same = false;
	uint64_t count;
	int rc = d->kek.n ? wrap(d, zero_key, &want, err) : 0;

	sqlite3_bind_text(s, 1, "kek_check", -1, SQLITE_STATIC);
	rc = rc ? rc : database_step(&d->db, s, &found, err);
	if (rc)
		return rc;
	if (found) {
		struct span got = database_blob(s, 0);

		same = got.n == want.n && memcmp(got.p, want.octets, got.n) == 0;
	}
	database_reset(s);
	if (found && !same)
		return err_set(err, ERR_FORMAT, "%s: its keys are wrapped under %s", d->db.path,
			d->kek.n ? "another KEK" : "a KEK, which is not given");
	if (found || !d->kek.n)
		return 0;
	rc = devices_count(d, &count, err);
	if (!rc && count)
		rc = err_set(err, ERR_FORMAT, "%s: its keys are in clear, yet a KEK is given",
			d->db.path);
	if (rc)
		return rc;
	s = d->statements[META_PUT];
	sqlite3_bind_text(s, 1, "kek_check", -1, SQLITE_STATIC);
	database_bind_blob(s, 2, (struct span){ want.octets, want.n });
	return database_run(&d->db, s, err);
}

static int prepare(struct devices *d, struct err *err)
{
	char text[128];
	int rc = 0;

	for (int i = 0; !rc && i < STATEMENTS; i++)
		rc = database_prepare(&d->db, sql[i], &d->statements[i], err);
	for (int i = 0; !rc && i < DEVICE_SESSIONS; i++) {
		snprintf(text, sizeof(text),
			"UPDATE state SET join_nonce = ?2, dev_nonce = ?3, rj_count1 = ?4, used = ?5,"
			" s%d = ?6 WHERE dev_eui = ?1",
			i);
		rc = database_prepare(&d->db, text, &d->save[i], err);
	}
	return rc;
}

int devices_open(const char *path, const struct secret *kek, bool create, struct devices **out,
	struct err *err)
{
	struct devices *d = calloc(1, sizeof(*d));
	int rc;

	if (!d)
		return err_set(err, ERR_NOMEM, "%s: no memory", path);
	if (kek)
		d->kek = *kek;
	rc = database_open(path, &kind, create, &d->db, err);
	rc = rc ? rc : prepare(d, err);
	rc = rc ? rc : devices_begin(d, err);
	rc = rc ? rc : check_kek(d, err);
	rc = rc ? rc : devices_commit(d, err);
	if (rc)
		devices_close(d);
	else
		*out = d;
	return rc;
}

void devices_close(struct devices *d)
{
	if (!d)
		return;
	database_rollback(&d->db);
	database_close(&d->db);
	secret_wipe(&d->kek);
	free(d);
}

int devices_check(struct devices *d, struct err *err)
{
	return database_check(&d->db, err);
}

int devices_begin(struct devices *d, struct err *err)
{
	return database_begin(&d->db, err);
}

int devices_commit(struct devices *d, struct err *err)
{
	return database_commit(&d->db, err);
}

void devices_rollback(struct devices *d)
{
	database_rollback(&d->db);
}

static sqlite3_stmt *for_device(struct devices *d, enum statement which, uint64_t dev_eui)
{
	sqlite3_bind_int64(d->statements[which], 1, (sqlite3_int64)dev_eui);
	return d->statements[which];
}

static bool copy_text(sqlite3_stmt *s, int column, char *out, size_t cap)
{
	const char *text = database_text(s, column);

	if (strlen(text) >= cap)
		return false;
	strcpy(out, text);
	return true;
}

/* Three octets each, the home first. */
static bool read_net_ids(struct span stored, struct device *out)
{
	if (stored.n % 3 || stored.n / 3 > DEVICE_NET_IDS_MAX)
		return false;
	out->net_ids_n = (unsigned)(stored.n / 3);
	for (unsigned i = 0; i < out->net_ids_n; i++, stored.p += 3)
		out->net_ids[i] = (uint32_t)(stored.p[0] << 16 | stored.p[1] << 8 | stored.p[2]);
	return true;
}

static bool read_provisioned(sqlite3_stmt *s, struct device *out)
{
	const char *version = database_text(s, 2);

	out->dev_eui = (uint64_t)sqlite3_column_int64(s, 0);
	out->join_eui = (uint64_t)sqlite3_column_int64(s, 1);
	return version_read((struct span){ (const uint8_t *)version, strlen(version) },
		       &out->version) == 0 &&
		copy_text(s, 3, out->name, sizeof(out->name)) &&
		read_net_ids(database_blob(s, 6), out) &&
		copy_text(s, 7, out->application_server, sizeof(out->application_server)) &&
		copy_text(s, 8, out->as_id, sizeof(out->as_id)) &&
		copy_text(s, 9, out->ns_kek_label, sizeof(out->ns_kek_label)) &&
		copy_text(s, 10, out->as_kek_label, sizeof(out->as_kek_label)) &&
		device_nonce_rule_read(database_text(s, 11), &out->nonce_rule) == 0;
}

/* A record without its state is refused: a JoinNonce would be repeated. */
static bool read_state(sqlite3_stmt *s, struct device *out)
{
	if (sqlite3_column_type(s, 12) != SQLITE_INTEGER)
		return false;
	out->join_nonce = (uint32_t)sqlite3_column_int64(s, 12);
	out->dev_nonce = sqlite3_column_int(s, 13);
	out->rj_count1 = sqlite3_column_int(s, 14);
	return nonces_read(database_blob(s, 15), &out->used) == 0;
}

static int read_row(struct devices *d, sqlite3_stmt *s, struct device *out, struct err *err)
{
	int rc;

	if (!read_provisioned(s, out) || !read_state(s, out))
		return err_set(err, ERR_FORMAT, "%s: device %016llx: its record makes no sense",
			d->db.path, (unsigned long long)sqlite3_column_int64(s, 0));
	rc = unwrap(d, database_blob(s, 4), out->app_key, err);
	return rc ? rc : unwrap_optional(d, database_blob(s, 5), out->nwk_key, err);
}

int devices_load(struct devices *d, uint64_t dev_eui, struct device *out, bool *found,
	struct err *err)
{
	sqlite3_stmt *s = for_device(d, LOAD, dev_eui);
	bool row;
	int rc = database_step(&d->db, s, &row, err);

	if (rc)
		return rc;
	if (row)
		rc = read_row(d, s, out, err);
	database_reset(s);
	if (!rc)
		*found = row;
	return rc;
}

/*
 * A session as it lies in its slot: SessionKeyID, JoinNonce, NetID, DevAddr, RJcount0, AppSKey
 * and, in 1.1, SNwkSIntKey; numbers of four octets, big-endian. The length tells 1.1.
 */
#define SESSION_BEFORE_KEYS (DEVICE_SESSION_ID + 4 * 4)
#define SESSION_OCTETS_MAX  (SESSION_BEFORE_KEYS + 2 * KEYWRAP_WRAPPED_OCTETS)

static int put_key(struct devices *d, struct sink *out, const uint8_t key[LORAWAN_KEY_OCTETS],
	struct err *err)
{
	struct at_rest stored = { 0 };
	int rc = wrap(d, key, &stored, err);

	sink_put(out, (struct span){ stored.octets, stored.n });
	secret_wipe_octets(&stored, sizeof(stored));
	return rc;
}

static int write_session(struct devices *d, const struct device_session *session, struct sink *out,
	struct err *err)
{
	int rc;

	sink_put(out, (struct span){ session->id, sizeof(session->id) });
	sink_u32_be(out, session->join_nonce);
	sink_u32_be(out, session->net_id);
	sink_u32_be(out, session->dev_addr);
	sink_u32_be(out, (uint32_t)session->rj_count0);
	rc = put_key(d, out, session->app_s_key, err);
	return rc || !session->is_1_1 ? rc : put_key(d, out, session->s_nwk_s_int_key, err);
}

static int read_session(struct devices *d, struct span stored, struct device_session *out,
	struct err *err)
{
	size_t key_n = d->kek.n ? KEYWRAP_WRAPPED_OCTETS : LORAWAN_KEY_OCTETS;
	struct cursor c = cursor_over(stored);
	struct span id = cursor_take(&c, sizeof(out->id)), app_s_key, s_nwk_s_int_key;
	int rc;

	if (id.n)
		memcpy(out->id, id.p, id.n);
	out->join_nonce = cursor_u32_be(&c);
	out->net_id = cursor_u32_be(&c);
	out->dev_addr = cursor_u32_be(&c);
	out->rj_count0 = (int32_t)cursor_u32_be(&c);
	app_s_key = cursor_take(&c, key_n);
	out->is_1_1 = c.rest.n != 0;
	s_nwk_s_int_key = cursor_take(&c, out->is_1_1 ? key_n : 0);
	if (!cursor_done(&c))
		return err_set(err, ERR_FORMAT, "%s: a session makes no sense", d->db.path);
	rc = unwrap(d, app_s_key, out->app_s_key, err);
	return rc ? rc : unwrap_optional(d, s_nwk_s_int_key, out->s_nwk_s_int_key, err);
}

int devices_save(struct devices *d, const struct device *device,
	const struct device_session *session, struct err *err)
{
	sqlite3_stmt *s = d->save[session->join_nonce % DEVICE_SESSIONS];
	uint8_t octets[SESSION_OCTETS_MAX];
	struct sink stored = sink_into(octets, sizeof(octets));
	int rc = write_session(d, session, &stored, err);

	if (!rc) {
		sqlite3_bind_int64(s, 1, (sqlite3_int64)device->dev_eui);
		sqlite3_bind_int64(s, 2, device->join_nonce);
		sqlite3_bind_int(s, 3, device->dev_nonce);
		sqlite3_bind_int(s, 4, device->rj_count1);
		database_bind_blob(s, 5, nonces_span(&device->used));
		database_bind_blob(s, 6, sink_span(&stored));
		rc = database_run(&d->db, s, err);
	}
	secret_wipe_octets(octets, sizeof(octets));
	/* Without its row nothing would stop the same DevNonce tomorrow. */
	if (!rc && sqlite3_changes(d->db.handle) != 1)
		rc = err_set(err, ERR_FORMAT, "%s: device %016llx: it has no state", d->db.path,
			(unsigned long long)device->dev_eui);
	return rc;
}

/* The sessions of a row, newest first: from the slot of the last JoinNonce downwards. */
static int read_sessions(struct devices *d, sqlite3_stmt *s,
	struct device_session out[DEVICE_SESSIONS], size_t *n, struct err *err)
{
	uint32_t last = (uint32_t)sqlite3_column_int64(s, 0);
	size_t got = 0;
	int rc = 0;

	for (uint32_t i = 0; !rc && i < DEVICE_SESSIONS; i++) {
		int slot = (int)((last % DEVICE_SESSIONS + DEVICE_SESSIONS - i) % DEVICE_SESSIONS);
		struct span stored = database_blob(s, 1 + slot);

		if (stored.n)
			rc = read_session(d, stored, &out[got++], err);
	}
	if (!rc)
		*n = got;
	return rc;
}

int devices_sessions(struct devices *d, uint64_t dev_eui,
	struct device_session out[DEVICE_SESSIONS], size_t *n, struct err *err)
{
	sqlite3_stmt *s = for_device(d, SESSIONS, dev_eui);
	bool row;
	int rc = database_step(&d->db, s, &row, err);

	if (rc)
		return rc;
	if (row)
		rc = read_sessions(d, s, out, n, err);
	else
		*n = 0;
	database_reset(s);
	return rc;
}

static int insert(struct devices *d, const struct device *device, struct err *err)
{
	sqlite3_stmt *s = for_device(d, INSERT, device->dev_eui);
	struct at_rest app = { 0 }, nwk = { 0 };
	uint8_t net_ids[3 * DEVICE_NET_IDS_MAX];
	bool two = version_has_two_keys(device->version);
	int rc = wrap(d, device->app_key, &app, err);

	if (!rc && two)
		rc = wrap(d, device->nwk_key, &nwk, err);
	for (unsigned i = 0; i < device->net_ids_n; i++)
		for (unsigned j = 0; j < 3; j++)
			net_ids[3 * i + j] = (uint8_t)(device->net_ids[i] >> 8 * (2 - j));
	sqlite3_bind_int64(s, 2, (sqlite3_int64)device->join_eui);
	sqlite3_bind_text(s, 3, version_text(device->version), -1, SQLITE_STATIC);
	sqlite3_bind_text(s, 4, device->name, -1, SQLITE_STATIC);
	database_bind_blob(s, 5, (struct span){ app.octets, app.n });
	if (two)
		database_bind_blob(s, 6, (struct span){ nwk.octets, nwk.n });
	database_bind_blob(s, 7, (struct span){ net_ids, 3 * device->net_ids_n });
	sqlite3_bind_text(s, 8, device->application_server, -1, SQLITE_STATIC);
	sqlite3_bind_text(s, 9, device->as_id, -1, SQLITE_STATIC);
	sqlite3_bind_text(s, 10, device->ns_kek_label, -1, SQLITE_STATIC);
	sqlite3_bind_text(s, 11, device->as_kek_label, -1, SQLITE_STATIC);
	sqlite3_bind_text(s, 12, device_nonce_rule_word(device->nonce_rule), -1, SQLITE_STATIC);
	sqlite3_bind_int64(s, 13, (sqlite3_int64)time(NULL));
	if (rc)
		database_reset(s);
	else
		rc = database_run(&d->db, s, err);
	secret_wipe_octets(&app, sizeof(app));
	secret_wipe_octets(&nwk, sizeof(nwk));
	return rc;
}

int devices_add(struct devices *d, const struct device *device, bool replace, bool *existed,
	struct err *err)
{
	sqlite3_stmt *s = for_device(d, LOAD, device->dev_eui);
	bool there;
	int rc = database_step(&d->db, s, &there, err);

	if (rc)
		return rc;
	database_reset(s);
	if (!there || replace) {
		rc = insert(d, device, err);
		rc = rc ? rc
			: database_run(&d->db, for_device(d, INSERT_STATE, device->dev_eui), err);
	}
	if (!rc)
		*existed = there;
	return rc;
}

/* Runs a statement for one device; *found tells if it changed a row. */
static int change(struct devices *d, enum statement which, uint64_t dev_eui, bool *found,
	struct err *err)
{
	int rc = database_run(&d->db, for_device(d, which, dev_eui), err);

	if (!rc)
		*found = sqlite3_changes(d->db.handle) > 0;
	return rc;
}

int devices_remove(struct devices *d, uint64_t dev_eui, bool forget, bool *found, struct err *err)
{
	bool device = false, sessions, state = false;
	int rc = change(d, REMOVE, dev_eui, &device, err);

	rc = rc ? rc : change(d, FORGET_SESSIONS, dev_eui, &sessions, err);
	if (!rc && forget)
		rc = change(d, FORGET, dev_eui, &state, err);
	if (!rc)
		*found = device || state;
	return rc;
}

int devices_flush_nonces(struct devices *d, uint64_t dev_eui, bool *found, struct err *err)
{
	return change(d, FLUSH, dev_eui, found, err);
}

int devices_count(struct devices *d, uint64_t *out, struct err *err)
{
	bool row;
	int rc = database_step(&d->db, d->statements[COUNT], &row, err);

	if (rc)
		return rc;
	*out = (uint64_t)sqlite3_column_int64(d->statements[COUNT], 0);
	database_reset(d->statements[COUNT]);
	return 0;
}

int devices_list(struct devices *d, uint64_t from,
	bool (*each)(void *arg, const struct device *device), void *arg, struct err *err)
{
	sqlite3_stmt *s = for_device(d, LIST, from);
	struct device *device = calloc(1, sizeof(*device));
	bool row, more = true;
	int rc = device ? 0 : err_set(err, ERR_NOMEM, "%s: no memory", d->db.path);

	while (!rc && more && !(rc = database_step(&d->db, s, &row, err)) && row) {
		rc = read_row(d, s, device, err);
		more = !rc && each(arg, device);
	}
	database_reset(s);
	if (device)
		device_wipe(device);
	free(device);
	return rc;
}
