/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "publish/change.h"

#include <string.h>

/* A set of TLSA records, one per letter: "ab" is two of them. */
static struct rrset set(const char *letters, uint32_t ttl_s)
{
	struct rrset s = { .type = RR_TLSA, .ttl_s = ttl_s };

	assert_int_equal(name_of("_8003._tcp.js.a.example", &s.owner), 0);
	for (; *letters; letters++) {
		uint8_t rdata[35] = { 3, 1, 1 };

		memset(rdata + 3, *letters, 32);
		assert_int_equal(rrset_add(&s, (struct span){ rdata, sizeof(rdata) }, NULL), 0);
	}
	return s;
}

static void letters_of(const struct rrset *s, char out[16])
{
	for (size_t i = 0; i < s->count; i++)
		*out++ = (char)s->rdata[i].p[3];
	*out = '\0';
}

static void a_set_holds_each_record_once_in_order(void **state)
{
	struct rrset s = set("cabac", 5), other = set("abc", 7), less = set("ab", 5);
	char words[16];

	(void)state;
	letters_of(&s, words);
	assert_string_equal(words, "abc");
	assert_true(rrset_equal(&s, &other));
	assert_false(rrset_equal(&s, &less));
	rrset_remove(&s, other.rdata[2]);
	rrset_remove(&s, other.rdata[2]);
	assert_true(rrset_equal(&s, &less));
	rrset_done(&s);
	rrset_done(&other);
	rrset_done(&less);
}

static void a_set_has_a_limit(void **state)
{
	struct rrset s = set("", 5);
	struct err err;

	(void)state;
	for (uint8_t i = 0; i < RRSET_RECORDS_MAX; i++)
		assert_int_equal(rrset_add(&s, (struct span){ &i, 1 }, NULL), 0);
	assert_int_equal(rrset_add(&s, (struct span){ (const uint8_t *)"xx", 2 }, &err), ERR_SPACE);
	rrset_done(&s);
}

static void text_reads_back(void **state)
{
	struct rrset s = set("a", 60);
	struct buf line = { 0 }, data = { 0 };
	const char *words;

	(void)state;
	rrset_write_line(&s, s.rdata[0], &line);
	assert_string_equal(buf_string(&line),
		"_8003._tcp.js.a.example. 60 IN TLSA 3 1 1 "
		"6161616161616161616161616161616161616161616161616161616161616161\n");
	words = strstr(buf_string(&line), "3 1 1");
	line.p[line.n - 1] = '\0';
	assert_int_equal(rrset_read_data(RR_TLSA, words, &data, NULL), 0);
	assert_true(rrset_has(&s, buf_span(&data)));
	buf_done(&line);
	buf_done(&data);
	rrset_write_data(RR_A, (struct span){ (const uint8_t *)"\x7f\0\0\1", 4 }, &line);
	assert_string_equal(buf_string(&line), "\\# 4 7f000001");
	assert_int_equal(rrset_read_data(RR_A, buf_string(&line), &data, NULL), 0);
	assert_int_equal(data.n, 4);
	buf_done(&data);
	assert_int_equal(rrset_read_data(RR_A, "127.0.0.1", &data, NULL), ERR_FORMAT);
	assert_int_equal(rrset_read_data(RR_A, "\\# 5 7f000001", &data, NULL), ERR_FORMAT);
	assert_int_equal(rrset_read_data(RR_TLSA, "3 1 1 aa", &data, NULL), 0);
	rrset_done(&s);
	buf_done(&line);
	buf_done(&data);
}

struct row {
	const char *now, *owned, *wanted, *after;
	bool empty;
};

static void what_is_not_ours_stays(void **state)
{
	static const struct row rows[] = {
		{ "", "", "a", "a", false },
		{ "a", "a", "a", "a", true },
		{ "a", "a", "b", "b", false },
		{ "a", "a", "ab", "ab", false },
		{ "ax", "a", "b", "bx", false },
		{ "x", "", "", "x", true },
		{ "x", "a", "", "x", true }, /* ours has gone without us */
		{ "ax", "a", "", "x", false },
		{ "x", "", "x", "x", true }, /* another's, and we want the same */
		{ "", "a", "a", "a", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct rrset now = set(rows[i].now, 60), owned = set(rows[i].owned, 60),
			     wanted = set(rows[i].wanted, 60);
		struct change c;
		char words[16];

		assert_int_equal(change_plan(&now, &owned, &wanted, &c, NULL), 0);
		letters_of(&c.after, words);
		assert_string_equal(words, rows[i].after);
		assert_int_equal(change_is_empty(&c), rows[i].empty);
		change_done(&c);
		rrset_done(&now);
		rrset_done(&owned);
		rrset_done(&wanted);
	}
}

static void the_ttl_is_ours_only_when_the_whole_set_is(void **state)
{
	struct rrset now = set("a", 60), mixed = set("ax", 60), owned = set("a", 0),
		     wanted = set("a", 5);
	struct change c;
	struct buf text = { 0 };

	(void)state;
	assert_int_equal(change_plan(&now, &owned, &wanted, &c, NULL), 0);
	assert_int_equal(c.after.ttl_s, 5);
	assert_false(change_is_empty(&c));
	change_write(&c, &text);
	assert_non_null(strstr(buf_string(&text), "-_8003._tcp.js.a.example. 60 IN"));
	assert_non_null(strstr(buf_string(&text), "+_8003._tcp.js.a.example. 5 IN"));
	buf_done(&text);
	change_done(&c);
	assert_int_equal(change_plan(&mixed, &owned, &wanted, &c, NULL), 0);
	assert_int_equal(c.after.ttl_s, 60);
	assert_true(change_is_empty(&c));
	change_done(&c);
	rrset_done(&now);
	rrset_done(&mixed);
	rrset_done(&owned);
	rrset_done(&wanted);
}

static void what_comes_and_goes_is_told(void **state)
{
	struct rrset now = set("ax", 60), owned = set("a", 60), wanted = set("b", 60);
	struct rrset added = { 0 }, removed = { 0 };
	struct change c;
	char words[16];

	(void)state;
	assert_int_equal(change_plan(&now, &owned, &wanted, &c, NULL), 0);
	assert_int_equal(change_added(&c, &added, NULL), 0);
	assert_int_equal(change_removed(&c, &removed, NULL), 0);
	letters_of(&added, words);
	assert_string_equal(words, "b");
	letters_of(&removed, words);
	assert_string_equal(words, "a");
	rrset_done(&added);
	rrset_done(&removed);
	change_done(&c);
	rrset_done(&now);
	rrset_done(&owned);
	rrset_done(&wanted);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_set_holds_each_record_once_in_order),
		TEST(a_set_has_a_limit),
		TEST(text_reads_back),
		TEST(what_is_not_ours_stays),
		TEST(the_ttl_is_ours_only_when_the_whole_set_is),
		TEST(what_comes_and_goes_is_told),
	};

	return cmocka_run_group_tests_name("change", tests, NULL, NULL);
}
