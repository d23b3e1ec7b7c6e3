/* SPDX-License-Identifier: Apache-2.0 */
/*
 * confine - Landlock and seccomp for the calling process.
 *
 *   Order      confine_writable (at most once), confine_files, confine_calls.
 *   Source     landlock(7) ABI 1 and later; seccomp(2) through libseccomp.
 */
#ifndef RESOLVERD_CONFINE_H
#define RESOLVERD_CONFINE_H

#include "core/err.h"

#include <stdbool.h>

/* The one directory whose files stay in reach. */
int confine_writable(const char *directory, struct err *err);

/* *abi: the Landlock of this kernel, 0 when there is none and nothing was done. */
int confine_files(int *abi, struct err *err);

/* files: opening and renaming stay allowed, for the managed anchor. */
int confine_calls(bool files, struct err *err);

#endif
