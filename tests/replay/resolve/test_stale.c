/* SPDX-License-Identifier: Apache-2.0 */
/* What has ended and is used all the same while the resolver fails: when, how long, and when not.
 */
#include "resolve/stale.h"
#include "story.h"

#include <string.h>

#define TTL_S    60
#define STALE_S  600
#define SIGNED_S 86400
#define SERVFAIL 2
#define REFUSED  5

#define NAME "a.example"

static unsigned told; /* lines of the log that name an outage */

static void hear(void *arg, enum trace_level level, const char *event, const char *fmt, va_list ap)
{
	(void)arg, (void)level, (void)fmt, (void)ap;
	told += strcmp(event, "resolver.stale") == 0;
}

static void begin(struct story *s, unsigned serve_stale_s)
{
	struct engine_config config = story_usual();

	config.ttl_max_s = 1000;
	config.serve_stale_s = serve_stale_s;
	config.trace.say = hear;
	told = 0;
	*s = story_begin(config);
}

static const struct wire_answer secure = { .status = ANSWER_SECURE,
	.ttl_s = TTL_S,
	.signed_for_s = SIGNED_S };
static const struct wire_answer servfail = { .status = ANSWER_FAILED,
	.rcode = SERVFAIL,
	.why = "it failed" };

static void pop(struct story *s, enum answer_status status, bool stale)
{
	struct ask *ask = engine_pop(s->engine);

	assert_non_null(ask);
	assert_int_equal(ask->answer->status, status);
	assert_int_equal(ask->answer->stale, stale);
	engine_done(ask);
}

/* Asks, lets it be answered so, and is told this. */
static void ask_and_get(struct story *s, struct wire_answer a, enum answer_status status,
	bool stale)
{
	struct ask ask = { 0 };
	struct wire_question w;

	story_put(s, NAME, 7, &ask);
	assert_null(ask.answer);
	w = story_sent(s, NAME);
	story_reply(s, &w, a);
	pop(s, status, stale);
}

/* It is in the cache like this. */
static void hit(struct story *s, enum answer_status status, bool stale)
{
	struct ask ask = { 0 };

	story_put(s, NAME, 7, &ask);
	assert_non_null(ask.answer);
	assert_int_equal(ask.answer->status, status);
	assert_int_equal(ask.answer->stale, stale);
	engine_done(&ask);
}

/* A secure answer that has just ended. */
static void begin_ended(struct story *s, unsigned serve_stale_s, struct wire_answer first)
{
	begin(s, serve_stale_s);
	ask_and_get(s, first, ANSWER_SECURE, false);
	s->now_ms += (int64_t)first.ttl_s * 1000;
}

static void without_the_setting_an_outage_is_a_failure(void **state)
{
	struct ask ask = { 0 };
	struct story s;

	(void)state;
	begin_ended(&s, 0, secure);
	ask_and_get(&s, servfail, ANSWER_FAILED, false);
	s.now_ms += 1000;
	story_put(&s, NAME, 7, &ask);
	story_sent(&s, NAME);
	s.now_ms += 2000;
	engine_expire(s.engine, s.now_ms);
	pop(&s, ANSWER_FAILED, false);
	assert_int_equal(story_stats(&s).stale, 0);
	story_end(&s);
}

static void what_was_secure_is_used_again_when_the_resolver_says_servfail(void **state)
{
	struct story s;

	(void)state;
	begin_ended(&s, STALE_S, secure);
	ask_and_get(&s, servfail, ANSWER_SECURE, true);
	s.now_ms += 4999;
	hit(&s, ANSWER_SECURE, true);
	assert_int_equal(story_stats(&s).stale, 2);
	assert_int_equal(told, 1);
	story_end(&s);
}

static void and_when_no_answer_comes_before_the_deadline(void **state)
{
	struct ask first = { 0 }, second = { 0 };
	struct wire_question w;
	struct story s;

	(void)state;
	begin_ended(&s, STALE_S, secure);
	story_put(&s, NAME, 7, &first);
	s.now_ms += 500;
	story_put(&s, NAME, 7, &second);
	w = story_sent(&s, NAME);
	s.now_ms += 1500;
	engine_expire(s.engine, s.now_ms);
	pop(&s, ANSWER_SECURE, true);
	/* Who waits still may hear better. */
	assert_null(second.answer);
	story_reply(&s, &w, (struct wire_answer){ .status = ANSWER_DENIAL, .ttl_s = 10 });
	pop(&s, ANSWER_DENIAL, false);
	hit(&s, ANSWER_DENIAL, false);
	story_end(&s);
}

static void and_when_its_process_dies_again_and_again(void **state)
{
	struct ask ask = { 0 };
	struct story s;

	(void)state;
	begin_ended(&s, STALE_S, secure);
	story_put(&s, NAME, 7, &ask);
	for (int i = 0; i < ENGINE_TRIES; i++) {
		story_sent(&s, NAME);
		engine_lost(s.engine, s.now_ms);
	}
	pop(&s, ANSWER_SECURE, true);
	story_end(&s);
}

