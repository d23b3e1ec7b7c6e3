/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The AD back end with a clock of the test's own and a server whose every datagram the test says:
 * when is an answer without AD believed to be one of an unsigned zone?
 */
#include "check.h"
#include "dns/message.h"
#include "dns/rr.h"
#include "resolve/stub.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define WAIT_MS 20000
#define SIGNED  0xa0
#define PLAIN   0x80

struct story {
	struct engine *engine;
	struct upstream *upstream;
	int epoll_fd, server;
	int64_t now_ms;
};

struct heard {
	struct sockaddr_in from;
	uint8_t octets[MESSAGE_QUERY_MAX];
	size_t n;
};

static struct story begin(void)
{
	const struct engine_config config = { .deadline_ms = 2000,
		.open_max = 8,
		.open_per_source_max = 8,
		.cache_names_max = 8,
		.ttl_max_s = 100,
		.negative_ttl_max_s = 50 };
	struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct story s = { .now_ms = 1000000 };
	socklen_t n = sizeof(at);
	char address[32];

	s.server = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	s.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	assert_int_equal(bind(s.server, (struct sockaddr *)&at, n), 0);
	assert_int_equal(getsockname(s.server, (struct sockaddr *)&at, &n), 0);
	snprintf(address, sizeof(address), "127.0.0.1@%u", ntohs(at.sin_port));
	assert_int_equal(engine_new(&config, &s.engine, NULL), 0);
	assert_int_equal(
		stub_new(address, s.engine, s.epoll_fd, &(struct trace){ 0 }, &s.upstream, NULL),
		0);
	return s;
}

static void end(struct story *s)
{
	struct ask *ask;

	engine_close(s->engine);
	while ((ask = engine_pop(s->engine)))
		engine_done(ask);
	s->upstream->kind->free(s->upstream);
	engine_free(s->engine);
	close(s->server);
	close(s->epoll_fd);
}

static void put(struct story *s, const char *name, struct ask *ask)
{
	struct question q = { .type = RR_A };

	assert_int_equal(name_of(name, &q.name), 0);
	engine_ask(s->engine, s->now_ms, &q, 0, 0, ask);
	s->upstream->kind->pump(s->upstream, s->now_ms);
}

static void turn(struct story *s)
{
	s->upstream->kind->dispatch(s->upstream, s->now_ms);
	engine_expire(s->engine, s->now_ms);
	s->upstream->kind->pump(s->upstream, s->now_ms);
}

/* The next datagram the server gets: must be the question for name. */
static struct heard hear(struct story *s, const char *name)
{
	struct pollfd fd = { .fd = s->server, .events = POLLIN };
	uint16_t type = strcmp(name, ".") ? RR_A : RR_SOA;
	struct heard h = { 0 };
	socklen_t n = sizeof(h.from);
	struct message m;
	struct name want;
	ssize_t got;

	assert_int_equal(poll(&fd, 1, WAIT_MS), 1);
	got = recvfrom(s->server, h.octets, sizeof(h.octets), 0, (struct sockaddr *)&h.from, &n);
	assert_true(got > 0);
	h.n = (size_t)got;
	assert_int_equal(message_read((struct span){ h.octets, h.n }, &m), 0);
	assert_int_equal(name_of(name, &want), 0);
	assert_true(message_asks(&m, &want, type));
	return h;
}

static void hear_nothing(struct story *s)
{
	struct pollfd fd = { .fd = s->server, .events = POLLIN };

	assert_int_equal(poll(&fd, 1, 0), 0);
}

/* Answers with one record of the type asked for, and lets it be read. */
static void say(struct story *s, const struct heard *h, uint8_t flags)
{
	static const uint8_t record[] = { 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 1 };
	size_t question = h->n - 11; /* without its EDNS record */
	uint8_t octets[MESSAGE_QUERY_MAX + sizeof(record)];
	struct epoll_event event;

	memcpy(octets, h->octets, question);
	octets[2] = 0x81;
	octets[3] = flags;
	octets[7] = 1;
	octets[11] = 0;
	memcpy(octets + question, record, sizeof(record));
	assert_true(sendto(s->server, octets, question + sizeof(record), 0,
			    (const struct sockaddr *)&h->from, sizeof(h->from)) > 0);
	assert_int_equal(epoll_wait(s->epoll_fd, &event, 1, WAIT_MS), 1);
	turn(s);
}

