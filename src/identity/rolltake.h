/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rolltake - an enrolled name is taken over by its first rollover.
 *
 *   before   names/OWNER/current-key.pem, current.pem, ...      files, of identity/enrolment.h
 *   after    the same names are links to what is in use: current/key.pem, current/cert.pem
 *
 *   So a service that was told of the files of its enrolment goes on with them, and "sardane
 *   names remove" still finds all there is.
 *   Again      each call may be repeated after a crash.
 *   Errors     of names and keyring.
 */
#ifndef IDENTITY_ROLLTAKE_H
#define IDENTITY_ROLLTAKE_H

#include "identity/rollfile.h"

struct rolltake {
	bool found; /* it is enrolled, to the end */
	char cert[PATH_MAX], key[PATH_MAX];
};

/* What f leaves open, the enrolment says: via, kind of key, days. */
int rolltake_find(const char *state, const char *dir, struct rollfile *f, struct rolltake *out,
	struct err *err);

/* After a generation is in use. */
int rolltake_link(const char *dir, struct err *err);

#endif
