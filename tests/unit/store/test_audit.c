/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "core/buf.h"
#include "pki/pemfile.h"
#include "pki/wholefile.h"
#include "store/audit.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define LINES 5

static char folder[] = "/tmp/sardane-audit-XXXXXX";

static int prepare(void **state)
{
	(void)state;
	return mkdtemp(folder) ? chdir(folder) : -1;
}

static int finish(void **state)
{
	char words[64];

	(void)state;
	snprintf(words, sizeof(words), "rm -rf %s", folder);
	return chdir("/") || system(words);
}

static void append(unsigned count)
{
	struct audit *a = NULL;
	struct err err = { 0 };

	if (audit_open(".", &a, &err) != 0)
		fail_msg("%s", err.msg);
	for (unsigned i = 0; i < count; i++) {
		const struct auditline_note notes[] = { { "serial", "0a" }, { "reason", NULL } };

		if (audit_append(a, "cert.issue", "js.b.example", notes, 2, &err) != 0)
			fail_msg("%s", err.msg);
	}
	audit_close(a);
}

static void fresh(void)
{
	unlink("audit.log");
	unlink("audit.head");
	append(LINES);
}

static struct audit_report verified(const struct audit_head *noted)
{
	struct audit_report r = { 0 };
	struct err err;

	if (audit_verify(".", noted, &r, &err) != 0)
		fail_msg("%s", err.msg);
	return r;
}

static void is_broken(const char *words)
{
	struct audit_report r = verified(NULL);

	assert_int_equal(r.verdict, AUDIT_BROKEN);
	if (!strstr(r.why, words))
		fail_msg("'%s' does not say '%s'", r.why, words);
}

static struct buf read_log(void)
{
	struct buf text = { 0 };

	assert_int_equal(wholefile_read("log", "audit.log", &text, NULL), 0);
	return text;
}

static void write_log(struct span text)
{
	assert_int_equal(pemfile_write("audit.log", PEMFILE_PRIVATE, true, text, NULL), 0);
}

/* The lines, each with its newline, in the order of `order`, which a -1 ends. */
static void reorder(const int *order)
{
	struct buf text = read_log(), out = { 0 };
	struct span lines[LINES];
	uint8_t *p = text.p;

	for (int i = 0; i < LINES; i++) {
		uint8_t *end = memchr(p, '\n', (size_t)(text.p + text.n - p));

		lines[i] = (struct span){ p, (size_t)(end + 1 - p) };
		p = end + 1;
	}
	for (; *order >= 0; order++)
		buf_put(&out, lines[*order]);
	write_log(buf_span(&out));
	buf_done(&out);
	buf_done(&text);
}

static void what_was_appended_is_whole(void **state)
{
	struct audit_report r;

	(void)state;
	fresh();
	r = verified(NULL);
	assert_int_equal(r.verdict, AUDIT_WHOLE);
	assert_int_equal(r.head.seq, LINES);
	assert_false(r.lagging);
}

static void any_octet_changed_is_found(void **state)
{
	struct buf text;

	(void)state;
	fresh();
	text = read_log();
	for (size_t i = 0; i < text.n; i++) {
		struct audit_report r;
		FILE *f = fopen("audit.log", "r+");

		text.p[i] ^= 1;
		assert_int_equal(fseek(f, (long)i, SEEK_SET), 0);
		fputc(text.p[i], f);
		fclose(f);
		r = verified(NULL);
		if (r.verdict == AUDIT_WHOLE)
			fail_msg("octet %zu", i);
		text.p[i] ^= 1;
		f = fopen("audit.log", "r+");
		fseek(f, (long)i, SEEK_SET);
		fputc(text.p[i], f);
		fclose(f);
	}
	assert_int_equal(verified(NULL).verdict, AUDIT_WHOLE);
	buf_done(&text);
}

