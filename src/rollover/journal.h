/* SPDX-License-Identifier: Apache-2.0 */
/*
 * journal - the state of a rollover as text: what survives a kill.
 *
 *   Form       one JSON object, an older one of which is never needed.
 *   Not in it  the policy, which is the configuration's, and no key.
 *   Ownership  journal_write appends to the caller's buf.
 *   Errors     ERR_FORMAT (words name the member), ERR_NOMEM; *r only on success.
 */
#ifndef ROLLOVER_JOURNAL_H
#define ROLLOVER_JOURNAL_H

#include "core/buf.h"
#include "core/err.h"
#include "rollover/rollover.h"

int journal_write(const struct rollover *r, struct buf *out, struct err *err);

/* Call rollover_resume next. */
int journal_read(struct span text, const struct rollover_policy *policy, struct rollover *r,
	struct err *err);

#endif