static void it_is_asked_again_later_each_time_and_logged_once(void **state)
{
	static const unsigned for_s[] = { 5, 10, 20, 30, 30 };
	struct story s;

	(void)state;
	begin_ended(&s, STALE_S, secure);
	for (size_t i = 0; i < sizeof(for_s) / sizeof(for_s[0]); i++) {
		ask_and_get(&s, servfail, ANSWER_SECURE, true);
		s.now_ms += for_s[i] * 1000;
	}
	assert_int_equal(told, 1);
	ask_and_get(&s, secure, ANSWER_SECURE, false);
	s.now_ms += TTL_S * 1000;
	ask_and_get(&s, servfail, ANSWER_SECURE, true);
	assert_int_equal(told, 2);
	story_end(&s);
}

static void no_answer_but_a_failure_of_the_resolver_is_put_aside(void **state)
{
	static const struct wire_answer said[] = {
		{ .status = ANSWER_DENIAL },
		{ .status = ANSWER_DENIAL, .ttl_s = 10 },
		{ .status = ANSWER_INSECURE, .ttl_s = 10 },
		{ .status = ANSWER_BOGUS, .rcode = SERVFAIL },
		{ .status = ANSWER_FAILED, .rcode = REFUSED },
		{ .status = ANSWER_FAILED },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++) {
		struct story s;

		begin_ended(&s, STALE_S, secure);
		ask_and_get(&s, said[i], said[i].status, false);
		/* Nor is what was before it ever used again. */
		s.now_ms += 10000;
		ask_and_get(&s, servfail, ANSWER_FAILED, false);
		story_end(&s);
	}
}

static void such_an_answer_ends_it_also_while_it_is_used(void **state)
{
	static const enum answer_status said[] = { ANSWER_DENIAL, ANSWER_INSECURE, ANSWER_BOGUS };

	(void)state;
	for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++) {
		struct ask late = { 0 }, soon = { 0 };
		struct wire_question w;
		struct story s;

		begin_ended(&s, STALE_S, secure);
		story_put(&s, NAME, 7, &soon);
		s.now_ms += 1000;
		story_put(&s, NAME, 7, &late);
		w = story_sent(&s, NAME);
		s.now_ms += 1000;
		engine_expire(s.engine, s.now_ms);
		pop(&s, ANSWER_SECURE, true);
		hit(&s, ANSWER_SECURE, true);
		story_reply(&s, &w, (struct wire_answer){ .status = said[i], .ttl_s = 5 });
		pop(&s, said[i], false);
		hit(&s, said[i], false);
		story_end(&s);
	}
}

/* Fetched ahead, the answer was bogus; what it was to replace is good until its own end only. */
static void a_bogus_fetch_ahead_forbids_what_comes_after_the_end(void **state)
{
	struct wire_question w;
	struct story s;

	(void)state;
	begin(&s, STALE_S);
	ask_and_get(&s, secure, ANSWER_SECURE, false);
	s.now_ms += TTL_S * 1000 - 1000;
	hit(&s, ANSWER_SECURE, false);
	w = story_sent(&s, NAME);
	story_reply(&s, &w, (struct wire_answer){ .status = ANSWER_BOGUS });
	hit(&s, ANSWER_SECURE, false);
	s.now_ms += 1000;
	ask_and_get(&s, servfail, ANSWER_FAILED, false);
	story_end(&s);
}

/* libunbound counts whole seconds, so that its copy ends after ours, and comes with a TTL of 0. */
static void a_copy_that_is_repeated_in_its_last_second_may_be_used_as_long(void **state)
{
	struct wire_answer last = secure;
	struct story s;

	(void)state;
	last.ttl_s = 0;
	begin_ended(&s, 12, secure);
	ask_and_get(&s, last, ANSWER_SECURE, false);
	/* While the resolver answers it is good for nothing. */
	ask_and_get(&s, last, ANSWER_SECURE, false);
	s.now_ms += 11999;
	ask_and_get(&s, servfail, ANSWER_SECURE, true);
	s.now_ms += 1;
	ask_and_get(&s, servfail, ANSWER_FAILED, false);
	story_end(&s);
	/* Nor without the setting, or with signatures that nobody knows. */
	begin_ended(&s, 0, secure);
	ask_and_get(&s, last, ANSWER_SECURE, false);
	ask_and_get(&s, servfail, ANSWER_FAILED, false);
	story_end(&s);
	last.signed_for_s = 0;
	begin_ended(&s, STALE_S, secure);
	ask_and_get(&s, last, ANSWER_SECURE, false);
	ask_and_get(&s, servfail, ANSWER_FAILED, false);
	story_end(&s);
}

/* The helper died on the first question, so it is not parked. */
static void such_a_copy_fetched_ahead_takes_nothing_away(void **state)
{
	struct wire_answer last = secure;
	struct wire_question w;
	struct story s;

	(void)state;
	last.ttl_s = 0;
	begin(&s, STALE_S);
	ask_and_get(&s, secure, ANSWER_SECURE, false);
	s.now_ms += TTL_S * 1000 - 1000;
	hit(&s, ANSWER_SECURE, false);
	story_sent(&s, NAME);
	engine_lost(s.engine, s.now_ms);
	w = story_sent(&s, NAME);
	story_reply(&s, &w, last);
	hit(&s, ANSWER_SECURE, false);
	story_end(&s);
}

