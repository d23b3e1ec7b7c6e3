/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sandbox - what is left to a process that reads what strangers sign.
 *
 *   root --> user --> limits --> no new privileges --> Landlock --> seccomp
 *
 *   Source     landlock(7), seccomp(2), prctl(2), setrlimit(2).
 *   Landlock   no file at all, except the directory of a managed trust anchor. A kernel
 *              without it is told in the words, not refused.
 *   seccomp    an allow-list; what is not on it fails with EPERM.
 *   Errors     any step the kernel offers and then refuses: the process must not go on.
 */
#ifndef RESOLVERD_SANDBOX_H
#define RESOLVERD_SANDBOX_H

#include "core/err.h"

#include <stddef.h>

struct sandbox {
	const char *user;     /* to become when root; NULL: nobody */
	const char *writable; /* file that is replaced now and then; or NULL */
};

/* words: what is in force, as key=value. */
int sandbox_enter(const struct sandbox *s, char *words, size_t cap, struct err *err);

#endif
