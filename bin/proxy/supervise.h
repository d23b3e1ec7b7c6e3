/* SPDX-License-Identifier: Apache-2.0 */
/*
 * supervise - the parent: from one configuration to the next, from one program to the next.
 *
 *   sockets > a crew (crew.h) > SIGHUP: the file again > places > the next crew > all are ready:
 *                               the one before retires. Anything wrong: it stays, the next goes.
 *                             > SIGUSR2: the next program (handover.h)
 *                             > SIGTERM, SIGINT: all stop, what is open has drain seconds
 *
 *   All or nothing  what serves is not touched before what replaces it serves: both listen on
 *              the same sockets, which stay open here, so nothing that waits in a backlog is lost.
 *   Reloads    that come while one is under way become one, after it.
 *   Bounds     BOARD_CREWS_MAX crews; when one more is wanted the oldest has drain seconds.
 *   Manager    READY, RELOADING, STOPPING, STATUS, WATCHDOG and MAINPID (sd_notify(3)).
 *   Errors     words in the log; a first crew that cannot start ends everything.
 */
#ifndef PROXY_SUPERVISE_H
#define PROXY_SUPERVISE_H

#include "proxy/config.h"

/* path is read again for each reload; config is the callee's. Returns the exit status. */
int supervise_run(const char *path, struct config *config);

#endif
