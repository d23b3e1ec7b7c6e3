/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sockets - what the proxy listens on, kept by the parent from one configuration to the next.
 *
 *   Places     one for each "bind", with a socket for each worker (SO_REUSEPORT); a Unix socket,
 *              and a port that was given to us without SO_REUSEPORT, is one that all share.
 *   Kept       a place that the next configuration has as well stays open, and so does what waits
 *              in its backlog. When there are fewer workers than sockets, some serve two.
 *   Given      sd_listen_fds(3): LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES, from the service manager
 *              or from an older binary of ours (handover.h). A socket belongs to the entry whose
 *              name it has, or else to the one that binds to its address.
 *   Errors     ERR_FORMAT, ERR_SYSTEM with words; places that were open stay as they were.
 */
#ifndef PROXY_SOCKETS_H
#define PROXY_SOCKETS_H

#include <stdbool.h>

#include "core/err.h"
#include "net/rights.h"

struct sockets;

/* Takes what was given, and the words about it out of the environment. */
int sockets_new(struct sockets **out, struct err *err);
void sockets_free(struct sockets *s); /* closes all */

/* Opens what the place does not have yet: at least count sockets. They do not listen yet. One of a
 * new place at a path gets its rights. */
int sockets_open(struct sockets *s, const char *name, const char *bind, unsigned count,
	const struct rights *rights, struct err *err);
/* The k-th socket of worker w of count; -1: there are no more. Of the parent's, borrowed. */
int sockets_of(const struct sockets *s, const char *name, const char *bind, unsigned w,
	unsigned count, unsigned k);
/* As if none had been asked for. */
void sockets_unwant(struct sockets *s);
/* As if it had been asked for, when it is open: opens nothing, and so cannot fail. */
void sockets_keep(struct sockets *s, const char *name, const char *bind);
/* Closes the places that were not asked for by sockets_open since the last call, and what was
 * given and is nobody's. */
void sockets_sweep(struct sockets *s);

/* All of them for a program to be started: calls put for each, in order, with its name. */
void sockets_each(const struct sockets *s, void (*put)(void *arg, int fd, const char *name),
	void *arg);

#endif