static void a_line_removed_inserted_or_moved_is_named(void **state)
{
	(void)state;
	fresh();
	reorder((const int[]){ 0, 1, 3, 4, -1 });
	is_broken("line 3: has number 4: what stood between was removed");
	fresh();
	reorder((const int[]){ 0, 1, 1, 2, 3, 4, -1 });
	is_broken("line 3: has number 2: inserted, or out of its place");
	fresh();
	reorder((const int[]){ 0, 2, 1, 3, 4, -1 });
	is_broken("line 2: has number 3");
	fresh();
	reorder((const int[]){ 1, 2, 3, 4, -1 });
	is_broken("line 1: has number 2");
}

static void a_line_with_a_hash_of_its_own_does_not_follow(void **state)
{
	struct auditline forged = { .seq = 4,
		.at = "2026-11-22T04:33:26Z",
		.act = "x.y",
		.who = "nobody",
		.thing = "z" };
	struct buf text, out = { 0 };
	size_t n = 0;

	(void)state;
	fresh();
	text = read_log();
	for (int i = 0; i < 3; i++)
		n += strcspn((char *)text.p + n, "\n") + 1;
	buf_put(&out, (struct span){ text.p, n });
	memset(forged.prev, 'a', 64);
	assert_int_equal(auditline_write(&forged, &out, NULL), 0);
	write_log(buf_span(&out));
	is_broken("line 4: does not follow the line before it");
	buf_done(&text);
	buf_done(&out);
}

static void a_log_cut_short_is_named(void **state)
{
	struct buf text;

	(void)state;
	fresh();
	reorder((const int[]){ 0, 1, 2, -1 });
	is_broken("cut short: the head says line 5, the log ends with 3");
	fresh();
	reorder((const int[]){ -1 });
	is_broken("cut short: the head says line 5, the log ends with 0");
	fresh();
	text = read_log();
	write_log((struct span){ text.p, text.n - 1 });
	is_broken("line 5: cut short");
	buf_done(&text);
}

static void a_head_that_is_missing_or_another_is_named(void **state)
{
	struct audit_head other = { .seq = LINES };

	(void)state;
	fresh();
	unlink("audit.head");
	is_broken("audit.head': No such file");
	memset(other.hash, 'a', 64);
	assert_int_equal(audithead_write("audit.head", &other, NULL), 0);
	is_broken("the head's hash is not that of line 5");
	other.seq = 2;
	assert_int_equal(audithead_write("audit.head", &other, NULL), 0);
	is_broken("the head says line 2, the log goes on to 5");
}

static void a_log_that_does_not_fit_its_head_takes_no_line(void **state)
{
	struct audit *a = NULL;
	struct err err;

	(void)state;
	fresh();
	reorder((const int[]){ 0, 1, 2, -1 });
	assert_int_equal(audit_open(".", &a, NULL), 0);
	assert_int_equal(audit_append(a, "x.y", "z", NULL, 0, &err), ERR_FORMAT);
	assert_non_null(strstr(err.msg, "is not the one in"));
	unlink("audit.head");
	assert_int_not_equal(audit_append(a, "x.y", "z", NULL, 0, &err), 0);
	audit_close(a);
	is_broken("audit.head");
}

static void a_log_written_anew_is_found_by_a_noted_head(void **state)
{
	struct audit_head noted;

	(void)state;
	fresh();
	noted = verified(NULL).head;
	append(3);
	assert_int_equal(verified(&noted).verdict, AUDIT_WHOLE);
	fresh();
	append(1);
	noted.hash[0] = noted.hash[0] == 'a' ? 'b' : 'a';
	assert_int_equal(verified(NULL).verdict, AUDIT_WHOLE);
	assert_int_equal(verified(&noted).verdict, AUDIT_BROKEN);
	noted.seq = 90;
	assert_non_null(strstr(verified(&noted).why, "line 90 was noted"));
}

