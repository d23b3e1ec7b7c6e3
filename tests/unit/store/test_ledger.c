/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "scratch.h"
#include "store/ledger.h"

#include <string.h>

static struct ledger *l;

static int prepare(void **state)
{
	return scratch_begin(state) || ledger_open("ca.db", &l, NULL);
}

static int finish(void **state)
{
	ledger_close(l);
	return scratch_end(state);
}

static struct ledger_entry an_entry(const char *serial, const char *names, int64_t end)
{
	return (struct ledger_entry){ .serial = serial,
		.issuer = "aa",
		.subject = "CN=Some Name",
		.names = names,
		.profile = "server",
		.prefix = "/x",
		.not_before = 1,
		.not_after = end,
		.issued_at = 1,
		.state = LEDGER_DONE,
		.der = bytes("der") };
}

struct seen {
	unsigned n;
	char serials[256];
};

static bool see(void *arg, const struct ledger_entry *e)
{
	struct seen *s = arg;

	s->n++;
	strncat(s->serials, e->serial, sizeof(s->serials) - strlen(s->serials) - 1);
	return true;
}

static struct seen found(const struct ledger_filter *filter)
{
	struct seen seen = { 0 };

	assert_int_equal(ledger_each(l, filter, see, &seen, NULL), 0);
	return seen;
}

static void everything_that_is_asked_for_must_hold(void **state)
{
	struct ledger_entry a = an_entry("01", "js.a.example ns.a.example", 100);
	struct ledger_entry b = an_entry("02", "js.b.example", 50);
	struct ledger_entry c = an_entry("03", "", 200);
	struct ledger_filter f = { 0 };

	(void)state;
	c.subject = "CN=Third";
	c.issuer = "bb";
	assert_int_equal(ledger_add(l, &a, NULL), 0);
	assert_int_equal(ledger_add(l, &b, NULL), 0);
	assert_int_equal(ledger_add(l, &c, NULL), 0);
	assert_string_equal(found(&f).serials, "020103");
	f.name = "js.*";
	assert_string_equal(found(&f).serials, "0201");
	f.name = "js.*.example ns*";
	assert_int_equal(found(&f).n, 0);
	f.name = "*third*";
	assert_string_equal(found(&f).serials, "03");
	f = (struct ledger_filter){ .issuer = "aa", .expires_before = 100 };
	assert_string_equal(found(&f).serials, "02");
	f = (struct ledger_filter){ .serial = "03" };
	assert_string_equal(found(&f).serials, "03");
}

static void a_serial_enters_once(void **state)
{
	struct ledger_entry a = an_entry("01", "x.example", 100);

	(void)state;
	assert_int_not_equal(ledger_add(l, &a, NULL), 0);
}

static void many_enter_all_or_none(void **state)
{
	struct ledger_entry d = an_entry("0d", "d.example", 100),
			    e = an_entry("01", "e.example", 1);
	struct ledger_filter f = { .name = "d.example" };

	(void)state;
	assert_int_equal(ledger_begin(l, NULL), 0);
	assert_int_equal(ledger_add(l, &d, NULL), 0);
	assert_int_not_equal(ledger_add(l, &e, NULL), 0);
	assert_int_equal(found(&f).n, 0);
	assert_int_equal(ledger_begin(l, NULL), 0);
	assert_int_equal(ledger_add(l, &d, NULL), 0);
	assert_int_equal(ledger_commit(l, NULL), 0);
	assert_int_equal(found(&f).n, 1);
}

static void it_is_revoked_once(void **state)
{
	struct ledger_filter f = { .revoked = true };
	enum ledger_answer answer;
	struct ledger_counts counts;

	(void)state;
	assert_int_equal(ledger_revoke(l, "01", 77, 1, &answer, NULL), 0);
	assert_int_equal(answer, LEDGER_REVOKED);
	assert_int_equal(ledger_revoke(l, "01", 78, 2, &answer, NULL), 0);
	assert_int_equal(answer, LEDGER_ALREADY);
	assert_int_equal(ledger_revoke(l, "99", 78, 2, &answer, NULL), 0);
	assert_int_equal(answer, LEDGER_UNKNOWN);
	assert_string_equal(found(&f).serials, "01");
	assert_int_equal(ledger_count(l, "aa", 60, &counts, NULL), 0);
	assert_int_equal(counts.issued, 3);
	assert_int_equal(counts.revoked, 1);
	assert_int_equal(counts.expired, 1);
}

static void what_is_lost_is_not_shown(void **state)
{
	struct ledger_filter f = { .serial = "02" }, open_ones = { .signed_only = true };

	(void)state;
	assert_int_equal(ledger_settle(l, "02", LEDGER_SIGNED, NULL), 0);
	assert_string_equal(found(&open_ones).serials, "02");
	assert_int_equal(found(&f).n, 1);
	assert_int_equal(ledger_settle(l, "02", LEDGER_LOST, NULL), 0);
	assert_int_equal(found(&open_ones).n, 0);
	assert_int_equal(found(&f).n, 0);
}

static void numbers_of_crls_are_each_issuers_own(void **state)
{
	struct ledger_crl crl;
	uint64_t n;

	(void)state;
	assert_int_equal(ledger_last_crl(l, "aa", &crl, NULL), 0);
	assert_int_equal(crl.number, 0);
	assert_int_equal(ledger_next_crl(l, "aa", 10, &n, NULL), 0);
	assert_int_equal(ledger_next_crl(l, "aa", 20, &n, NULL), 0);
	assert_int_equal(n, 2);
	assert_int_equal(ledger_next_crl(l, "bb", 30, &n, NULL), 0);
	assert_int_equal(n, 1);
	assert_int_equal(ledger_last_crl(l, "aa", &crl, NULL), 0);
	assert_int_equal(crl.this_update, 20);
}

static void a_file_of_another_program_is_refused(void **state)
{
	struct ledger *none = NULL;
	FILE *f = fopen("other.db", "w");

	(void)state;
	fputs("this is no database at all, but long enough to be one's first page", f);
	fclose(f);
	assert_int_not_equal(ledger_open("other.db", &none, NULL), 0);
	assert_null(none);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(everything_that_is_asked_for_must_hold),
		TEST(a_serial_enters_once),
		TEST(many_enter_all_or_none),
		TEST(it_is_revoked_once),
		TEST(what_is_lost_is_not_shown),
		TEST(numbers_of_crls_are_each_issuers_own),
		TEST(a_file_of_another_program_is_refused),
	};

	return cmocka_run_group_tests_name("ledger", tests, prepare, finish);
}
