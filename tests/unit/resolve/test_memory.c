/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every allocation of the engine failed in turn: nobody is answered with a success that was
 * not given, nobody is forgotten, nothing leaks (the sanitizer build looks).
 */
#include "check.h"
#include "dns/rr.h"
#include "resolve/engine.h"

#include <stdlib.h>

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);

static long fails_at; /* allocations until one fails; negative: never */

static int fails(void)
{
	return fails_at >= 0 && fails_at-- == 0;
}

void *__wrap_malloc(size_t n)
{
	return fails() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return fails() ? NULL : __real_calloc(n, size);
}

#define ASKS 4

static const struct engine_config config = {
	.deadline_ms = 2000,
	.open_max = 8,
	.open_per_source_max = 8,
	.cache_names_max = 4,
	.ttl_max_s = 100,
	.negative_ttl_max_s = 50,
};

static void reply_to_all(struct engine *e, int64_t now_ms)
{
	struct wire_question q;

	while (engine_send(e, &q)) {
		struct wire_answer a = { .id = q.id,
			.status = ANSWER_SECURE,
			.ttl_s = 60,
			.final = q.question.name,
			.why = "",
			.count = 1 };

		a.rdata[0] = bytes("\3\1\1");
		engine_answer(e, now_ms, &a);
	}
}

/* Two sources ask two names twice over; a prefetch follows. True when no allocation failed. */
static bool live(void)
{
	struct question q[2] = { { .type = RR_TLSA }, { .type = RR_TLSA } };
	struct ask asks[ASKS] = { 0 }, *ask;
	struct engine *e = NULL;
	unsigned answered = 0;
	bool fetching;

	name_of("a.example", &q[0].name);
	name_of("b.example", &q[1].name);
	if (engine_new(&config, &e, NULL))
		return false;
	for (int i = 0; i < ASKS; i++)
		engine_ask(e, 1000, &q[i % 2], (uint64_t)(1 + i / 2), 0, &asks[i]);
	reply_to_all(e, 1000);
	while ((ask = engine_pop(e)))
		assert_non_null(ask->answer);
	for (int i = 0; i < ASKS; i++) {
		assert_non_null(asks[i].answer);
		assert_true(asks[i].answer->status == ANSWER_FAILED ||
			asks[i].answer->status == ANSWER_SECURE);
		answered += asks[i].answer->status == ANSWER_SECURE;
		engine_done(&asks[i]);
	}
	engine_cached(e, 1000 + 58000, &q[0], &fetching);
	reply_to_all(e, 1000 + 58000);
	engine_close(e);
	assert_null(engine_pop(e));
	engine_free(e);
	return answered == ASKS && fetching;
}

static void each_failed_allocation_is_a_failed_answer_and_no_more(void **state)
{
	long n = 0;
	bool whole;

	(void)state;
	do {
		fails_at = n++;
		whole = live();
	} while (fails_at < 0 || !whole);
	fails_at = -1;
	assert_true(n > 15);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_failed_allocation_is_a_failed_answer_and_no_more),
	};

	fails_at = -1;
	return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}
