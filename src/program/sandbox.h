/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sandbox - give up what a server does not need, once everything is open.
 *
 *   user         setgroups, setgid, setuid; only when started as root
 *   no new privileges, no core dump; always
 *   Landlock     only the paths given may be opened from now on (Linux 5.13; left out, and
 *                said so, where the kernel has none)
 *   seccomp      calls that no server makes fail with EPERM: ptrace, mount, modules,
 *                keyctl, bpf, perf, kexec, and, when exec is NULL, starting programs; in all
 *                threads (Landlock: in the calling thread and those it makes)
 *
 *   Order        after listeners, database and children are open.
 *   Errors       ERR_SYSTEM with words: a sandbox that was asked for and cannot be had is
 *                an error, except Landlock on a kernel without it.
 */
#ifndef PROGRAM_SANDBOX_H
#define PROGRAM_SANDBOX_H

#include <stdbool.h>

#include "core/err.h"

struct sandbox {
	const char *user;         /* NULL: stay who we are */
	const char *const *read;  /* paths (files or folders), NULL-ended; NULL: none */
	const char *const *write; /* likewise; may be read, created and removed too */
	const char *const *exec;  /* programs that may still be started; NULL: none */
	bool landlock;
	bool seccomp;
};

/* *done_words, when wanted, names what was applied: "user,landlock,seccomp" (static). */
int sandbox_enter(const struct sandbox *s, const char **done_words, struct err *err);

#endif
