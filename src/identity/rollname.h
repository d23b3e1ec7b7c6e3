/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rollname - a rollover's tasks for the key of one name (pki/keyring.h), published in the forms
 * its first owner has.
 *
 *   Private    as rolltasks.h.
 */
#ifndef IDENTITY_ROLLNAME_H
#define IDENTITY_ROLLNAME_H

#include "identity/rolltasks.h"

extern const struct rolltasks rollname_tasks;

#endif
