/* SPDX-License-Identifier: Apache-2.0 */
/* What the engine of a resolver asks, answers, keeps and counts. */
#include "story.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void reply(struct story *s, const struct wire_question *w, enum answer_status status,
	uint32_t ttl_s)
{
	story_reply(s, w, (struct wire_answer){ .status = status, .ttl_s = ttl_s });
}

static unsigned wake(struct story *s, enum answer_status status)
{
	struct ask *ask;
	unsigned n = 0;

	while ((ask = engine_pop(s->engine))) {
		assert_non_null(ask->answer);
		assert_int_equal(ask->answer->status, status);
		engine_done(ask);
		n++;
	}
	return n;
}

static const struct answer *cached(struct story *s, const char *name)
{
	struct question question = story_question(name);
	bool fetching;

	return engine_cached(s->engine, s->now_ms, &question, &fetching);
}

static void equal_questions_are_sent_once_and_all_askers_are_woken(void **state)
{
	struct story s = story_begin(story_usual());
	struct ask asks[5] = { 0 };
	struct wire_question w;

	(void)state;
	for (int i = 0; i < 5; i++)
		story_put(&s, i % 2 ? "A.example" : "a.EXAMPLE", RESOLVER_SOURCE_SELF, &asks[i]);
	w = story_sent(&s, "a.example");
	assert_false(engine_send(s.engine, &w));
	reply(&s, &w, ANSWER_SECURE, 60);
	for (int i = 0; i < 5; i++)
		assert_null(asks[i].answer);
	assert_int_equal(engine_deadline(s.engine), 0);
	assert_int_equal(wake(&s, ANSWER_SECURE), 5);
	assert_int_equal(story_stats(&s).coalesced, 4);
	assert_int_equal(story_stats(&s).open, 0);
	story_end(&s);
}

static void the_cache_answers_until_the_ttl_is_over(void **state)
{
	struct story s = story_begin(story_usual());
	struct ask ask = { 0 };
	struct wire_question w;

	(void)state;
	story_put(&s, "a.example", 7, &ask);
	w = story_sent(&s, "a.example");
	reply(&s, &w, ANSWER_SECURE, 9);
	wake(&s, ANSWER_SECURE);
	s.now_ms += 8999;
	story_put(&s, "a.example", 7, &ask);
	assert_int_equal(ask.answer->status, ANSWER_SECURE);
	assert_int_equal(ask.answer->expires_ms - s.now_ms, 1);
	engine_done(&ask);
	s.now_ms += 1;
	assert_null(cached(&s, "a.example"));
	story_end(&s);
}

