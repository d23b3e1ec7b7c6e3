/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cutoff - one device of a fleet is taken out, and let in again.
 *
 *   Own        record of the device is withdrawn: DNS then proves that there is none.
 *   Wildcard   a record at the device's own name keeps it away from there (RFC 4592 section 2.2.1):
 *              TLSA 3 1 1 with a digest of zeros, which no key has. A record of any other type
 *              would do that too, and DNS would then prove that there is no TLSA: but who falls
 *              back to a list of authorities where there is none would let the device in by its
 *              certificate. With this one there is a usable TLSA, so nobody may fall back (RFC
 *              6698 section 4.1), and it matches nothing. All zeros, so that people see what it
 *              is.
 *   Order      noted in names.db first, so that the list does not bring it back meanwhile.
 *   Errors     of fleetbook and rrset.
 */
#ifndef IDENTITY_CUTOFF_H
#define IDENTITY_CUTOFF_H

#include "publish/rrset.h"
#include "store/fleetbook.h"

#include "pki/facts.h"

/* Adds the data of the record that keeps a wildcard away. */
int cutoff_blocker(struct rrset *set, struct err *err);

struct cutoff_device {
	bool found; /* it is a device of a fleet */
	bool wildcard, cut;
	char serial[FACTS_SERIAL_MAX]; /* of its certificate; "": none */
};

int cutoff_find(struct names *names, const char *owner, struct cutoff_device *out, struct err *err);

/* cut false lets it in again: the next sardane enroll --csv makes what it lacks. */
int cutoff_note(struct names *names, const char *owner, bool cut, struct err *err);

#endif
