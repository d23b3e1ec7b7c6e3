/* SPDX-License-Identifier: Apache-2.0 */
/*
 * local - what a program on this machine says over HTTP: for tools that ask once and wait.
 *
 *   Where      "unix:/path" or a loopback address with its port, as listen.h reads them.
 *   Bounds     octets_max of body, timeout_ms in all.
 *   Ownership  appends to the caller's buf.
 *   Errors     ERR_FORMAT (where), ERR_SYSTEM (nobody there, too long, no answer) with words.
 */
#ifndef NET_LOCAL_H
#define NET_LOCAL_H

#include "core/buf.h"
#include "core/err.h"

/* path is "/status". *code: the HTTP status. */
int local_get(const char *where, const char *path, size_t octets_max, unsigned timeout_ms,
	struct buf *out, long *code, struct err *err);

#endif
