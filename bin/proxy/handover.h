/* SPDX-License-Identifier: Apache-2.0 */
/*
 * handover - another program takes our sockets, and then our place.
 *
 *   SIGUSR2 > the program that lies where ours lay, same arguments, all sockets (sockets.h)
 *           > it is ready: we accept no more, and end when our connections have ended
 *           > it ends before: we stay
 *
 *   Ready      one octet through a pipe, whose descriptor is in the environment.
 *   Errors     ERR_SYSTEM with words.
 */
#ifndef PROXY_HANDOVER_H
#define PROXY_HANDOVER_H

#include <signal.h>
#include <sys/types.h>

#include "proxy/sockets.h"

/* Where the program lies, and how it was called; once, at the start. */
void handover_remember(char **argv);

/* *ready_fd: readable when it is ready, ended when it never will be. */
int handover_begin(const struct sockets *sockets, const sigset_t *signals, pid_t *pid,
	int *ready_fd, struct err *err);

/* In the new program: an older one waits. Once; nothing when there is none. */
void handover_tell_ready(void);

#endif
