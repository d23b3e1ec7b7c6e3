/* SPDX-License-Identifier: Apache-2.0 */
/*
 * notify - tell the service manager where we are, if there is one.
 *
 *   Source     sd_notify(3): datagrams to the Unix socket named by NOTIFY_SOCKET. Without
 *              it nothing happens.
 */
#ifndef PROGRAM_NOTIFY_H
#define PROGRAM_NOTIFY_H

/* state: "READY=1", "STOPPING=1", "RELOADING=1", "STATUS=words", "WATCHDOG=1". */
void notify_send(const char *state);

#endif
