/* SPDX-License-Identifier: Apache-2.0 */
#include "net/find.h"

#include <stdlib.h>

struct find {
	uv_timer_t timer; /* takes answers outside of the resolver's own dispatch */
	struct resolver *resolver;
	struct service_query *query;
	find_done *done;
	void *arg;
	unsigned asked; /* of ask and id, in use from the front */
	unsigned id[SERVICE_QUESTIONS_MAX];
	bool taken[SERVICE_QUESTIONS_MAX];
	struct ask ask[SERVICE_QUESTIONS_MAX];
};

static void due(uv_timer_t *timer);

static void came(struct ask *ask)
{
	struct find *f = ask->arg;

	uv_timer_start(&f->timer, due, 0, 0);
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

static void due(uv_timer_t *timer)
{
	struct find *f = timer->data;

	turn(f);
	if (service_query_is_done(f->query))
		f->done(f->arg, service_query_result(f->query));
}

static void closed(uv_handle_t *handle)
{
	free(handle->data);
}

int find_new(uv_loop_t *loop, struct resolver *r, const struct service_target *target,
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
	uv_timer_init(loop, &f->timer);
	f->timer.data = f;
	turn(f);
	if (service_query_is_done(f->query))
		uv_timer_start(&f->timer, due, 0, 0);
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
	uv_close((uv_handle_t *)&f->timer, closed);
}
