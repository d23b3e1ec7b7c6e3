/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run - other programs: find one, read what it prints, or leave it running.
 *
 *   Errors  ERR_SYSTEM with the program's name and, when it failed, its first line of
 *           complaint.
 */
#ifndef CLI_RUN_H
#define CLI_RUN_H

#include "core/buf.h"
#include "core/err.h"

#include <sys/types.h>

/* Looks in PATH, then where system programs lie, which is not in every user's PATH. */
int run_find(const char *program, const char *package, char *out, size_t cap, struct err *err);

/* A program of ours in the build tree this one runs from: "resolverd/sardane-resolverd".
 * False when this one is installed, or that one not built. */
bool run_find_own(const char *place, char *out, size_t cap);

/* Appends standard output to out; a status other than 0 is a failure. */
int run_read(const char *const *argv, struct buf *out, struct err *err);

/* A session of its own, standard input empty, both outputs into the file. */
int run_detached(const char *const *argv, const char *output, pid_t *pid, struct err *err);

#endif