static void a_crash_between_line_and_head_is_mended(void **state)
{
	struct audit_head before;
	struct audit_report r;

	(void)state;
	fresh();
	assert_int_equal(audithead_read("audit.head", &before, NULL), 0);
	append(1);
	assert_int_equal(audithead_write("audit.head", &before, NULL), 0);
	r = verified(NULL);
	assert_int_equal(r.verdict, AUDIT_WHOLE);
	assert_true(r.lagging);
	append(1);
	r = verified(NULL);
	assert_int_equal(r.head.seq, LINES + 2);
	assert_false(r.lagging);
}

static void the_head_is_never_more_than_one_line_behind(void **state)
{
	struct audit_head now;
	struct audit_head before;
	struct audit *a = NULL;

	(void)state;
	fresh();
	assert_int_equal(audithead_read("audit.head", &before, NULL), 0);
	append(1);
	assert_int_equal(audithead_write("audit.head", &before, NULL), 0);
	/* one that fails after it has looked: what it found behind is mended all the same */
	assert_int_equal(audit_open(".", &a, NULL), 0);
	assert_int_equal(audit_append(a, "x.y", "\xff", NULL, 0, NULL), ERR_FORMAT);
	audit_close(a);
	assert_int_equal(audithead_read("audit.head", &now, NULL), 0);
	assert_int_equal(now.seq, LINES + 1);
}

static void a_crash_within_a_line_is_mended_and_told(void **state)
{
	struct buf text;
	FILE *f;

	(void)state;
	fresh();
	f = fopen("audit.log", "a");
	fputs("{\"seq\":6,\"at\":\"20", f);
	fclose(f);
	is_broken("line 6: cut short: a writer was interrupted");
	append(1);
	assert_int_equal(verified(NULL).verdict, AUDIT_WHOLE);
	assert_int_equal(verified(NULL).head.seq, LINES + 2);
	text = read_log();
	assert_non_null(strstr(buf_string(&text), "\"act\":\"audit.mend\""));
	buf_done(&text);
}

static void two_writers_at_once_make_one_chain(void **state)
{
	int status = 1;
	pid_t other;

	(void)state;
	fresh();
	other = fork();
	append(20);
	if (other == 0)
		_exit(0);
	assert_int_equal(waitpid(other, &status, 0), other);
	assert_int_equal(status, 0);
	assert_int_equal(verified(NULL).verdict, AUDIT_WHOLE);
	assert_int_equal(verified(NULL).head.seq, LINES + 40);
}

static void too_much_is_refused_and_leaves_the_log_whole(void **state)
{
	static char much[AUDITLINE_MAX];
	struct audit *a = NULL;

	(void)state;
	memset(much, 'x', sizeof(much) - 1);
	fresh();
	assert_int_equal(audit_open(".", &a, NULL), 0);
	assert_int_equal(audit_append(a, "x.y", much, NULL, 0, NULL), ERR_FORMAT);
	assert_int_equal(audit_append(a, "x.y", "\xff", NULL, 0, NULL), ERR_FORMAT);
	audit_close(a);
	assert_int_equal(verified(NULL).head.seq, LINES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_was_appended_is_whole),
		TEST(any_octet_changed_is_found),
		TEST(a_line_removed_inserted_or_moved_is_named),
		TEST(a_line_with_a_hash_of_its_own_does_not_follow),
		TEST(a_log_cut_short_is_named),
		TEST(a_head_that_is_missing_or_another_is_named),
		TEST(a_log_that_does_not_fit_its_head_takes_no_line),
		TEST(a_log_written_anew_is_found_by_a_noted_head),
		TEST(a_crash_between_line_and_head_is_mended),
		TEST(the_head_is_never_more_than_one_line_behind),
		TEST(a_crash_within_a_line_is_mended_and_told),
		TEST(two_writers_at_once_make_one_chain),
		TEST(too_much_is_refused_and_leaves_the_log_whole),
	};

	return cmocka_run_group_tests_name("audit", tests, prepare, finish);
}
