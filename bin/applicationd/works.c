/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <sys/time.h>

#include "applicationd/server.h"
#include "applicationd/socket.h"
#include "program/log.h"

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

/* Tells and keeps; false when the disk refused either. */
static bool make_durable(struct server *s, const struct application_work *w)
{
	struct err err;

	if (w->lines.n && outlet_write(&s->outlet, w->lines, &err) < 0) {
		log_error("event.lost", "why=%s", log_value(err.msg));
		return false;
	}
	if (!w->keep_session && !w->keep_downlink && !w->drop_downlink)
		return true;
	if (asession_keep(s->store, w->keep_session, w->adopted, w->keep_downlink, w->drop_downlink,
		    &err) < 0) {
		log_error("store.fail", "why=%s", log_value(err.msg));
		return false;
	}
	return true;
}

static void say_adopted(const struct application_work *w)
{
	if (w->keep_session && w->adopted)
		log_info("session.new", "dev=%016" PRIx64 " addr=%08x net_id=%06x",
			w->keep_session->dev_eui, w->keep_session->dev_addr,
			w->keep_session->net_id);
}

static bool do_work(struct server *s, const struct application_work *w, struct post *post)
{
	if (w->act == APPLICATION_ASK_KEY && !server_make_ask(s, &w->ask, post))
		return false;
	if (!make_durable(s, w))
		return false;
	say_adopted(w);
	switch (w->act) {
	case APPLICATION_NO_ACT:
	case APPLICATION_ASK_KEY: break;
	case APPLICATION_SEND: return server_make_send(s, &w->send, post);
	case APPLICATION_ANSWER_UPLINK: server_answer_uplink(s, w->ticket, w->verdict); break;
	case APPLICATION_ANSWER_REPORT: server_answer_report(s, w->ticket, w->kept); break;
	case APPLICATION_ANSWER_COMMAND: socket_answer(w->ticket, w->id, w->error); break;
	}
	return true;
}

static void timer_fired(uv_timer_t *timer)
{
	server_turn(timer->data);
}

static void set_timer(struct server *s)
{
	int64_t deadline = application_deadline(s->app), now = server_now(s);

	if (!s->timer_open)
		return;
	if (deadline == INT64_MAX)
		uv_timer_stop(&s->timer);
	else
		uv_timer_start(&s->timer, timer_fired,
			deadline > now ? (uint64_t)(deadline - now) : 0, 0);
}

void server_turn(struct server *s)
{
	struct application_work work;

	/* A post that ends at once comes back here. */
	if (s->turning) {
		s->turn_again = true;
		return;
	}
	s->turning = true;
	do {
		s->turn_again = false;
		while (application_next(s->app, server_now(s), wall_ms(), &work)) {
			struct post post = { 0 };
			bool ok = do_work(s, &work, &post);

			application_done(s->app, ok, server_now(s));
			server_post(&post);
		}
	} while (s->turn_again);
	s->turning = false;
	set_timer(s);
}
