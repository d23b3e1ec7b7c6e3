/* SPDX-License-Identifier: Apache-2.0 */
/*
 * password - where the password of an encrypted key, or the PIN of a token, comes from.
 *
 *   Sources    the first line of a file that only its owner can read, or a question to a person.
 *              Never a command line, which every user of the machine can read.
 *   Ownership  the caller wipes what comes out.
 *   Errors     ERR_ARG, ERR_SYSTEM with words that begin with what the password is for.
 */
#ifndef PKI_PASSWORD_H
#define PKI_PASSWORD_H

#include "core/err.h"

#include <stdbool.h>
#include <stddef.h>

#define PASSWORD_MAX 256

struct password {
	const char *file; /* NULL: ask */
	/* twice: a new one, to be typed again. NULL: there is nobody to ask. */
	int (*ask)(const char *what, bool twice, char *out, size_t cap, struct err *err);
};

/* what: "key 'ca-key.pem'". p may be NULL: there is none. */
int password_get(const struct password *p, const char *what, bool fresh, char out[PASSWORD_MAX],
	struct err *err);

/* The first line of a file with a mode that lets no others at it. */
int password_read(const char *path, char out[PASSWORD_MAX], struct err *err);

#endif
