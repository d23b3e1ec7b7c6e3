/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crlfile - what was said when an authority last signed its list of what it revoked, kept beside
 * it, so that the next one can be signed the same way before that one ends.
 *
 *   File       PREFIX-crl.json, replaced as a whole; PREFIX is that of the authority's files.
 *   Time       seconds since 1970.
 *   Ownership  the struct is the caller's memory and owns nothing.
 *   Errors     ERR_SYSTEM, ERR_FORMAT, words begin with the path; those of ca/revocation.h.
 */
#ifndef CA_CRLFILE_H
#define CA_CRLFILE_H

#include "ca/revocation.h"

#include <limits.h>

#define CRLFILE_ENDING "-crl.json"

struct crlfile {
	char path[PATH_MAX];          /* of the list, absolute */
	char password_file[PATH_MAX]; /* of the authority's key; "": none */
	uint32_t life_s;
	int64_t this_update, next_update;
};

int crlfile_read(const char *prefix, struct crlfile *out, struct err *err);

/* Signs a list, writes it to path for as long as life_s says, and keeps that. */
int crlfile_sign(struct state *state, const char *path, const char *password_file, unsigned life_s,
	struct revocation_list *out, struct err *err);

/* The list kept at prefix is signed again as it was. */
int crlfile_again(const char *prefix, struct crlfile *f, struct err *err);

/* How many were revoked since the list was signed. */
int crlfile_behind(const char *prefix, const struct crlfile *f, size_t *out, struct err *err);

#endif
