/* SPDX-License-Identifier: Apache-2.0 */
/*
 * story - the engine of a resolver with a clock and an upstream of the test's own: asks, sends,
 * answers and moments.
 *
 *   story_begin -> story_put -> story_sent -> story_reply -> engine_pop ... -> story_end
 */
#ifndef TESTS_LIB_STORY_H
#define TESTS_LIB_STORY_H

#include "check.h"
#include "dns/rr.h"
#include "resolve/engine.h"

struct story {
	struct engine *engine;
	int64_t now_ms;
};

static inline struct engine_config story_usual(void)
{
	return (struct engine_config){ .deadline_ms = 2000,
		.open_max = 8,
		.open_per_source_max = 3,
		.cache_names_max = 4,
		.ttl_max_s = 100,
		.negative_ttl_max_s = 50,
		.seed = { 1, 2 } };
}

static inline struct story story_begin(struct engine_config config)
{
	struct story s = { .now_ms = 1000000 };

	assert_int_equal(engine_new(&config, &s.engine, NULL), 0);
	return s;
}

static inline void story_end(struct story *s)
{
	struct ask *ask;

	engine_close(s->engine);
	while ((ask = engine_pop(s->engine)))
		engine_done(ask);
	engine_free(s->engine);
}

static inline struct question story_question(const char *name)
{
	struct question q = { .type = RR_TLSA };

	assert_int_equal(name_of(name, &q.name), 0);
	return q;
}

static inline void story_put(struct story *s, const char *name, uint64_t source, struct ask *ask)
{
	struct question q = story_question(name);

	engine_ask(s->engine, s->now_ms, &q, source, 0, ask);
}

/* What is sent next must ask for this. */
static inline struct wire_question story_sent(struct story *s, const char *name)
{
	struct wire_question w;
	struct name want = story_question(name).name;

	assert_true(engine_send(s->engine, &w));
	assert_true(name_equal(&w.question.name, &want));
	return w;
}

/* a says how it ends; where there are records, one. */
static inline void story_reply(struct story *s, const struct wire_question *w, struct wire_answer a)
{
	a.id = w->id;
	a.final = w->question.name;
	if (!a.why)
		a.why = "";
	if (a.status == ANSWER_SECURE || a.status == ANSWER_INSECURE) {
		a.count = 1;
		a.rdata[0] = bytes("\3\1\1");
	}
	engine_answer(s->engine, s->now_ms, &a);
}

static inline struct resolver_stats story_stats(const struct story *s)
{
	struct resolver_stats stats;

	engine_stats(s->engine, &stats);
	return stats;
}

#endif
