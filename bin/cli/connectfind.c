/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/connect.h"

#include <poll.h>
#include <stdlib.h>
#include <time.h>

/* Above the hard deadline of a question: the resolver answers before. */
#define PATIENCE_MS 10000

struct open_question {
	struct ask ask;
	unsigned id;
	double since_ms;
	bool taken;
};

double connect_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* Every open question is looked at after each dispatch; nothing is left to do here. */
static void woken(struct ask *ask)
{
	(void)ask;
}

static void ask_all(struct connect *c, struct resolver *r, struct service_query *q,
	struct open_question *open)
{
	struct question question;
	unsigned id;

	while (c->question_count < SERVICE_QUESTIONS_MAX && service_query_next(q, &id, &question)) {
		struct open_question *o = &open[c->question_count];

		c->question[c->question_count++].question = question;
		o->id = id;
		o->since_ms = connect_now();
		o->ask.wake = woken;
		resolver_ask(r, &question, RESOLVER_SOURCE_SELF, 0, &o->ask);
	}
}

/* True when an answer was handed over: it may have led to new questions. */
static bool take_answers(struct connect *c, struct service_query *q, struct open_question *open)
{
	bool any = false;

	for (size_t i = 0; i < c->question_count; i++) {
		if (open[i].taken || !open[i].ask.answer)
			continue;
		open[i].taken = any = true;
		c->question[i].answer = answer_keep(open[i].ask.answer);
		c->question[i].ms = connect_now() - open[i].since_ms;
		service_query_answer(q, open[i].id, open[i].ask.answer);
	}
	return any;
}

static int turn(struct connect *c, struct resolver *r, struct service_query *q,
	struct open_question *open, struct err *err)
{
	const double end = connect_now() + PATIENCE_MS;
	struct pollfd fd = { .fd = resolver_fd(r), .events = POLLIN };

	while (!service_query_is_done(q)) {
		ask_all(c, r, q, open);
		if (take_answers(c, q, open))
			continue;
		if (connect_now() > end)
			return err_set(err, ERR_TIMEOUT, "resolver: does not answer");
		if (poll(&fd, 1, PATIENCE_MS) > 0)
			resolver_dispatch(r);
	}
	return 0;
}

int connect_find(struct connect *c, struct resolver *r, const struct service_target *target,
	enum tls_mode mode, struct err *err)
{
	const double start = connect_now();
	struct open_question *open = calloc(SERVICE_QUESTIONS_MAX, sizeof(*open));
	struct service_query *q = NULL;
	int rc;

	if (!open)
		return err_set(err, ERR_NOMEM, "out of memory");
	rc = service_query_new(target, mode, &q, err);
	if (rc == 0)
		rc = turn(c, r, q, open, err);
	if (rc == 0)
		c->service = service_query_result(q);
	c->dns_ms = connect_now() - start;
	for (size_t i = 0; i < c->question_count; i++)
		ask_done(&open[i].ask);
	service_query_free(q);
	free(open);
	return rc;
}

bool connect_is_authenticated(const struct connect *c)
{
	return c->greeted && c->peer.authenticated &&
		(c->welcome == CONNECT_SILENT || c->welcome == CONNECT_SPOKEN_TO);
}

void connect_take_times(struct connect *c, const struct connect *other)
{
	for (size_t i = 0; i < other->times_count && c->times_count < CONNECT_TIMES_MAX; i++)
		c->times[c->times_count++] = other->times[i];
}

void connect_done(struct connect *c)
{
	for (size_t i = 0; i < c->question_count; i++)
		if (c->question[i].answer)
			answer_drop(c->question[i].answer);
	if (c->service)
		service_drop(c->service);
}