static void expect_open(struct story *s)
{
	assert_null(engine_pop(s->engine));
}

static void expect(struct story *s, struct ask *ask, enum answer_status status)
{
	assert_ptr_equal(engine_pop(s->engine), ask);
	assert_int_equal(ask->answer->status, status);
	engine_done(ask);
}

/* The first question, up to a trial that went well. */
static struct heard ask_first(struct story *s, const char *name, struct ask *ask)
{
	struct heard trial;

	put(s, name, ask);
	trial = hear(s, ".");
	hear_nothing(s);
	say(s, &trial, SIGNED);
	return hear(s, name);
}

static void a_signed_answer_waits_for_nothing(void **state)
{
	struct story s = begin();
	struct ask ask = { 0 };
	struct heard h = ask_first(&s, "signed.example", &ask);

	(void)state;
	say(&s, &h, SIGNED);
	expect(&s, &ask, ANSWER_SECURE);
	hear_nothing(&s);
	end(&s);
}

static void an_unsigned_answer_waits_for_a_trial_sent_after_it(void **state)
{
	struct story s = begin();
	struct ask ask = { 0 };
	struct heard h = ask_first(&s, "unsigned.example", &ask);

	(void)state;
	say(&s, &h, PLAIN);
	expect_open(&s);
	h = hear(&s, ".");
	say(&s, &h, SIGNED);
	expect(&s, &ask, ANSWER_INSECURE);
	end(&s);
}

static void a_resolver_that_stops_validating_makes_nothing_insecure(void **state)
{
	struct story s = begin();
	struct ask ask = { 0 };
	struct heard h = ask_first(&s, "signed.example", &ask);

	(void)state;
	say(&s, &h, PLAIN);
	expect_open(&s);
	h = hear(&s, ".");
	say(&s, &h, PLAIN);
	expect(&s, &ask, ANSWER_FAILED);
	put(&s, "other.example", &ask);
	h = hear(&s, "other.example");
	say(&s, &h, PLAIN);
	expect(&s, &ask, ANSWER_FAILED);
	hear_nothing(&s);
	end(&s);
}

static void a_trial_sent_before_the_answer_came_is_no_proof(void **state)
{
	struct story s = begin();
	struct ask first = { 0 }, second = { 0 };
	struct heard h = ask_first(&s, "one.example", &first), trial, two;

	(void)state;
	put(&s, "two.example", &second);
	two = hear(&s, "two.example");
	say(&s, &h, PLAIN);
	trial = hear(&s, ".");
	say(&s, &two, PLAIN);
	hear_nothing(&s);
	say(&s, &trial, SIGNED);
	expect(&s, &first, ANSWER_INSECURE);
	expect_open(&s);
	trial = hear(&s, ".");
	say(&s, &trial, PLAIN);
	expect(&s, &second, ANSWER_FAILED);
	end(&s);
}

/* Good again between question and answer: what was sent before that is not vouched for. */
static void a_question_sent_to_a_resolver_that_did_not_validate_is_never_insecure(void **state)
{
	struct story s = begin();
	struct ask ask = { 0 };
	struct heard trial, h;

	(void)state;
	put(&s, "one.example", &ask);
	trial = hear(&s, ".");
	say(&s, &trial, PLAIN);
	h = hear(&s, "one.example");
	s.now_ms += STUB_RETRY_MS;
	turn(&s);
	hear(&s, "one.example");
	trial = hear(&s, ".");
	say(&s, &trial, SIGNED);
	say(&s, &h, PLAIN);
	expect(&s, &ask, ANSWER_FAILED);
	end(&s);
}

