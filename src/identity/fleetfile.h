/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fleetfile - how a list of devices was enrolled, kept so that it can be done again.
 *
 *   File       STATE/fleets/DIGEST.json, replaced as a whole; DIGEST is of the list's path.
 *   Paths      absolute.
 *   Ownership  the struct is the caller's memory and owns nothing.
 *   Errors     ERR_SYSTEM, ERR_FORMAT; words begin with the path. *out only on success.
 */
#ifndef IDENTITY_FLEETFILE_H
#define IDENTITY_FLEETFILE_H

#include "core/err.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

struct fleetfile {
	char list[PATH_MAX];
	char via[PATH_MAX];
	char result[PATH_MAX]; /* "": devices.csv in the state */
	char form[8];
	char key_kind[16];
	bool ca;
	uint32_t days;
};

int fleetfile_write(const char *state, const struct fleetfile *f, struct err *err);

/* The list is forgotten, its devices are not. *found false: it was not known. */
int fleetfile_forget(const char *state, const char *list, bool *found, struct err *err);

/* f is NULL, and err tells why, for a file that cannot be read; each returns 0 to go on. */
int fleetfile_each(const char *state,
	int (*each)(void *arg, const struct fleetfile *f, struct err *err), void *arg,
	struct err *err);

#endif
