/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crew - the processes that serve one configuration: workers, and who tells their status.
 *
 *   STARTING --all are ready--> SERVING --crew_retire--> RETIRING --crew_stop--> STOPPING
 *      |                           |        accepts no more;         and has drain seconds
 *      +--one cannot---------------+------> ends by itself ---------------> nobody is left
 *
 *   Workers    one that dies while SERVING is started again, RESTARTS_MAX times in a minute and
 *              each later than the last. One whose loop has not turned for stuck_timeout is
 *              killed, and so is one that is not ready in start_timeout; a crew that never served
 *              fails then.
 *   Ownership  a crew owns its configuration and its board; sockets are borrowed. Errors words.
 *              What its workers have to say is in the log.
 */
#ifndef PROXY_CREW_H
#define PROXY_CREW_H

#include <poll.h>
#include <signal.h>
#include <sys/types.h>

#include "proxy/board.h"
#include "proxy/config.h"
#include "proxy/sockets.h"

#define CREW_RESTARTS_MAX 10
#define CREW_LOOK_MS      1000

enum crew_state { CREW_STARTING, CREW_SERVING, CREW_RETIRING, CREW_STOPPING };

struct crew_worker {
	pid_t pid; /* 0: none */
	bool ready;
	int ready_fd;     /* the worker writes one octet; -1: known */
	int64_t begin_ms; /* to be started then; 0: it runs */
	int64_t began_ms;
};

/* What a worker is started with; borrowed. */
struct crew_start {
	struct sockets *sockets;
	const sigset_t *signals;
	const struct board_view *view; /* its tally is written to */
};

struct crew {
	struct crew *next;
	enum crew_state state;
	struct config config;
	struct board *board;
	struct crew_start how;
	struct crew_worker *worker;
	unsigned count;    /* of worker: config's workers, and one for the status */
	int turn_fd;       /* serve.h */
	unsigned restarts; /* since: */
	int64_t counted_ms;
	int64_t looked_ms, calm_ms; /* at the workers; when we ourselves had been stopped */
	bool failed;                /* one could not start, or they died too often */
	bool late;                  /* one was not ready in time */
	bool unhappy;               /* one ended badly when it was told to end */
};

/* Takes config. */
int crew_new(struct config *config, struct crew **out, struct err *err);
void crew_free(struct crew *c); /* no worker is left */

/* Its places, those that are not open yet. */
int crew_open(const struct crew *c, struct err *err);
/* Those that are: nothing that is looked up, like a group, can take them away. */
void crew_keep(const struct crew *c);
/* It serves: whatever Unix socket it took over has the rights it says. */
void crew_settle(const struct crew *c);
/* Opens its places, then starts everybody. On an error some may run: crew_stop. */
int crew_begin(struct crew *c, const struct crew_start *how, struct err *err);
void crew_retire(struct crew *c);
void crew_stop(struct crew *c);

bool crew_is_ready(const struct crew *c);
bool crew_is_gone(const struct crew *c); /* nobody is left, and nobody will be started */

/* The loop of the parent: descriptors to poll for reading, at most crew_fds of them. */
unsigned crew_fds(const struct crew *c);
unsigned crew_poll(const struct crew *c, struct pollfd *fds);
void crew_hear(struct crew *c, const struct pollfd *fds, unsigned n);
/* False: pid is none of this crew's. */
bool crew_ended(struct crew *c, pid_t pid, int status);
/* Starts who is due, kills who is stuck. ms until it wants to be called again. */
int crew_tick(struct crew *c);
/* None is half way to being stuck. */
bool crew_turns(const struct crew *c);

#endif