static void ttls_are_clamped_and_failures_kept_only_for_a_moment(void **state)
{
	static const struct {
		enum answer_status status;
		uint32_t ttl_s, kept_s;
	} rows[] = {
		{ ANSWER_SECURE, 86400, 100 },
		{ ANSWER_DENIAL, 86400, 50 },
		{ ANSWER_SECURE, 0, 0 },
		{ ANSWER_DENIAL, 0, 0 },
		{ ANSWER_BOGUS, 86400, 5 },
		{ ANSWER_FAILED, 86400, 1 },
		{ ANSWER_INSECURE, 20, 20 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct story s = story_begin(story_usual());
		struct ask ask = { 0 };
		struct wire_question w;

		story_put(&s, "a.example", 0, &ask);
		w = story_sent(&s, "a.example");
		reply(&s, &w, rows[i].status, rows[i].ttl_s);
		assert_int_equal(wake(&s, rows[i].status), 1);
		s.now_ms += (int64_t)rows[i].kept_s * 1000 - 1;
		if (rows[i].kept_s)
			assert_non_null(cached(&s, "a.example"));
		s.now_ms += 1;
		assert_null(cached(&s, "a.example"));
		story_end(&s);
	}
}

static void a_passed_deadline_is_an_answer_and_is_not_cached(void **state)
{
	struct story s = story_begin(story_usual());
	struct ask early = { 0 }, late = { 0 };
	struct question question = story_question("a.example");
	struct wire_question w;

	(void)state;
	story_put(&s, "a.example", 0, &late);
	engine_ask(s.engine, s.now_ms, &question, 0, 300, &early);
	w = story_sent(&s, "a.example");
	assert_int_equal(engine_deadline(s.engine), s.now_ms + 300);
	s.now_ms += 300;
	engine_expire(s.engine, s.now_ms);
	assert_ptr_equal(engine_pop(s.engine), &early);
	assert_int_equal(early.answer->status, ANSWER_FAILED);
	assert_non_null(strstr(early.answer->why, "deadline"));
	engine_done(&early);
	assert_null(engine_pop(s.engine));
	s.now_ms += 1700;
	engine_expire(s.engine, s.now_ms);
	assert_int_equal(wake(&s, ANSWER_FAILED), 1);
	assert_null(cached(&s, "a.example"));
	assert_false(engine_is_open(s.engine, w.id));
	reply(&s, &w, ANSWER_SECURE, 60);
	assert_null(cached(&s, "a.example"));
	story_end(&s);
}

static void no_deadline_is_later_than_four_seconds(void **state)
{
	struct story s = story_begin(story_usual());
	struct question question = story_question("a.example");
	struct ask ask = { 0 };

	(void)state;
	engine_ask(s.engine, s.now_ms, &question, 0, 3600000, &ask);
	assert_int_equal(engine_deadline(s.engine), s.now_ms + 4000);
	engine_done(&ask);
	assert_int_equal(engine_deadline(s.engine), INT64_MAX);
	assert_int_equal(story_stats(&s).open, 0);
	story_end(&s);
}

static void one_source_may_not_take_all(void **state)
{
	struct story s = story_begin(story_usual());
	struct ask mine[4] = { 0 }, others = { 0 };

	(void)state;
	story_put(&s, "a.example", 5, &mine[0]);
	story_put(&s, "b.example", 5, &mine[1]);
	story_put(&s, "c.example", 5, &mine[2]);
	story_put(&s, "d.example", 5, &mine[3]);
	assert_int_equal(mine[3].answer->status, ANSWER_FAILED);
	assert_non_null(strstr(mine[3].answer->why, "source"));
	engine_done(&mine[3]);
	story_put(&s, "d.example", 6, &others);
	assert_null(others.answer);
	engine_done(&mine[0]);
	story_put(&s, "e.example", 5, &mine[0]);
	assert_null(mine[0].answer);
	story_end(&s);
}

/* However many of its connections have one name: one question is sent, one is counted. */
static void equal_questions_of_one_source_count_once(void **state)
{
	enum { EQUAL = 1000 };
	struct story s = story_begin(story_usual());
	struct ask *equal = calloc(EQUAL, sizeof(*equal)), other[3] = { 0 };
	struct wire_question w;

	(void)state;
	assert_non_null(equal);
	for (unsigned i = 0; i < EQUAL; i++) {
		story_put(&s, "a.example", 5, &equal[i]);
		assert_null(equal[i].answer);
	}
	story_put(&s, "b.example", 5, &other[0]);
	story_put(&s, "c.example", 5, &other[1]);
	assert_null(other[1].answer);
	/* Until the last of them is gone it counts. */
	for (unsigned i = 0; i < EQUAL - 1; i++)
		engine_done(&equal[i]);
	story_put(&s, "d.example", 5, &other[2]);
	assert_int_equal(other[2].answer->status, ANSWER_FAILED);
	engine_done(&other[2]);
	w = story_sent(&s, "a.example");
	reply(&s, &w, ANSWER_SECURE, 60);
	assert_int_equal(wake(&s, ANSWER_SECURE), 1);
	story_put(&s, "d.example", 5, &other[2]);
	assert_null(other[2].answer);
	free(equal);
	story_end(&s);
}

/* All of one source, that may have so many; each asked twice. */
static void a_thousand_first_questions_of_different_names_all_pass(void **state)
{
	enum { NAMES = 1000, ASKS = 2 * NAMES };
	struct engine_config config = story_usual();
	struct ask *asks = calloc(ASKS, sizeof(*asks));
	char name[32];
	struct wire_question w;
	struct story s;

	(void)state;
	assert_non_null(asks);
	config.open_max = 2 * NAMES + 2;
	config.open_per_source_max = NAMES;
	config.cache_names_max = NAMES;
	s = story_begin(config);
	for (unsigned i = 0; i < ASKS; i++) {
		snprintf(name, sizeof(name), "_n%u.example", i % NAMES);
		story_put(&s, name, 5, &asks[i]);
		assert_null(asks[i].answer);
	}
	for (unsigned i = 0; i < NAMES; i++) {
		assert_true(engine_send(s.engine, &w));
		reply(&s, &w, ANSWER_SECURE, 60);
	}
	assert_false(engine_waits(s.engine));
	assert_int_equal(wake(&s, ANSWER_SECURE), ASKS);
	assert_int_equal(story_stats(&s).refused_budget, 0);
	free(asks);
	story_end(&s);
}

static void strangers_leave_room_for_ourselves(void **state)
{
	static const char *const names[] = { "a", "b", "c", "d", "e", "f", "g", "h", "i" };
	struct story s = story_begin(story_usual());
	struct ask asks[9] = { 0 }, ours = { 0 }, full = { 0 };

	(void)state;
	for (uint64_t i = 0; i < 7; i++) {
		story_put(&s, names[i], 100 + i, &asks[i]);
		assert_null(asks[i].answer);
	}
	story_put(&s, names[7], 107, &asks[7]);
	assert_non_null(strstr(asks[7].answer->why, "too many open questions"));
	engine_done(&asks[7]);
	story_put(&s, names[7], RESOLVER_SOURCE_SELF, &ours);
	assert_null(ours.answer);
	story_put(&s, names[8], RESOLVER_SOURCE_SELF, &full);
	assert_int_equal(full.answer->status, ANSWER_FAILED);
	engine_done(&full);
	assert_int_equal(story_stats(&s).refused_budget, 2);
	story_end(&s);
}

/* Two greedy sources; then a third one is honest and comes in, and does so again. */
static void a_few_sources_may_not_take_all_together(void **state)
{
	static const char *const names[] = { "a", "b", "c", "d", "e", "f" };
	struct story s = story_begin(story_usual());
	struct ask greedy[6] = { 0 }, honest = { 0 };

	(void)state;
	for (unsigned i = 0; i < 6; i++)
		story_put(&s, names[i], 100 + i / 3, &greedy[i]);
	assert_null(greedy[3].answer);
	assert_non_null(strstr(greedy[4].answer->why, "from this source"));
	assert_non_null(greedy[5].answer);
	story_put(&s, "g", 102, &honest);
	assert_null(honest.answer);
	/* What is open already costs no room. */
	engine_done(&greedy[4]);
	story_put(&s, "g", 101, &greedy[4]);
	assert_null(greedy[4].answer);
	for (unsigned i = 0; i < 6; i++)
		engine_done(&greedy[i]);
	engine_done(&honest);
	story_end(&s);
}

static void a_hit_near_the_end_fetches_once_ahead(void **state)
{
	struct story s = story_begin(story_usual());
	struct question question = story_question("a.example");
	struct ask ask = { 0 };
	struct wire_question w;
	bool fetching;

	(void)state;
	story_put(&s, "a.example", 0, &ask);
	w = story_sent(&s, "a.example");
	reply(&s, &w, ANSWER_SECURE, 60);
	wake(&s, ANSWER_SECURE);
	s.now_ms += 54000;
	assert_non_null(engine_cached(s.engine, s.now_ms, &question, &fetching));
	assert_false(fetching);
	s.now_ms += 1;
	assert_non_null(engine_cached(s.engine, s.now_ms, &question, &fetching));
	assert_true(fetching);
	w = story_sent(&s, "a.example");
	assert_non_null(engine_cached(s.engine, s.now_ms, &question, &fetching));
	assert_false(fetching);
	assert_false(engine_waits(s.engine));
	reply(&s, &w, ANSWER_SECURE, 60);
	assert_null(engine_pop(s.engine));
	s.now_ms += 59000;
	assert_non_null(cached(&s, "a.example"));
	assert_int_equal(story_stats(&s).prefetched, 1 + 1);
	story_end(&s);
}

static void a_short_ttl_is_not_fetched_ahead(void **state)
{
	struct story s = story_begin(story_usual());
	struct ask ask = { 0 };
	struct wire_question w;

	(void)state;
	story_put(&s, "a.example", 0, &ask);
	w = story_sent(&s, "a.example");
	reply(&s, &w, ANSWER_SECURE, 9);
	wake(&s, ANSWER_SECURE);
	s.now_ms += 8999;
	assert_non_null(cached(&s, "a.example"));
	assert_false(engine_waits(s.engine));
	story_end(&s);
}

static void a_failed_fetch_ahead_keeps_what_is_still_good(void **state)
{
	static const enum answer_status bad[] = { ANSWER_FAILED, ANSWER_BOGUS };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct story s = story_begin(story_usual());
		struct ask ask = { 0 };
		struct wire_question w;

		story_put(&s, "a.example", 0, &ask);
		w = story_sent(&s, "a.example");
		reply(&s, &w, ANSWER_SECURE, 60);
		wake(&s, ANSWER_SECURE);
		s.now_ms += 55000;
		assert_non_null(cached(&s, "a.example"));
		w = story_sent(&s, "a.example");
		reply(&s, &w, bad[i], 5);
		s.now_ms += 4999;
		assert_int_equal(cached(&s, "a.example")->status, ANSWER_SECURE);
		s.now_ms += 1;
		assert_null(cached(&s, "a.example"));
		story_end(&s);
	}
}