static void only_what_was_secure_is_used_again(void **state)
{
	static const enum answer_status first[] = { ANSWER_DENIAL, ANSWER_INSECURE };

	(void)state;
	for (size_t i = 0; i < sizeof(first) / sizeof(first[0]); i++) {
		struct story s;

		begin(&s, STALE_S);
		ask_and_get(&s,
			(struct wire_answer){ .status = first[i],
				.ttl_s = 10,
				.signed_for_s = SIGNED_S },
			first[i], false);
		s.now_ms += 10000;
		ask_and_get(&s, servfail, ANSWER_FAILED, false);
		story_end(&s);
	}
}

static void the_setting_bounds_it(void **state)
{
	struct story s;

	(void)state;
	begin_ended(&s, 12, secure);
	s.now_ms += 11999;
	ask_and_get(&s, servfail, ANSWER_SECURE, true);
	/* Not five seconds more. */
	s.now_ms += 1;
	ask_and_get(&s, servfail, ANSWER_FAILED, false);
	story_end(&s);
}

static void and_the_end_of_the_signatures(void **state)
{
	struct wire_answer first = secure;
	struct story s;

	(void)state;
	first.signed_for_s = TTL_S + 3;
	begin_ended(&s, STALE_S, first);
	s.now_ms += 2999;
	ask_and_get(&s, servfail, ANSWER_SECURE, true);
	s.now_ms += 1;
	ask_and_get(&s, servfail, ANSWER_FAILED, false);
	story_end(&s);
	first.signed_for_s = 0;
	begin_ended(&s, STALE_S, first);
	ask_and_get(&s, servfail, ANSWER_FAILED, false);
	story_end(&s);
}

/* A peer can spend it. */
static void a_spent_budget_is_no_failure_of_the_resolver(void **state)
{
	static const char *const names[] = { "b.example", "c.example", "d.example" };
	struct ask others[3] = { 0 }, ask = { 0 };
	struct story s;

	(void)state;
	begin_ended(&s, STALE_S, secure);
	for (unsigned i = 0; i < 3; i++)
		story_put(&s, names[i], 7, &others[i]);
	story_put(&s, NAME, 7, &ask);
	assert_int_equal(ask.answer->status, ANSWER_FAILED);
	assert_non_null(strstr(ask.answer->why, "source"));
	engine_done(&ask);
	for (unsigned i = 0; i < 3; i++)
		engine_done(&others[i]);
	ask_and_get(&s, servfail, ANSWER_SECURE, true);
	story_end(&s);
}

static void a_resolver_that_was_closed_gives_nothing(void **state)
{
	struct ask ask = { 0 };
	struct story s;

	(void)state;
	begin_ended(&s, STALE_S, secure);
	story_put(&s, NAME, 7, &ask);
	engine_close(s.engine);
	pop(&s, ANSWER_FAILED, false);
	story_end(&s);
}

static void what_is_kept_for_it_takes_no_more_room(void **state)
{
	static const char *const names[] = { "b.x", "c.x", "d.x", "e.x", "f.x" };
	struct story s;

	(void)state;
	begin_ended(&s, STALE_S, secure);
	for (unsigned i = 0; i < 5; i++) {
		struct ask ask = { 0 };
		struct wire_question w;

		story_put(&s, names[i], 7, &ask);
		w = story_sent(&s, names[i]);
		story_reply(&s, &w, secure);
		pop(&s, ANSWER_SECURE, false);
	}
	assert_int_equal(story_stats(&s).names, 4);
	ask_and_get(&s, servfail, ANSWER_FAILED, false);
	story_end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(without_the_setting_an_outage_is_a_failure),
		TEST(what_was_secure_is_used_again_when_the_resolver_says_servfail),
		TEST(and_when_no_answer_comes_before_the_deadline),
		TEST(and_when_its_process_dies_again_and_again),
		TEST(it_is_asked_again_later_each_time_and_logged_once),
		TEST(no_answer_but_a_failure_of_the_resolver_is_put_aside),
		TEST(such_an_answer_ends_it_also_while_it_is_used),
		TEST(a_bogus_fetch_ahead_forbids_what_comes_after_the_end),
		TEST(a_copy_that_is_repeated_in_its_last_second_may_be_used_as_long),
		TEST(such_a_copy_fetched_ahead_takes_nothing_away),
		TEST(only_what_was_secure_is_used_again),
		TEST(the_setting_bounds_it),
		TEST(and_the_end_of_the_signatures),
		TEST(a_spent_budget_is_no_failure_of_the_resolver),
		TEST(a_resolver_that_was_closed_gives_nothing),
		TEST(what_is_kept_for_it_takes_no_more_room),
	};

	return cmocka_run_group_tests_name("stale", tests, NULL, NULL);
}
