/* SPDX-License-Identifier: Apache-2.0 */
/* The steps of a rollover one by one, in fake time: a table of answers, and what is done next. */
#include "check.h"
#include "rollover/journal.h"

#include <string.h>

static const struct rollover_policy policy = {
	.margin_s = 1, .drain_s = 20, .broken_s = 30, .patience_s = 600, .pause_ms = 1000
};

static const struct rollover_outcome yes = { .done = true };
static const struct rollover_outcome served = { .done = true, .ttl_s = 60, .negative_s = 9 };
static const struct rollover_outcome lags = { .ttl_s = 60, .why = "ns2 192.0.2.2: old set" };
static const struct rollover_outcome kept = { .done = true, .presents = ROLLOVER_PRESENTS_KEPT };
static const struct rollover_outcome other = { .done = true,
	.presents = ROLLOVER_PRESENTS_OTHER,
	.why = "still the old one" };
static const struct rollover_outcome none = { .done = true,
	.presents = ROLLOVER_PRESENTS_NONE,
	.why = "connection refused" };

#define WAIT_MS ((60 + 9 + 1) * 1000)

struct line {
	int64_t now;
	enum rollover_task task; /* what must be asked for */
	const struct rollover_outcome *o;
};

static void play(struct rollover *r, const struct line *line, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		enum rollover_task task = rollover_next(r, line[i].now);

		if (task != line[i].task)
			fail_msg("line %zu at %lld: task %d, not %d, step %s", i,
				(long long)line[i].now, task, line[i].task,
				rollover_step_word(r->machine.at));
		if (line[i].o)
			rollover_input(r, line[i].o, line[i].now);
	}
}

#define PLAY(r, ...)                                  \
	play(r, (const struct line[]){ __VA_ARGS__ }, \
		sizeof((const struct line[]){ __VA_ARGS__ }) / sizeof(struct line))

static void to_switch(struct rollover *r)
{
	rollover_start(r, &policy, 0, 1000);
	PLAY(r, { 1000, ROLLOVER_MAKE_NEXT, &yes }, { 1000, ROLLOVER_ASK, &served },
		{ 1000, ROLLOVER_PUBLISH, &yes }, { 2000, ROLLOVER_ASK, &served },
		{ 2000 + WAIT_MS - 10000, ROLLOVER_ASK, &served },
		{ 2000 + WAIT_MS - 1, ROLLOVER_WAIT, NULL },
		{ 2000 + WAIT_MS, ROLLOVER_ASK, &served });
	assert_int_equal(r->machine.at, ROLLOVER_SWITCH);
}

static void the_whole_way_in_order(void **state)
{
	struct rollover r;

	(void)state;
	to_switch(&r);
	assert_int_equal(rollover_wanted(&r), ROLLOVER_CURRENT | ROLLOVER_NEXT);
	/* The drain is a TTL, as that is longer than drain_s. */
	PLAY(&r, { 90000, ROLLOVER_INSTALL, &yes }, { 90000, ROLLOVER_LOOK, &kept },
		{ 90000 + 61000 - 1000, ROLLOVER_LOOK, &kept },
		{ 90000 + 61000 - 1, ROLLOVER_WAIT, NULL },
		{ 90000 + 61000, ROLLOVER_LOOK, &kept });
	assert_int_equal(rollover_wanted(&r), ROLLOVER_NEXT);
	assert_int_equal(rollover_banned(&r), ROLLOVER_CURRENT | ROLLOVER_STANDBY);
	PLAY(&r, { 160000, ROLLOVER_PUBLISH, &yes }, { 160000, ROLLOVER_ASK, &served },
		{ 160000, ROLLOVER_ERASE, &yes }, { 160000, ROLLOVER_NOTHING, NULL });
	assert_int_equal(rollover_unwanted(&r), ROLLOVER_CURRENT);
	assert_true(rollover_is_done(&r));
}