static void a_fetch_that_only_repeats_what_is_known_is_made_again_at_its_end(void **state)
{
	struct story s = story_begin(story_usual());
	struct ask ask = { 0 };
	struct wire_question w;

	(void)state;
	story_put(&s, "a.example", 0, &ask);
	w = story_sent(&s, "a.example");
	reply(&s, &w, ANSWER_SECURE, 60);
	wake(&s, ANSWER_SECURE);
	s.now_ms += 55000;
	assert_non_null(cached(&s, "a.example"));
	w = story_sent(&s, "a.example");
	reply(&s, &w, ANSWER_SECURE, 5);
	assert_false(engine_waits(s.engine));
	assert_int_equal(engine_deadline(s.engine), s.now_ms + 6000);
	s.now_ms += 6000;
	engine_expire(s.engine, s.now_ms);
	w = story_sent(&s, "a.example");
	reply(&s, &w, ANSWER_SECURE, 60);
	assert_int_equal(cached(&s, "a.example")->ttl_s, 60);
	assert_int_equal(story_stats(&s).open, 0);
	assert_int_equal(story_stats(&s).timed_out, 0);
	story_end(&s);
}

static void a_dead_upstream_is_asked_again_but_not_for_ever(void **state)
{
	struct story s = story_begin(story_usual());
	struct ask ask = { 0 }, patient = { 0 };
	struct wire_question w;

	(void)state;
	story_put(&s, "a.example", 0, &ask);
	for (int i = 0; i < ENGINE_TRIES; i++) {
		w = story_sent(&s, "a.example");
		engine_lost(s.engine, s.now_ms);
		reply(&s, &w, ANSWER_SECURE, 60);
		assert_null(cached(&s, "a.example"));
	}
	assert_int_equal(wake(&s, ANSWER_FAILED), 1);
	story_put(&s, "b.example", 0, &patient);
	w = story_sent(&s, "b.example");
	engine_lost(s.engine, s.now_ms + 2000);
	assert_int_equal(wake(&s, ANSWER_FAILED), 1);
	assert_false(engine_waits(s.engine));
	story_end(&s);
}

