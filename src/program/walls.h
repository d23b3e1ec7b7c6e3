/* SPDX-License-Identifier: Apache-2.0 */
/*
 * walls - the sandbox of a server, from what its configuration says.
 *
 *   files      what the server writes: their folders stay open to it, as SQLite and sockets make
 *              files beside
 *   resolver   its helper may be started again when it dies, and reads its anchors anew then:
 *              it is born behind the same walls
 *   the rest   as program/sandbox; nothing else is read or started any more
 *
 *   Order      everything is open, certificates and keys too; threads start afterwards, for
 *              Landlock holds the thread that calls, and those it makes.
 *   Errors     ERR_SYSTEM with words.
 */
#ifndef PROGRAM_WALLS_H
#define PROGRAM_WALLS_H

#include "core/err.h"
#include "resolve/resolver.h"

#define WALLS_FILES_MAX 4

struct walls {
	const char *user;                       /* to become when root; NULL: nobody else */
	const bool *wanted;                     /* "sandbox:"; NULL: not said, so wanted */
	const struct resolver_config *resolver; /* NULL: the server asks no DNS */
	const char *files[WALLS_FILES_MAX];     /* NULL and "-" are none */
};

/* Says what was applied in one log line, "sandbox.entered". */
int walls_enter(const struct walls *w, struct err *err);

#endif
