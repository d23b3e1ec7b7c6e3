/* SPDX-License-Identifier: Apache-2.0 */
/*
 * journal - the state of a rollover as text: what survives a kill.
 *
 *   Form       one JSON object within another, its keeper's; an older one is never needed.
 *   Not in it  the policy, which is the keeper's, and no key.
 *   Errors     ERR_FORMAT (words name the member); *r only on success.
 */
#ifndef ROLLOVER_JOURNAL_H
#define ROLLOVER_JOURNAL_H

#include "core/err.h"
#include "rollover/rollover.h"
#include "json/doc.h"
#include "json/writer.h"

/* Sticky, as every write: writer_ok. */
void journal_write(const struct rollover *r, const char *name, struct writer *w);

/* Call rollover_resume next, unless this process has kept watch since it wrote it. */
int journal_read(const struct doc *object, const struct rollover_policy *policy, struct rollover *r,
	struct err *err);

#endif