static void a_server_that_lags_holds_it_and_is_named(void **state)
{
	struct rollover r;

	(void)state;
	rollover_start(&r, &policy, 0, 1000);
	PLAY(&r, { 1000, ROLLOVER_MAKE_NEXT, &yes }, { 1000, ROLLOVER_ASK, &served },
		{ 1000, ROLLOVER_PUBLISH, &yes }, { 1000, ROLLOVER_ASK, &lags },
		{ 1999, ROLLOVER_WAIT, NULL }, { 2000, ROLLOVER_PUBLISH, &yes },
		{ 2000, ROLLOVER_ASK, &lags }, { 3999, ROLLOVER_WAIT, NULL },
		{ 4000, ROLLOVER_PUBLISH, &yes });
	assert_string_equal(r.trouble, "ns2 192.0.2.2: old set");
	assert_false(rollover_is_late(&r, 4000));
	assert_true(rollover_is_late(&r, 602000));
	/* The clock starts when the last one serves both. */
	PLAY(&r, { 700000, ROLLOVER_ASK, &served });
	assert_int_equal(r.known_ms, 700000 + WAIT_MS);
	assert_false(rollover_is_late(&r, 700000 + WAIT_MS));
}

static void a_server_that_forgets_during_the_wait_starts_it_anew(void **state)
{
	struct rollover r;

	(void)state;
	rollover_start(&r, &policy, 0, 1000);
	PLAY(&r, { 1000, ROLLOVER_MAKE_NEXT, &yes }, { 1000, ROLLOVER_ASK, &served },
		{ 1000, ROLLOVER_PUBLISH, &yes }, { 2000, ROLLOVER_ASK, &served },
		{ 2000 + WAIT_MS, ROLLOVER_ASK, &lags }, { 90000, ROLLOVER_PUBLISH, &yes },
		{ 90000, ROLLOVER_ASK, &served });
	assert_int_equal(r.known_ms, 90000 + WAIT_MS);
}

static void after_a_restart_servers_are_asked_again_before_the_switch(void **state)
{
	struct rollover r;

	(void)state;
	to_switch(&r);
	rollover_resume(&r, 900000);
	PLAY(&r, { 900000, ROLLOVER_ASK, &lags });
	assert_int_equal(r.machine.at, ROLLOVER_ANNOUNCE);
	to_switch(&r);
	rollover_resume(&r, 900000);
	PLAY(&r, { 900000, ROLLOVER_ASK, &served }, { 900000, ROLLOVER_INSTALL, &yes });
}

static void after_a_restart_the_service_is_looked_at_before_the_old_goes(void **state)
{
	struct rollover r;

	(void)state;
	to_switch(&r);
	PLAY(&r, { 90000, ROLLOVER_INSTALL, &yes }, { 90000, ROLLOVER_LOOK, &kept },
		{ 151000, ROLLOVER_LOOK, &kept });
	assert_int_equal(r.machine.at, ROLLOVER_WITHDRAW);
	rollover_resume(&r, 900000);
	PLAY(&r, { 900000, ROLLOVER_LOOK, &other }, { 910000, ROLLOVER_INSTALL, &yes },
		{ 910000, ROLLOVER_LOOK, &kept });
	assert_int_equal(r.machine.at, ROLLOVER_DRAIN);
	assert_int_equal(r.drained_ms, 910000 + 61000);
}

static void a_reload_that_does_nothing_is_done_again_and_nothing_is_removed(void **state)
{
	struct rollover r;

	(void)state;
	to_switch(&r);
	PLAY(&r, { 90000, ROLLOVER_INSTALL, &yes }, { 90000, ROLLOVER_LOOK, &other },
		{ 90999, ROLLOVER_WAIT, NULL }, { 91000, ROLLOVER_INSTALL, &yes },
		{ 91000, ROLLOVER_LOOK, &other }, { 93000, ROLLOVER_INSTALL, &yes });
	assert_true(rollover_is_late(&r, 900000));
	assert_int_equal(rollover_wanted(&r), ROLLOVER_CURRENT | ROLLOVER_NEXT);
	assert_string_equal(r.trouble, "still the old one");
}

