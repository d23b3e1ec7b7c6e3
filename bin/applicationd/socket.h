/* SPDX-License-Identifier: Apache-2.0 */
/*
 * socket - downlink commands from programs on this machine: a Unix stream, a line a command.
 *
 *   Shape      application/command.h; every line is answered by one line, in order.
 *   Access     the socket's file mode, 0660: who may write to it may send to devices.
 *   Bounds     SOCKET_CLIENTS_MAX clients, COMMAND_LINE_MAX octets a line; a longer line is
 *              answered and the client closed. A client that does not read its answers is
 *              not read from.
 *   Ownership  socket_open gives; socket_close takes, and removes the file.
 */
#ifndef APPLICATIOND_SOCKET_H
#define APPLICATIOND_SOCKET_H

#include "applicationd/server.h"

#define SOCKET_CLIENTS_MAX 64

int socket_open(struct server *s, const char *path, struct socket **out, struct err *err);
void socket_close(struct socket *s);

/* ticket is one this file gave to application_command. */
void socket_answer(uint64_t ticket, const char *id, const char *error);

#endif