static void what_could_not_be_sent_goes_first_next_time(void **state)
{
	struct story s = story_begin(story_usual());
	struct ask a = { 0 }, b = { 0 };
	struct wire_question w;

	(void)state;
	story_put(&s, "a.example", 0, &a);
	story_put(&s, "b.example", 0, &b);
	w = story_sent(&s, "a.example");
	engine_unsend(s.engine, w.id);
	story_sent(&s, "a.example");
	story_sent(&s, "b.example");
	assert_int_equal(story_stats(&s).sent, 2);
	story_end(&s);
}

static void an_asker_may_go_in_any_state(void **state)
{
	struct story s = story_begin(story_usual());
	struct ask asks[3] = { 0 };
	struct wire_question w;

	(void)state;
	engine_done(&asks[0]);
	for (int i = 0; i < 3; i++)
		story_put(&s, "a.example", 9, &asks[i]);
	w = story_sent(&s, "a.example");
	engine_done(&asks[1]);
	engine_done(&asks[1]);
	reply(&s, &w, ANSWER_SECURE, 60);
	engine_done(&asks[2]);
	assert_ptr_equal(engine_pop(s.engine), &asks[0]);
	assert_null(engine_pop(s.engine));
	engine_done(&asks[0]);
	engine_done(&asks[0]);
	for (int i = 0; i < 3; i++)
		story_put(&s, i ? "c.example" : "b.example", 9, &asks[i]);
	assert_null(asks[2].answer);
	engine_done(&asks[1]);
	engine_done(&asks[2]);
	story_sent(&s, "b.example");
	assert_false(engine_send(s.engine, &w));
	story_end(&s);
}

