/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fleetask - does every authoritative server serve every device of a fleet, signed?
 *
 *   Asked      each server about the TLSA of each device, by servers/stream.h.
 *   Its own    the device's record is among those that came, and they are its own: not made from a
 *   record     wildcard.
 *   Wildcard's the record came, made from the wildcard of the device's parent. That nothing closer
 *   record     exists the server proves with NSEC, which is not looked at here: who says otherwise
 *              can only refuse.
 *   Cut off    the record that keeps the wildcard away came; or the device's own record did not.
 *   Signed     by a key of the zone, whose keys lead back to a trust anchor, for now. What was
 *              verified is remembered as SHA-256 of keys, owner, records and signatures: the same
 *              octets are not verified again while the signature lasts. Where a record is gone,
 *              the denial's signature is not verified.
 *   Bounds     as servers/stream.h.
 *   Ownership  fleetask_open allocates; borrows the walk and the anchors.
 *   Errors     ERR_NOMEM, ERR_SYSTEM; ERR_PEER when the zone is not secure.
 */
#ifndef IDENTITY_FLEETASK_H
#define IDENTITY_FLEETASK_H

#include "identity/fleet.h"
#include "identity/fleetmember.h"

struct fleetask;

struct fleetask_world {
	struct delegation_walk *walk;
	const ldns_rr_list *anchors;
	const struct name *zone;
	const struct rrset *wildcard; /* NULL: each has a record of its own */
	const struct rrset *blocker;  /* data of what keeps a wildcard away */
	void (*progress)(void *arg, const char *what, size_t done, size_t all);
	void *progress_arg;
};

int fleetask_open(const struct fleetask_world *world, struct fleetask **out, struct err *err);
void fleetask_close(struct fleetask *a);

/* Sets serves of each, and with it seen; what the servers lack goes into the report. */
int fleetask_run(struct fleetask *a, struct fleetmember *const *members, size_t count,
	struct fleet_report *report, struct err *err);

#endif
