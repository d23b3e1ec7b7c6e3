/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/batch.h"
#include "ca/issuance.h"
#include "check.h"
#include "pki/keyfile.h"
#include "pki/keykind.h"
#include "scratch.h"

#include <openssl/x509v3.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/stat.h>

static struct profile a_leaf(void)
{
	return (struct profile){ .role = PROFILE_CLIENT,
		.life_s = 90000,
		.backdate_s = 300,
		.path_len = -1 };
}

static void make_root(const char *folder)
{
	struct profile p = { .role = PROFILE_ROOT,
		.common_name = "R",
		.life_s = 900000,
		.path_len = 1 };
	struct authority_order order = { .profile = &p };

	assert_int_equal(issuance_root(folder, &order, NULL), 0);
}

static struct state *opened(const char *folder)
{
	struct state *s = NULL;
	struct err err;

	if (state_open(folder, NULL, &s, &err) != 0)
		fail_msg("%s", err.msg);
	return s;
}

static struct batch *begun(struct state *s)
{
	const struct profile leaf = a_leaf();
	struct batch *b = NULL;
	struct err err;

	if (batch_open(s, &leaf, &b, &err) != 0)
		fail_msg("%s", err.msg);
	return b;
}

#define ORDERS_MAX (2 * BATCH_PART)

/* What is ordered, and the keys of it. */
static struct {
	struct batch_order order[ORDERS_MAX];
	char prefix[ORDERS_MAX][64];
	size_t n;
} orders;

/* One more certificate, for a key of its own; with a prefix the key's file is written first. */
static void add(const char *text, const char *prefix)
{
	struct batch_order *o = &orders.order[orders.n];
	unsigned char *spki = NULL;
	EVP_PKEY *key = NULL;
	char path[PATH_MAX];
	int n;

	assert_true(orders.n < ORDERS_MAX);
	assert_int_equal(keykind_new(KEYKIND_P256, &key, NULL), 0);
	n = i2d_PUBKEY(key, &spki);
	if (prefix[0]) {
		snprintf(path, sizeof(path), "%s-key.pem", prefix);
		assert_int_equal(keyfile_write(path, false, key, NULL, NULL), 0);
	}
	snprintf(orders.prefix[orders.n], sizeof(orders.prefix[0]), "%s", prefix);
	*o = (struct batch_order){ .spki = { spki, (size_t)n }, .prefix = orders.prefix[orders.n] };
	assert_int_equal(name_of(text, &o->name), 0);
	orders.n++;
	EVP_PKEY_free(key);
}

/* All that was added. */
static int issue(struct batch *b)
{
	int rc = batch_issue(b, orders.order, orders.n, NULL);

	batch_forget(orders.order, orders.n);
	for (size_t i = 0; i < orders.n; i++)
		OPENSSL_free((void *)orders.order[i].spki.p);
	orders.n = 0;
	return rc;
}

struct seen {
	unsigned n, done;
};

static bool see(void *arg, const struct ledger_entry *e)
{
	struct seen *s = arg;

	s->n++;
	s->done += e->state == LEDGER_DONE;
	return true;
}

static struct seen look(struct state *s, const char *name)
{
	const struct ledger_filter filter = { .name = name };
	struct seen seen = { 0 };

	assert_int_equal(ledger_each(s->ledger, &filter, see, &seen, NULL), 0);
	return seen;
}

/* What the last line of the log says. */
struct line {
	char act[32], thing[64], count[16];
};

static bool keep(void *arg, const struct auditline *l, struct span text)
{
	struct line *out = arg;
	const char *count = doc_text(doc_member(l->doc, "count"));

	(void)text;
	snprintf(out->act, sizeof(out->act), "%s", l->act);
	snprintf(out->thing, sizeof(out->thing), "%s", l->thing);
	snprintf(out->count, sizeof(out->count), "%s", count ? count : "");
	return true;
}

static void a_batch_is_in_the_ledger_and_one_line_of_the_log(void **state)
{
	const char *folder = "r1";
	struct line line = { .act = "" };
	struct audit_report report;
	struct batch *b;
	struct state *s;

	(void)state;
	make_root(folder);
	s = opened(folder);
	b = begun(s);
	add("A1._device.org", "");
	add("a2._device.org", "");
	add("a3._device.org", "");
	assert_int_equal(issue(b), 0);
	assert_int_equal(look(s, "a?._device.org").done, 3);
	assert_int_equal(look(s, "a2*").n, 1);
	assert_int_equal(audit_each(folder, keep, &line, NULL), 0);
	assert_string_equal(line.act, "cert.issue");
	assert_string_equal(line.thing, "a1._device.org");
	assert_string_equal(line.count, "3");
	add("a4._device.org", "");
	assert_int_equal(issue(b), 0);
	batch_close(b);
	assert_int_equal(look(s, "*._device.org").n, 4);
	assert_int_equal(audit_verify(folder, NULL, &report, NULL), 0);
	assert_int_equal(report.verdict, AUDIT_WHOLE);
	state_close(s);
}

