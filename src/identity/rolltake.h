/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rolltake - an enrolled name is taken over by its first rollover.
 *
 *   before   names/OWNER/current-key.pem, current.pem, ...      files, of identity/enrolment.h
 *   after    the same names are links to what is in use: current/key.pem, current/cert.pem
 *
 *   So a service that was told of the files of its enrolment goes on with them, and "sardane
 *   names remove" still finds all there is.
 *   Leaving    one that was never enrolled, but given with its key, leaves the same way.
 *   Again      each call may be repeated after a crash.
 *   Errors     of names and keyring.
 */
#ifndef IDENTITY_ROLLTAKE_H
#define IDENTITY_ROLLTAKE_H

#include "identity/rollrecords.h"

struct rolltake {
	bool found; /* it is enrolled, to the end */
	char cert[PATH_MAX], key[PATH_MAX];
};

/* What f leaves open, the enrolment says: via, kind of key, days. */
int rolltake_find(const char *state, const char *dir, struct rollfile *f, struct rolltake *out,
	struct err *err);

/* All owners that the rollover of the folder has; none when there is no such file. */
int rolltake_owners(const char *dir, struct rollrecords *out, struct err *err);

/* How the owner's rollover publishes. *found false: no rollover keeps it. */
int rolltake_find_via(const char *state, const char *owner, char via[PATH_MAX], bool *found,
	struct err *err);

/* A name that a rollover alone keeps becomes an entry of names.db that leaves: from there on
 * enrolment_leave undoes it. *found false: no rollover keeps it. */
int rolltake_leave(const char *state, const char *owner, struct names *names, bool *found,
	struct err *err);

/* After a generation is in use. */
int rolltake_link(const char *dir, struct err *err);

#endif
