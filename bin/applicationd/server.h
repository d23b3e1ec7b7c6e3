/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server - everything sardane-applicationd holds while it runs.
 *
 *   requests.c  NS --> http_server --> binding --> engine --> answer
 *   works.c     engine --> thread: events, disk --> posts (posts.c), answers
 *   socket.c    commands from the Unix socket
 *   open.c      opens it all, in the order that lets a failure be said before anyone connects
 *
 *   Order      one work of the engine at a time: what it tells and keeps is on disk, by a
 *              thread of its own, before what it does. Meanwhile the loop serves on; requests
 *              queue in the engine, within its bounds, and answers of other servers here, as
 *              many as were asked.
 *   Threads    the thread has the file of events, the database and the work in hand, between
 *              worker_put and done. Before server_start (the walls come first) and after
 *              server_stop_writing there is none, and all is written where it is asked for.
 *   Ownership  main's; server_close takes back what server_open gave, in any state.
 */
#ifndef APPLICATIOND_SERVER_H
#define APPLICATIOND_SERVER_H

#include <uv.h>

#include "application/application.h"
#include "applicationd/config.h"
#include "applicationd/outlet.h"
#include "net/alarm.h"
#include "net/binding.h"
#include "net/http_client.h"
#include "net/http_server.h"
#include "net/loop.h"
#include "net/pace.h"
#include "net/resolving.h"
#include "net/worker.h"
#include "store/asession.h"

#define SERVER_DRAIN_MS 5000

struct socket;

/* The work in hand. */
struct server_hand {
	struct worker_job job; /* first */
	struct application_work work;
	const char *failed; /* the event of the log, when the disk refused; err has the words */
	struct err err;
};

/* What another server answered, until the engine may be told: take does that, and frees it. */
struct server_answer {
	struct server_answer *next;
	void (*take)(struct server_answer *a);
};

struct server {
	struct settings *settings;
	uv_loop_t loop;
	bool loop_open;
	struct resolver_settings resolver_settings;
	struct resolver *resolver;
	struct resolving *resolving;
	struct policy *policy;
	struct binding *binding;
	struct tls_server *tls;
	struct tls_client *js_tls, *ns_tls; /* ns_tls is NULL when js_tls serves both */
	struct http_server *http;
	struct http_client *js_client, *ns_client; /* likewise */
	struct loop_watch *watch;
	struct socket *socket;
	struct application *app;
	struct asession *store;
	struct outlet outlet;
	struct talk_kek *keks;
	struct alarm alarm;
	bool turning, turn_again, stopping;
	struct worker *worker;
	struct pace *pace;
	bool writing; /* the thread has the work in hand */
	bool reopen;  /* the file of events, before the next work */
	struct server_hand hand;
	struct server_answer *answers; /* the oldest first */
	uint64_t transactions;
};

/* open.c */
int server_open(struct server *s, struct settings *settings, struct err *err);
void server_close(struct server *s);

/* works.c: does a share of what the engine has to do, then sets the alarm. */
void server_turn(struct server *s);
void server_take(struct server *s, struct server_answer *a);
int server_start(struct server *s, struct err *err); /* the thread */
void server_stop_writing(struct server *s);          /* what it has is done first */
int64_t server_now(const struct server *s);          /* ms, of the loop */

/* requests.c */
void server_request(void *arg, struct http_exchange *x); /* arg: struct server */
void server_answer_uplink(struct server *s, uint64_t ticket, enum uplink_verdict verdict);
void server_answer_report(struct server *s, uint64_t ticket, bool kept);

/* posts.c: a message to be sent once the engine's work is done. */
struct post {
	struct buf body;
	struct http_client *client;
	struct http_target target;
	http_client_done *done;
	void *arg;
};

/* False: it cannot be sent, and why is in the log. */
bool server_make_ask(struct server *s, const struct application_ask *ask, struct post *out);
bool server_make_send(struct server *s, const struct application_send *send, struct post *out);
void server_post(struct post *p);

#endif
