/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/batch.h"
#include "ca/issuance.h"
#include "check.h"
#include "pki/keyfile.h"
#include "pki/keykind.h"
#include "scratch.h"

#include <openssl/x509v3.h>
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

/* One more certificate, for a key of its own; with a prefix the key's file is written first. */
static void add(struct batch *b, const char *text, const char *prefix)
{
	struct press_certificate c;
	unsigned char *spki = NULL;
	EVP_PKEY *key = NULL;
	struct name name;
	char path[PATH_MAX];
	struct err err;
	int n;

	assert_int_equal(keykind_new(KEYKIND_P256, &key, NULL), 0);
	n = i2d_PUBKEY(key, &spki);
	if (prefix[0]) {
		snprintf(path, sizeof(path), "%s-key.pem", prefix);
		assert_int_equal(keyfile_write(path, false, key, NULL, NULL), 0);
	}
	assert_int_equal(name_of(text, &name), 0);
	if (batch_add(b, &name, (struct span){ spki, (size_t)n }, prefix, &c, &err) != 0)
		fail_msg("%s", err.msg);
	OPENSSL_free(spki);
	EVP_PKEY_free(key);
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
	add(b, "A1._device.org", "");
	add(b, "a2._device.org", "");
	add(b, "a3._device.org", "");
	assert_int_equal(batch_commit(b, NULL), 0);
	assert_int_equal(look(s, "a?._device.org").done, 3);
	assert_int_equal(look(s, "a2*").n, 1);
	assert_int_equal(audit_each(folder, keep, &line, NULL), 0);
	assert_string_equal(line.act, "cert.issue");
	assert_string_equal(line.thing, "a1._device.org");
	assert_string_equal(line.count, "3");
	add(b, "a4._device.org", "");
	assert_int_equal(batch_commit(b, NULL), 0);
	batch_close(b);
	assert_int_equal(look(s, "*._device.org").n, 4);
	assert_int_equal(audit_verify(folder, NULL, &report, NULL), 0);
	assert_int_equal(report.verdict, AUDIT_WHOLE);
	state_close(s);
}

static void what_was_not_committed_is_nowhere(void **state)
{
	const char *folder = "r2";
	struct batch *b;
	struct state *s;

	(void)state;
	make_root(folder);
	s = opened(folder);
	b = begun(s);
	add(b, "a1._device.org", "");
	batch_close(b);
	assert_int_equal(look(s, "a1*").n, 0);
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
		add(b, name, prefix);
	}
	assert_int_equal(batch_commit(b, NULL), 0);
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
	add(b, "a4._device.org", prefix);
	assert_int_equal(batch_commit(b, NULL), 0);
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
		TEST(what_was_not_committed_is_nowhere),
		TEST(files_that_a_crash_left_out_are_written),
		TEST(a_profile_with_a_subject_is_refused),
	};

	return cmocka_run_group_tests_name("batch", tests, scratch_begin, scratch_end);
}
