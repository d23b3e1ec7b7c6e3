/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <sys/time.h>

#include "applicationd/server.h"
#include "applicationd/socket.h"
#include "program/log.h"

#define SHARE_NS 250000 /* of one turn of the loop, and what the work that crosses it takes */

int64_t server_now(const struct server *s)
{
	return (int64_t)uv_now(&s->loop);
}

static int64_t wall_ms(void)
{
	struct timeval now;

	gettimeofday(&now, NULL);
	return (int64_t)now.tv_sec * 1000 + now.tv_usec / 1000;
}

static bool needs_disk(const struct application_work *w)
{
	return w->lines.n || w->keep_session || w->keep_downlink || w->drop_downlink;
}

/* Tells and keeps. */
static void make_durable(struct server *s, struct server_hand *h)
{
	const struct application_work *w = &h->work;

	h->failed = NULL;
	if (w->lines.n && outlet_write(&s->outlet, w->lines, &h->err) < 0) {
		h->failed = "event.lost";
		return;
	}
	if (!w->keep_session && !w->keep_downlink && !w->drop_downlink)
		return;
	if (asession_keep(s->store, w->keep_session, w->adopted, w->keep_downlink, w->drop_downlink,
		    &h->err) < 0)
		h->failed = "store.fail";
}

/* On the thread. */
static void work(void *arg, struct worker_job *first, unsigned n)
{
	(void)n;
	for (; first; first = first->next)
		make_durable(arg, (struct server_hand *)first); /* its first member */
}

static void say_adopted(const struct application_work *w)
{
	if (w->keep_session && w->adopted)
		log_info("session.new", "dev_eui=%016" PRIx64 " addr=%08x net_id=%06x",
			w->keep_session->dev_eui, w->keep_session->dev_addr,
			w->keep_session->net_id);
}

/* What may happen once the disk has it. */
static bool act(struct server *s, const struct application_work *w, struct post *post)
{
	say_adopted(w);
	switch (w->act) {
	case APPLICATION_NO_ACT: break;
	case APPLICATION_ASK_KEY: return server_make_ask(s, &w->ask, post);
	case APPLICATION_SEND: return server_make_send(s, &w->send, post);
	case APPLICATION_ANSWER_UPLINK: server_answer_uplink(s, w->ticket, w->verdict); break;
	case APPLICATION_ANSWER_REPORT: server_answer_report(s, w->ticket, w->kept); break;
	case APPLICATION_ANSWER_COMMAND: socket_answer(w->ticket, w->id, w->error); break;
	}
	return true;
}

static void finish(struct server *s, struct server_hand *h)
{
	struct post post = { 0 };
	bool ok = !h->failed;

	if (h->failed)
		log_error(h->failed, "reason=%s", log_value(h->err.msg));
	else
		ok = act(s, &h->work, &post);
	application_done(s->app, ok, server_now(s));
	server_post(&post);
}

/* The engine's next work: done, or on its way over the disk. False: there is none. */
static bool next_work(struct server *s)
{
	struct server_hand *h = &s->hand;

	if (!application_next(s->app, server_now(s), wall_ms(), &h->work))
		return false;
	h->failed = NULL;
	s->writing = needs_disk(&h->work) && s->worker && worker_put(s->worker, &h->job);
	if (s->writing)
		return true;
	if (needs_disk(&h->work))
		make_durable(s, h);
	finish(s, h);
	return true;
}

/* Between works: what the engine was told meanwhile, and the file of events that was moved. */
static void catch_up(struct server *s)
{
	struct server_answer *a;
	struct err err;

	while ((a = s->answers)) {
		s->answers = a->next;
		a->take(a);
	}
	if (!s->reopen)
		return;
	s->reopen = false;
	if (outlet_reopen(&s->outlet, &err) < 0)
		log_error("events.reopen", "reason=%s", log_value(err.msg));
	else
		log_info("events.reopen", "path=%s", log_value(s->outlet.path));
}

static void set_alarm(struct server *s, bool more)
{
	int64_t deadline = application_deadline(s->app);

	if (s->writing || (deadline == INT64_MAX && !more))
		alarm_set(&s->alarm, ALARM_NEVER);
	else
		alarm_set(&s->alarm, more ? 0 : deadline - server_now(s));
}

void server_turn(struct server *s)
{
	/* Without the thread, at the start and at the end, all of it is done here. */
	uint64_t until_ns = s->worker ? pace_until(s->pace, uv_hrtime(), SHARE_NS) : UINT64_MAX;
	bool more = true;

	/* A post that ends at once comes back here. */
	if (s->turning) {
		s->turn_again = true;
		return;
	}
	s->turning = true;
	while (more && !s->writing && uv_hrtime() < until_ns) {
		s->turn_again = false;
		catch_up(s);
		more = next_work(s) || s->turn_again || s->answers;
	}
	s->turning = false;
	set_alarm(s, more);
}

static void done(void *arg, struct worker_job *job)
{
	struct server *s = arg;

	s->writing = false;
	s->turning = true;
	finish(s, (struct server_hand *)job);
	s->turning = false;
	server_turn(s);
}

void server_take(struct server *s, struct server_answer *a)
{
	struct server_answer **end = &s->answers;

	while (*end)
		end = &(*end)->next;
	a->next = NULL;
	*end = a;
	server_turn(s);
}

int server_start(struct server *s, struct err *err)
{
	const struct worker_config config = { .loop = &s->loop,
		.waiting_max = 1,
		.group_max = 1,
		.work = work,
		.done = done,
		.arg = s };

	s->pace = pace_take(&s->loop);
	if (!s->pace)
		return err_set(err, ERR_NOMEM, "server: no memory");
	return worker_new(&config, &s->worker, err);
}

void server_stop_writing(struct server *s)
{
	struct worker *w = s->worker;

	s->worker = NULL;
	worker_free(w);
	pace_give(s->pace);
	s->pace = NULL;
}
