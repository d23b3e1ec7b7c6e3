/* SPDX-License-Identifier: Apache-2.0 */
#include "net/find.h"

#include <stdlib.h>

struct find {
	struct pace *pace;
	struct pace_job job; /* takes answers outside of the resolver's own dispatch */
	struct resolver *resolver;
	struct service_query *query;
	find_done *done;
	void *arg;
	unsigned asked; /* of ask and id, in use from the front */
	unsigned id[SERVICE_QUESTIONS_MAX];
	bool taken[SERVICE_QUESTIONS_MAX];
	struct ask ask[SERVICE_QUESTIONS_MAX];
};

static void came(struct ask *ask)
{
	struct find *f = ask->arg;

	pace_add(f->pace, &f->job);
}

static bool take_answers(struct find *f)
{
	bool any = false;

	for (unsigned i = 0; i < f->asked; i++) {
		if (f->taken[i] || !f->ask[i].answer)
			continue;
		f->taken[i] = any = true;
		service_query_answer(f->query, f->id[i], f->ask[i].answer);
		ask_done(&f->ask[i]);
	}
	return any;
}

static bool ask_more(struct find *f)
{
	struct question question;
	bool any = false;
	unsigned id;

	while (f->asked < SERVICE_QUESTIONS_MAX && service_query_next(f->query, &id, &question)) {
		struct ask *ask = &f->ask[f->asked];

		f->id[f->asked] = id;
		*ask = (struct ask){ .wake = came, .arg = f };
		f->asked++;
		any = true;
		resolver_ask(f->resolver, &question, RESOLVER_SOURCE_SELF, 0, ask);
	}
	return any;
}

/* As far as it goes without waiting. */
static void turn(struct find *f)
{
	bool more = true;

	while (more) {
		more = take_answers(f);
		more |= ask_more(f);
	}
}

static void due(void *arg)
{
	struct find *f = arg;

	turn(f);
	if (service_query_is_done(f->query))
		f->done(f->arg, service_query_result(f->query));
}

int find_new(struct pace *pace, struct resolver *r, const struct service_target *target,
	enum tls_mode mode, find_done *done, void *arg, struct find **out, struct err *err)
{
	struct find *f = calloc(1, sizeof(*f));
	int rc;

	if (!f)
		return err_set(err, ERR_NOMEM, "service: no memory");
	rc = service_query_new(target, mode, &f->query, err);
	if (rc != 0) {
		free(f);
		return rc;
	}
	f->resolver = r;
	f->done = done;
	f->arg = arg;
	f->pace = pace;
	f->job = (struct pace_job){ .run = due, .arg = f };
	turn(f);
	if (service_query_is_done(f->query))
		pace_add(pace, &f->job);
	*out = f;
	return 0;
}

void find_free(struct find *f)
{
	if (!f)
		return;
	for (unsigned i = 0; i < f->asked; i++)
		ask_done(&f->ask[i]);
	service_query_free(f->query);
	pace_remove(&f->job);
	free(f);
}
