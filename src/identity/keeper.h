/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keeper - which of our ways looks after a name, so that no other takes its records away unasked.
 *
 *   Enrolment  an entry of names.db, at whatever step.
 *   Rollover   a rollover.json among whose services the name is.
 *   Fleet      a device of a list, or the wildcard that stands for devices.
 *   Errors     those of store/names.h and identity/rollfile.h; keeper_permits: ERR_ARG.
 */
#ifndef IDENTITY_KEEPER_H
#define IDENTITY_KEEPER_H

#include "publish/rrset.h"
#include "store/names.h"

enum keeper { KEEPER_NONE, KEEPER_ENROLMENT, KEEPER_ROLLOVER, KEEPER_FLEET };

/* state: the folder of names. */
int keeper_find(const char *state, struct names *names, const struct name *owner, enum keeper *out,
	struct err *err);

/* wanted is all of ours that shall be at its owner: of a name that is looked after nothing may go.
 */
int keeper_permits(const char *state, struct names *names, const struct rrset *wanted,
	struct err *err);

#endif
