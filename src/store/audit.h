/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audit - what was done with a state directory: lines that are only ever added.
 *
 *   Files      DIR/audit.log, a line per act (store/auditline.h), and DIR/audit.head, the
 *              number and hash of the last, replaced whole: so that a log cut short is noticed.
 *   Durable    when audit_append returns 0 the line is on the disk; report the act only then.
 *   Crash      between the two files: the head is one line behind; the next line mends it. In
 *              the middle of a line: what is there of it was never reported; it is cut off, and
 *              a line "audit.mend" says so.
 *   Sharing    writers take turns by flock.
 *   Proof      the chain shows any change by who cannot also rewrite all that follows and the
 *              head. Who can do that is found by a head noted elsewhere: audit_verify's `noted`.
 *   Ownership  audit_open gives, audit_close takes.
 *   Errors     ERR_SYSTEM, ERR_FORMAT; words begin with the file. A log that does not fit its
 *              head takes no more lines.
 */
#ifndef STORE_AUDIT_H
#define STORE_AUDIT_H

#include "store/audithead.h"

struct audit;

/* Makes both files when neither is there. */
int audit_open(const char *dir, struct audit **out, struct err *err);
void audit_close(struct audit *audit);

/* act is "thing.verb"; notes are more members of the line, those with text NULL left out. */
int audit_append(struct audit *audit, const char *act, const char *thing,
	const struct auditline_note *notes, size_t n, struct err *err);

enum audit_verdict { AUDIT_WHOLE, AUDIT_BROKEN };

struct audit_report {
	enum audit_verdict verdict;
	struct audit_head head; /* of the last good line */
	bool lagging;           /* audit.head is one line behind: a writer was interrupted */
	char why[200];          /* AUDIT_BROKEN: what and where */
};

/* noted: a head seen before that must still be in the chain; NULL: none. */
int audit_verify(const char *dir, const struct audit_head *noted, struct audit_report *out,
	struct err *err);

/* Every line in order while each returns true; a line that does not read ends it with words.
 * text is the line as it stands. */
int audit_each(const char *dir,
	bool (*each)(void *arg, const struct auditline *line, struct span text), void *arg,
	struct err *err);

#endif
