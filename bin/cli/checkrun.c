/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/check.h"

#include "cli/connect.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct run {
	struct check *check;
	atomic_size_t next;
};

struct worker {
	struct run *run;
	struct tracework *work;
	struct traced *traced;
	pthread_t thread;
	bool runs;
};

static void judge(const struct check *c, const struct traced *t, struct check_item *i)
{
	const int64_t left = t->until == INT64_MAX ? INT64_MAX : t->until - t->now;
	const char *words = t->sentence;

	i->holds = t->verdict == TRACE_HOLDS;
	i->until = t->until;
	i->ms = t->ms;
	i->notes = t->trust->note_count;
	if (!i->holds || left < c->critical_s)
		i->state = CHECK_CRITICAL;
	else if (left < c->warning_s)
		i->state = CHECK_WARNING;
	else if (i->notes)
		i->state = CHECK_WARNING;
	if (i->state == CHECK_WARNING && left >= c->warning_s)
		words = t->trust->note[0];
	i->words = strdup(words);
}

static void *work(void *arg)
{
	struct worker *w = arg;
	struct check *c = w->run->check;
	struct err err;

	for (;;) {
		size_t n = atomic_fetch_add(&w->run->next, 1);
		struct check_item *i = &c->item[n];

		if (n >= c->count)
			return NULL;
		if (tracework_run(w->work, &i->question, w->traced, &err) != 0) {
			i->state = CHECK_UNKNOWN;
			i->words = strdup(err.msg);
			continue;
		}
		judge(c, w->traced, i);
		tracework_forget(w->traced);
	}
}

/* True when it could begin; the words of the first that could not are kept. */
static int begin(struct worker *w, struct run *run, struct err *err)
{
	int rc = tracework_open(&run->check->work, &w->work, err);

	if (rc != 0)
		return rc;
	w->run = run;
	w->traced = calloc(1, sizeof(*w->traced));
	if (!w->traced || pthread_create(&w->thread, NULL, work, w) != 0)
		return err_set(err, ERR_NOMEM, "check: no thread");
	w->runs = true;
	return 0;
}

int check_all(struct check *c, struct err *err)
{
	const double start = connect_now();
	const unsigned jobs = c->jobs < c->count ? c->jobs : (unsigned)c->count;
	struct worker workers[CHECK_JOBS_MAX] = { 0 };
	struct run run = { .check = c };
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < jobs; i++)
		rc = begin(&workers[i], &run, err);
	if (rc != 0)
		atomic_store(&run.next, c->count);
	for (unsigned i = 0; i < jobs; i++) {
		if (workers[i].runs)
			pthread_join(workers[i].thread, NULL);
		tracework_close(workers[i].work);
		free(workers[i].traced);
	}
	c->took_s = (connect_now() - start) / 1e3;
	return rc;
}
