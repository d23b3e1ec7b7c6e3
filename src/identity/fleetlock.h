/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fleetlock - one list of devices of a state is enrolled at a time: two would make two keys for a
 * device.
 *
 *   File       STATE/devices.lock, locked as a whole (F_OFD_SETLK).
 *   Ownership  the descriptor is the caller's; closed, or with its process, the lock ends.
 *   Errors     ERR_SYSTEM; words begin with the path.
 */
#ifndef IDENTITY_FLEETLOCK_H
#define IDENTITY_FLEETLOCK_H

#include "core/err.h"

#include <stdbool.h>

int fleetlock_take(const char *state, int *fd, struct err *err);

/* Whether somebody has it. Takes nothing, so that nobody who wants it meanwhile is refused; the
 * answer is old when it comes. */
bool fleetlock_is_busy(const char *state);

#endif