static void a_service_that_breaks_goes_back(void **state)
{
	struct rollover r;

	(void)state;
	to_switch(&r);
	PLAY(&r, { 90000, ROLLOVER_INSTALL, &yes }, { 90000, ROLLOVER_LOOK, &none },
		{ 100000, ROLLOVER_INSTALL, &yes }, { 119999, ROLLOVER_LOOK, &none });
	assert_int_equal(r.keep, ROLLOVER_NEXT);
	PLAY(&r, { 130000, ROLLOVER_INSTALL, &yes }, { 130000, ROLLOVER_LOOK, &none });
	assert_int_equal(r.keep, ROLLOVER_CURRENT);
	PLAY(&r, { 130000, ROLLOVER_INSTALL, &yes }, { 130000, ROLLOVER_LOOK, &kept },
		{ 191000, ROLLOVER_LOOK, &kept }, { 191000, ROLLOVER_PUBLISH, &yes });
	assert_int_equal(rollover_wanted(&r), ROLLOVER_CURRENT);
	PLAY(&r, { 191000, ROLLOVER_ASK, &served }, { 191000, ROLLOVER_ERASE, &yes });
	assert_int_equal(rollover_unwanted(&r), ROLLOVER_NEXT);
	assert_string_equal(r.trouble, "connection refused");
}

static void an_emergency_with_a_known_standby_switches_at_once(void **state)
{
	struct rollover_policy stock = policy;
	struct rollover r;

	(void)state;
	stock.standby = true;
	rollover_start(&r, &stock, 900, 1000);
	assert_true(rollover_hurry(&r, 1000));
	PLAY(&r, { 1000, ROLLOVER_INSTALL, &yes }, { 1000, ROLLOVER_LOOK, &kept },
		{ 1000, ROLLOVER_MAKE_STANDBY, &yes }, { 1000, ROLLOVER_PUBLISH, &yes });
	assert_int_equal(rollover_wanted(&r), ROLLOVER_NEXT | ROLLOVER_STANDBY);
	assert_false(rollover_turn(&r, "no", 1000));
	PLAY(&r, { 1000, ROLLOVER_ASK, &served }, { 1000, ROLLOVER_ERASE, &yes });
	/* When the new standby is of use. */
	assert_int_equal(r.known_ms, 1000 + WAIT_MS);
}

static void an_emergency_with_a_young_standby_says_from_when(void **state)
{
	struct rollover r;

	(void)state;
	rollover_start(&r, &policy, 5000, 1000);
	assert_false(rollover_hurry(&r, 1000));
	assert_int_equal(r.known_ms, 5000);
	PLAY(&r, { 1000, ROLLOVER_ASK, &served }, { 1000, ROLLOVER_PUBLISH, &yes },
		{ 1000, ROLLOVER_ASK, &served }, { 4999, ROLLOVER_WAIT, NULL },
		{ 5000, ROLLOVER_ASK, &served }, { 5000, ROLLOVER_INSTALL, &yes });
}

static void a_standby_that_was_taken_out_is_waited_for_like_any_key(void **state)
{
	struct rollover r;

	(void)state;
	rollover_start(&r, &policy, 900, 1000);
	assert_int_equal(rollover_wanted(&r), ROLLOVER_CURRENT | ROLLOVER_NEXT);
	PLAY(&r, { 1000, ROLLOVER_ASK, &lags });
	assert_int_equal(rollover_wanted(&r), ROLLOVER_CURRENT);
	assert_false(rollover_hurry(&r, 1000));
	PLAY(&r, { 2000, ROLLOVER_ASK, &served }, { 2000, ROLLOVER_PUBLISH, &yes },
		{ 2000, ROLLOVER_ASK, &served });
	assert_int_equal(r.known_ms, 2000 + WAIT_MS);
}

