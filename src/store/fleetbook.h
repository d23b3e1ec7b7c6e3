/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fleetbook - the devices of a fleet in names.db: how far each has come, and what was seen of it.
 *
 *   Owners     the device's name in lower case, without the final dot.
 *   Terms      32 octets that say what the list wanted of it: with others it begins anew.
 *   Seen       32 octets that say which records under which signatures were verified, until when.
 *   Cut        an operator took it out: a list that still names it does not bring it back.
 *   Memory     the steps are numbers of whoever takes them; this file does not know them.
 *   Ownership  fleetbook_open allocates, to be closed before its names; what each callback is
 *              given lives until it returns.
 *   Errors     ERR_SYSTEM, ERR_NOMEM. In the transaction of names_begin when there is one.
 */
#ifndef STORE_FLEETBOOK_H
#define STORE_FLEETBOOK_H

#include "store/names.h"

#define FLEETBOOK_DIGEST 32

struct fleetbook;

struct fleetbook_device {
	const char *owner;
	const char *form;   /* "3 1 1" */
	const char *serial; /* of its certificate; "": none */
	struct span terms;  /* FLEETBOOK_DIGEST octets */
	struct span data;   /* of its record; empty: a wildcard's stands for it */
	struct span seen;   /* FLEETBOOK_DIGEST octets, or empty */
	int64_t seen_until_s;
	int step;
	bool cut;
};

int fleetbook_open(struct names *names, struct fleetbook **out, struct err *err);
void fleetbook_close(struct fleetbook *b);

/* Whether one that is there is cut off stays as it is. */
int fleetbook_put(struct fleetbook *b, const struct fleetbook_device *d, struct err *err);
/* Of one that is there: nothing else changes. */
int fleetbook_see(struct fleetbook *b, const char *owner, int step, struct span seen,
	int64_t until_s, struct err *err);
int fleetbook_cut(struct fleetbook *b, const char *owner, bool cut, int step, struct err *err);

/* owner NULL: all, in the order of their owners. *count, when not NULL, is how many. */
int fleetbook_each(struct fleetbook *b, const char *owner,
	int (*each)(void *arg, const struct fleetbook_device *d, struct err *err), void *arg,
	size_t *count, struct err *err);

#endif
