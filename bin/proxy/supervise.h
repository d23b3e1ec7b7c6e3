/* SPDX-License-Identifier: Apache-2.0 */
/*
 * supervise - the parent: sockets for all, workers that are started again, the end.
 *
 *   sockets > fork, one by one > all ready > SIGCHLD: start it again, after a while
 *                                          > SIGTERM, SIGINT: SIGTERM to all, wait for them
 *
 *   Sockets    each worker has its own on each port (SO_REUSEPORT), and all share a Unix
 *              socket. They stay open here: what waits in the backlog of a worker that died is
 *              for the next one. The parent reads nothing from them.
 *   Bounds     RESTARTS_MAX restarts in a minute, each later than the last; then it gives up.
 *   Errors     words; a worker that cannot start at all ends everything.
 */
#ifndef PROXY_SUPERVISE_H
#define PROXY_SUPERVISE_H

#include "proxy/config.h"

/* Returns the exit status. */
int supervise_run(const struct config *config);

#endif