/* More than one wakes the other thread for, the last of which is refused by the one that signs. */
static void of_a_batch_with_a_key_that_is_none_nothing_is_kept(void **state)
{
	const char *folder = "r2";
	struct line line = { .act = "" };
	struct batch *b;
	struct state *s;
	char name[32];

	(void)state;
	make_root(folder);
	s = opened(folder);
	b = begun(s);
	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "a%d._device.org", i);
		add(name, "");
	}
	orders.order[99].spki.n -= 1;
	assert_int_equal(issue(b), ERR_FORMAT);
	batch_close(b);
	assert_int_equal(look(s, "a*").n, 0);
	assert_int_equal(audit_each(folder, keep, &line, NULL), 0);
	assert_string_not_equal(line.act, "cert.issue");
	state_close(s);
}

static void refuse_one(const char *database, const char *name)
{
	sqlite3 *db = NULL;
	char sql[160];

	snprintf(sql, sizeof(sql),
		"CREATE TRIGGER t BEFORE INSERT ON certificate WHEN NEW.names = '%s' "
		"BEGIN SELECT RAISE(ABORT, 'not this one'); END",
		name);
	assert_int_equal(sqlite3_open(database, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

/* The second part is refused: the first is whole by then, in the ledger and in the log. */
static void of_a_long_batch_each_part_is_whole_by_itself(void **state)
{
	const char *folder = "r6";
	struct line line = { .act = "" };
	struct batch *b;
	struct state *s;
	char name[32];

	(void)state;
	make_root(folder);
	s = opened(folder);
	b = begun(s);
	for (int i = 0; i < 2 * BATCH_PART; i++) {
		snprintf(name, sizeof(name), "b%d._device.org", i);
		add(name, "");
	}
	orders.order[2 * BATCH_PART - 1].spki.n -= 1;
	assert_int_equal(issue(b), ERR_FORMAT);
	assert_int_equal(look(s, "b*").done, BATCH_PART);
	assert_int_equal(audit_each(folder, keep, &line, NULL), 0);
	assert_string_equal(line.thing, "b0._device.org");
	assert_string_equal(line.count, "1000");
	batch_close(b);
	b = begun(s);
	add("b._device.org", "");
	assert_int_equal(issue(b), 0);
	batch_close(b);
	assert_int_equal(look(s, "b*").done, BATCH_PART + 1);
	state_close(s);
}

/* The ledger refuses the third, while the other thread signs on. */
static void of_a_batch_that_the_ledger_refuses_nothing_is_kept(void **state)
{
	const char *folder = "r5";
	struct batch *b;
	struct state *s;
	char name[32];

	(void)state;
	make_root(folder);
	s = opened(folder);
	refuse_one("r5/ca.db", "a2._device.org");
	b = begun(s);
	for (int i = 0; i < 200; i++) {
		snprintf(name, sizeof(name), "a%d._device.org", i);
		add(name, "");
	}
	assert_int_not_equal(issue(b), 0);
	batch_close(b);
	assert_int_equal(look(s, "a*").n, 0);
	state_close(s);
}

static void files_that_a_crash_left_out_are_written(void **state)
{
	const char *folder = "r3";
	char prefix[PATH_MAX], path[PATH_MAX];
	struct stat st;
	struct batch *b;
	struct state *s;

	(void)state;
	make_root(folder);
	s = opened(folder);
	b = begun(s);
	for (int i = 1; i < 4; i++) {
		char name[32];

		snprintf(name, sizeof(name), "a%d._device.org", i);
		snprintf(prefix, sizeof(prefix), "%s/a%d", folder, i);
		add(name, prefix);
	}
	assert_int_equal(issue(b), 0);
	assert_int_equal(look(s, "a?._device.org").done, 0);
	batch_close(b); /* as a crash would have it: no files, not settled */
	state_close(s);
	s = opened(folder);
	assert_int_equal(s->mended, 3);
	assert_int_equal(look(s, "a?._device.org").done, 3);
	snprintf(path, sizeof(path), "%s/a2.pem", folder);
	assert_int_equal(stat(path, &st), 0);
	b = begun(s);
	snprintf(prefix, sizeof(prefix), "%s/a4", folder);
	add("a4._device.org", prefix);
	assert_int_equal(issue(b), 0);
	assert_int_equal(batch_settle(b, NULL), 0);
	batch_close(b);
	assert_int_equal(look(s, "a4*").done, 1);
	state_close(s);
}

static void a_profile_with_a_subject_is_refused(void **state)
{
	const char *folder = "r4";
	struct profile leaf = a_leaf();
	struct batch *b = NULL;
	struct state *s;

	(void)state;
	make_root(folder);
	s = opened(folder);
	leaf.common_name = "a device";
	assert_int_equal(batch_open(s, &leaf, &b, NULL), ERR_ARG);
	state_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_batch_is_in_the_ledger_and_one_line_of_the_log),
		TEST(of_a_batch_with_a_key_that_is_none_nothing_is_kept),
		TEST(of_a_long_batch_each_part_is_whole_by_itself),
		TEST(of_a_batch_that_the_ledger_refuses_nothing_is_kept),
		TEST(files_that_a_crash_left_out_are_written),
		TEST(a_profile_with_a_subject_is_refused),
	};

	return cmocka_run_group_tests_name("batch", tests, scratch_begin, scratch_end);
}
