/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fleetmake - keys and certificates for a batch of devices, on the disk before any record is.
 *
 *   key files, synced --> ledger and audit log --> certificate files, synced --> settled
 *
 *   Crash      a key that is there is taken, a certificate that is there and fits too; what was
 *              recorded without its files was completed by state_open.
 *   Ownership  fleetmake_open allocates; borrows the state and its authority.
 *   Errors     of pki/shelf.h and ca/batch.h.
 */
#ifndef IDENTITY_FLEETMAKE_H
#define IDENTITY_FLEETMAKE_H

#include "identity/fleet.h"
#include "identity/fleetmember.h"

struct fleetmake;

struct fleetmake_world {
	const char *state;    /* its folder: files are in devices/ of it */
	struct state *issuer; /* NULL: no certificates */
	const char *key_kind;
	unsigned days;
	bool wildcard; /* devices have no record of their own */
};

int fleetmake_open(const struct fleetmake_world *world, struct fleetmake **out, struct err *err);
void fleetmake_close(struct fleetmake *k);

/* Sets spki, data and serial of each. */
int fleetmake_batch(struct fleetmake *k, struct fleetmember *const *members, size_t count,
	struct fleet_report *report, struct err *err);

#endif