static void turning_round_before_the_switch_takes_next_out_again(void **state)
{
	struct rollover r;

	(void)state;
	rollover_start(&r, &policy, 0, 1000);
	PLAY(&r, { 1000, ROLLOVER_MAKE_NEXT, &yes }, { 1000, ROLLOVER_ASK, &served },
		{ 1000, ROLLOVER_PUBLISH, &yes });
	assert_true(rollover_turn(&r, "changed my mind", 1000));
	assert_int_equal(rollover_wanted(&r), ROLLOVER_CURRENT);
	assert_int_equal(rollover_banned(&r), ROLLOVER_NEXT | ROLLOVER_STANDBY);
	PLAY(&r, { 1000, ROLLOVER_PUBLISH, &yes }, { 1000, ROLLOVER_ASK, &lags },
		{ 2000, ROLLOVER_PUBLISH, &yes }, { 2000, ROLLOVER_ASK, &served },
		{ 2000, ROLLOVER_ERASE, &yes }, { 2000, ROLLOVER_NOTHING, NULL });
	assert_false(rollover_hurry(&r, 3000));
}

/* As a keeper does it, between two lives. */
static void put(const struct rollover *r, struct buf *out)
{
	struct writer w = writer_into(out);

	journal_write(r, NULL, &w);
	assert_true(writer_ok(&w));
}

static int take(struct span text, struct rollover *r, struct err *err)
{
	struct doc *root;
	int rc = doc_read(text, &root, err);

	if (rc == 0) {
		rc = journal_read(root, &policy, r, err);
		doc_free(root);
	}
	return rc;
}

static void the_journal_gives_back_what_it_was_given(void **state)
{
	struct rollover_outcome odd = { .why = "ns \xff\n \"quoted\"" };
	struct rollover r, again;
	struct buf text = { 0 }, twice = { 0 };

	(void)state;
	to_switch(&r);
	rollover_input(&r, &odd, 90000);
	assert_string_equal(r.trouble, "ns ?? \"quoted\"");
	put(&r, &text);
	assert_int_equal(take(buf_span(&text), &again, NULL), 0);
	put(&again, &twice);
	assert_string_equal(buf_string(&text), buf_string(&twice));
	assert_int_equal(again.known_ms, r.known_ms);
	/* And goes on without being resumed, when nobody slept. */
	PLAY(&again, { again.deadline_ms, ROLLOVER_INSTALL, &yes },
		{ again.deadline_ms, ROLLOVER_LOOK, &kept });
	buf_done(&text);
	buf_done(&twice);
}

static void a_journal_that_is_not_one_is_refused(void **state)
{
	struct rollover r = { .tries = 7 };
	struct rollover start;
	struct buf text = { 0 };
	struct err err;
	char *step;

	(void)state;
	assert_int_equal(take(bytes("{}"), &r, &err), ERR_FORMAT);
	assert_non_null(strstr(err.msg, "step"));
	rollover_start(&start, &policy, 0, 1000);
	put(&start, &text);
	step = strstr((char *)text.p, "make");
	assert_non_null(step);
	memcpy(step, "bake", 4);
	assert_int_equal(take(buf_span(&text), &r, &err), ERR_FORMAT);
	assert_non_null(strstr(err.msg, "bake"));
	assert_int_equal(r.tries, 7);
	buf_done(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_whole_way_in_order),
		TEST(a_server_that_lags_holds_it_and_is_named),
		TEST(a_server_that_forgets_during_the_wait_starts_it_anew),
		TEST(after_a_restart_servers_are_asked_again_before_the_switch),
		TEST(after_a_restart_the_service_is_looked_at_before_the_old_goes),
		TEST(a_reload_that_does_nothing_is_done_again_and_nothing_is_removed),
		TEST(a_service_that_breaks_goes_back),
		TEST(an_emergency_with_a_known_standby_switches_at_once),
		TEST(an_emergency_with_a_young_standby_says_from_when),
		TEST(a_standby_that_was_taken_out_is_waited_for_like_any_key),
		TEST(turning_round_before_the_switch_takes_next_out_again),
		TEST(the_journal_gives_back_what_it_was_given),
		TEST(a_journal_that_is_not_one_is_refused),
	};

	return cmocka_run_group_tests_name("rollover/rollover", tests, NULL, NULL);
}