static void a_closed_engine_answers_failed_at_once(void **state)
{
	struct story s = story_begin(story_usual());
	struct ask open = { 0 }, late = { 0 };

	(void)state;
	story_put(&s, "a.example", 0, &open);
	engine_close(s.engine);
	assert_int_equal(wake(&s, ANSWER_FAILED), 1);
	story_put(&s, "a.example", 0, &late);
	assert_non_null(strstr(late.answer->why, "closed"));
	engine_done(&late);
	story_end(&s);
}

static void a_question_without_a_name_is_refused_and_never_sent(void **state)
{
	struct story s = story_begin(story_usual());
	struct question empty = { .type = RR_TLSA };
	struct wire_question w;
	struct ask ask = { 0 };

	(void)state;
	engine_ask(s.engine, s.now_ms, &empty, 0, 0, &ask);
	assert_int_equal(ask.answer->status, ANSWER_FAILED);
	assert_false(engine_send(s.engine, &w));
	engine_done(&ask);
	story_end(&s);
}

static void the_least_used_name_leaves_first(void **state)
{
	static const char *const names[] = { "a.x", "b.x", "c.x", "d.x", "e.x" };
	struct story s = story_begin(story_usual());
	struct ask ask = { 0 };

	(void)state;
	for (int i = 0; i < 5; i++) {
		struct wire_question w;

		story_put(&s, names[i], 0, &ask);
		w = story_sent(&s, names[i]);
		reply(&s, &w, ANSWER_SECURE, 60);
		wake(&s, ANSWER_SECURE);
		assert_non_null(cached(&s, "a.x"));
	}
	assert_null(cached(&s, "b.x"));
	assert_non_null(cached(&s, "e.x"));
	assert_int_equal(story_stats(&s).names, 4);
	assert_true(story_stats(&s).cache_octets / 4 < 1024);
	story_end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(equal_questions_are_sent_once_and_all_askers_are_woken),
		TEST(the_cache_answers_until_the_ttl_is_over),
		TEST(ttls_are_clamped_and_failures_kept_only_for_a_moment),
		TEST(a_passed_deadline_is_an_answer_and_is_not_cached),
		TEST(no_deadline_is_later_than_four_seconds),
		TEST(one_source_may_not_take_all),
		TEST(equal_questions_of_one_source_count_once),
		TEST(a_thousand_first_questions_of_different_names_all_pass),
		TEST(strangers_leave_room_for_ourselves),
		TEST(a_few_sources_may_not_take_all_together),
		TEST(a_hit_near_the_end_fetches_once_ahead),
		TEST(a_short_ttl_is_not_fetched_ahead),
		TEST(a_failed_fetch_ahead_keeps_what_is_still_good),
		TEST(a_fetch_that_only_repeats_what_is_known_is_made_again_at_its_end),
		TEST(a_dead_upstream_is_asked_again_but_not_for_ever),
		TEST(what_could_not_be_sent_goes_first_next_time),
		TEST(an_asker_may_go_in_any_state),
		TEST(a_closed_engine_answers_failed_at_once),
		TEST(a_question_without_a_name_is_refused_and_never_sent),
		TEST(the_least_used_name_leaves_first),
	};

	return cmocka_run_group_tests_name("engine", tests, NULL, NULL);
}
