/* SPDX-License-Identifier: Apache-2.0 */
/*
 * child - a command of the operator's: run by the shell, told things by its environment, and
 * not waited for longer than it was given.
 *
 *   Time       ms; then its whole process group is killed.
 *   Output     both of its outputs are read; the last line is in the words when it fails.
 *   Errors     ERR_SYSTEM (cannot be run), ERR_TIMEOUT, ERR_PEER (ended with another status
 *              than 0).
 */
#ifndef PUBLISH_CHILD_H
#define PUBLISH_CHILD_H

#include "core/err.h"

/* variables: "NAME=value", ended by NULL, put before those we have ourselves. */
int child_run(const char *command, const char *const *variables, unsigned timeout_ms,
	struct err *err);

#endif