static void the_trial_is_repeated_with_use_and_not_sooner(void **state)
{
	struct story s = begin();
	struct ask ask = { 0 };
	struct heard h = ask_first(&s, "one.example", &ask);

	(void)state;
	say(&s, &h, SIGNED);
	expect(&s, &ask, ANSWER_SECURE);
	s.now_ms += STUB_TRUST_MS - 1;
	turn(&s);
	hear_nothing(&s);
	put(&s, "two.example", &ask);
	h = hear(&s, "two.example");
	say(&s, &h, SIGNED);
	expect(&s, &ask, ANSWER_SECURE);
	s.now_ms++;
	put(&s, "three.example", &ask);
	hear(&s, ".");
	hear(&s, "three.example");
	end(&s);
}

static void the_trial_is_repeated_after_a_question_that_was_lost(void **state)
{
	struct story s = begin();
	struct ask ask = { 0 };

	(void)state;
	ask_first(&s, "one.example", &ask);
	s.now_ms += STUB_RETRY_MS;
	turn(&s);
	hear(&s, "one.example");
	hear(&s, ".");
	end(&s);
}

static void a_failed_trial_is_repeated(void **state)
{
	struct story s = begin();
	struct ask ask = { 0 };
	struct heard h;

	(void)state;
	put(&s, "one.example", &ask);
	h = hear(&s, ".");
	say(&s, &h, PLAIN);
	h = hear(&s, "one.example");
	say(&s, &h, PLAIN);
	expect(&s, &ask, ANSWER_FAILED);
	s.now_ms += STUB_TRIAL_MS;
	put(&s, "two.example", &ask);
	h = hear(&s, ".");
	say(&s, &h, SIGNED);
	hear(&s, "two.example");
	put(&s, "three.example", &(struct ask){ 0 });
	h = hear(&s, "three.example");
	say(&s, &h, PLAIN);
	expect_open(&s);
	hear(&s, ".");
	end(&s);
}

/* As many as can be under way wait for a trial: there is room for it. */
static void a_full_house_leaves_room_for_the_trial(void **state)
{
	static struct ask asks[STUB_OPEN_MAX];
	static struct heard questions[STUB_OPEN_MAX];
	const struct engine_config config = { .deadline_ms = 2000,
		.open_max = 4 * STUB_OPEN_MAX,
		.open_per_source_max = STUB_OPEN_MAX,
		.cache_names_max = 1,
		.ttl_max_s = 100 };
	struct story s = begin();
	char name[32];
	struct heard trial;

	(void)state;
	engine_free(s.engine);
	assert_int_equal(engine_new(&config, &s.engine, NULL), 0);
	s.upstream->engine = s.engine;
	questions[0] = ask_first(&s, "n0.example", &asks[0]);
	for (unsigned i = 1; i < STUB_OPEN_MAX; i++) {
		snprintf(name, sizeof(name), "n%u.example", i);
		put(&s, name, &asks[i]);
		questions[i] = hear(&s, name);
	}
	say(&s, &questions[0], PLAIN);
	trial = hear(&s, ".");
	for (unsigned i = 1; i < STUB_OPEN_MAX; i++)
		say(&s, &questions[i], PLAIN);
	say(&s, &trial, SIGNED);
	expect(&s, &asks[0], ANSWER_INSECURE);
	expect_open(&s);
	trial = hear(&s, ".");
	say(&s, &trial, SIGNED);
	for (unsigned i = 1; i < STUB_OPEN_MAX; i++) {
		struct ask *ask = engine_pop(s.engine);

		assert_non_null(ask);
		assert_int_equal(ask->answer->status, ANSWER_INSECURE);
		engine_done(ask);
	}
	end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_signed_answer_waits_for_nothing),
		TEST(an_unsigned_answer_waits_for_a_trial_sent_after_it),
		TEST(a_resolver_that_stops_validating_makes_nothing_insecure),
		TEST(a_trial_sent_before_the_answer_came_is_no_proof),
		TEST(a_question_sent_to_a_resolver_that_did_not_validate_is_never_insecure),
		TEST(the_trial_is_repeated_with_use_and_not_sooner),
		TEST(the_trial_is_repeated_after_a_question_that_was_lost),
		TEST(a_failed_trial_is_repeated),
		TEST(a_full_house_leaves_room_for_the_trial),
	};

	return cmocka_run_group_tests_name("stub", tests, NULL, NULL);
}
