/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server - the Network Server's parts and how they hang together.
 *
 *   udp --> engine --> batch --thread: database--> udp       gateways
 *             ^  |                             --> handover  uplinks, statuses to their AS
 *            api '--> asking                                 the Join Server of a JoinEUI
 *
 *   Order      server_turn: the engine's events fill a batch; what it must save is one
 *              transaction, on a thread of its own; only then, on the loop, is done what it
 *              says, in its order, and only then is the next batch written. A commit that
 *              fails drops its batch: nothing leaves whose counter is not on disk.
 *   Asking     a Join Server is asked at once: that spends no counter.
 *   Bounds     one batch that is written and one that is filled, SERVER_EVENTS each; then the
 *              engine waits, and its own bounds hold. A share of each turn of the loop.
 *   Threads    the thread has the database and the batch that is written, between worker_put
 *              and done. Before server_start (the walls come first) and after server_close
 *              there is none, and commits are made where they are asked for.
 *   Ownership  server_open allocates, server_close begins the end, server_free after the loop.
 */
#ifndef NETWORKD_SERVER_H
#define NETWORKD_SERVER_H

#include <uv.h>

#include "net/alarm.h"
#include "net/http_client.h"
#include "net/http_server.h"
#include "net/pace.h"
#include "net/resolving.h"
#include "net/worker.h"
#include "networkd/config.h"
#include "networkd/udp.h"
#include "store/sessions.h"

#define SERVER_EVENTS   256 /* of one transaction */
#define SERVER_AS_MAX   1024
#define SERVER_BODY_MAX 16384

struct handover;
struct message;
struct asking;

/* An Application Server that some session has: its client may call. */
struct server_as {
	struct name name; /* of its AS-ID; n 0 when that is no DNS name */
	char id[SESSION_AS_ID_MAX];
};

/* Events of the engine, on their way over the disk. */
struct server_batch {
	struct worker_job job; /* first */
	unsigned n, performed;
	bool writes;    /* some of it goes to disk */
	unsigned ended; /* uplinks that were answered, to be forgotten */
	int rc;         /* of its commit */
	struct err err;
	struct network_event event[SERVER_EVENTS];
	struct message *message[SERVER_EVENTS]; /* of an UPLINK or STATUS */
};

struct server {
	uv_loop_t *loop;
	struct pace *pace;
	const struct settings *settings;
	uint32_t net_id;
	struct network *engine;
	struct sessions *sessions;
	struct udp *udp;
	struct alarm alarm;
	struct resolver_settings resolver_settings;
	struct resolver *resolver;
	struct resolving *resolving;
	struct policy *policy; /* NULL when no client is configured */
	struct tls_client *tls_js, *tls_as;
	struct tls_server *tls_api;
	struct http_client *http_js, *http_as;
	struct http_server *api;
	struct asking *asking;
	struct handover *handover;
	struct server_as as[SERVER_AS_MAX];
	unsigned as_count, as_known; /* there; ever */
	int64_t unix_ms;             /* the wall clock when server_now said 0 */
	uint64_t lost_commits;
	bool turning, closing;
	struct worker *worker;
	struct server_batch *filling, *writing,
		*performing; /* the latter two: NULL, or one of them */
	struct server_batch batch[2];
};

int server_open(uv_loop_t *loop, const struct settings *settings, struct server **out,
	struct err *err);
int server_start(struct server *s, struct err *err); /* the thread */
void server_say_ready(const struct server *s);
void server_close(struct server *s); /* the handles; run the loop after */
void server_free(struct server *s);

int64_t server_now(void); /* ms of CLOCK_MONOTONIC */
int64_t server_unix_ms(const struct server *s);

/* Does a share of what the engine says; sets the alarm. */
void server_turn(struct server *s);
/* The engine was told something: a turn will be taken soon. */
void server_wake(struct server *s);

/* A session names this AS: from now on its client is let in, for its own devices. */
void server_know_as(struct server *s, const char *as_id);

/* May this name be a client at all, and may it speak for this AS-ID? */
bool server_admits(void *arg, const struct name *client);
bool server_grants(const struct server *s, const struct peer *peer, const char *as_id);

/* Who answered, or asks, in words: "js.b.example by _8003._tcp.js.b.example TLSA 3 1 1". */
const char *server_peer_words(const struct peer *peer, char *out, size_t cap);

#endif
