/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rollauthority - what "sardane rollover --ca" does otherwise than for a name.
 *
 *   Ownership  nothing is kept.
 *   Errors     ERR_* with words.
 */
#ifndef CLI_ROLLAUTHORITY_H
#define CLI_ROLLAUTHORITY_H

#include "cli/roll.h"

/* The first time: ca.pem becomes the first generation, and f is written. */
int rollauthority_begin(const char *state, struct rollfile *f, const char *dir, struct err *err);

/* Appends what is before it: owners, certificates, retired authorities. */
int rollauthority_tell(const char *state, const struct rollfile *f, struct buf *out,
	struct err *err);
int rollauthority_write(const char *state, const struct rollfile *f, struct writer *w,
	struct err *err);

#endif
