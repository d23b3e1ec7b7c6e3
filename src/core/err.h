/* SPDX-License-Identifier: Apache-2.0 */
/*
 * err - what went wrong, in words, carried to the caller.
 *
 * Every function that can fail returns int: 0, or one negative code from base/code.h.
 * The words go in a struct err that lives on the stack of whoever wants them.
 *
 *   Ownership  a struct err owns nothing; there is nothing to free.
 *   NULL       every function here accepts e == NULL and still returns the code.
 *   Not here   an expected outcome (no TLSA, bad MIC, replay) is a verdict, not
 *              an error: the function returns 0 and the verdict comes out.
 */
#ifndef CORE_ERR_H
#define CORE_ERR_H

#include "base/code.h"

struct err {
	int code;
	char msg[248];
};

/* Sets e and returns code, so a failure is one line: return err_set(e, ERR_ARG, "..."); */
int err_set(struct err *e, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Puts context before the words already there: "load key 'a.pem': no such file". */
int err_wrap(struct err *e, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#endif
