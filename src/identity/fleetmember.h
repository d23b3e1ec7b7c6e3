/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fleetmember - one device while its fleet is enrolled: shared by the parts of identity/fleet.h.
 *
 *   Ownership  data is the member's; all else is the roster's.
 */
#ifndef IDENTITY_FLEETMEMBER_H
#define IDENTITY_FLEETMEMBER_H

#include "identity/roster.h"
#include "pki/facts.h"
#include "store/fleetbook.h"

struct fleetmember {
	struct roster_device *device;
	int step;
	bool cut;
	bool known;   /* names.db has it, with these terms */
	bool checked; /* its key was read */
	bool dirty;   /* step or seen are not noted yet */
	bool serves;  /* every server, when it was asked last */
	struct span data;
	char serial[FACTS_SERIAL_MAX];
	bool has_seen;
	uint8_t seen[FLEETBOOK_DIGEST];
	int64_t seen_until_s;
};

#endif
