/* SPDX-License-Identifier: Apache-2.0 */
/*
 * enroll - what the commands about enrolled names share: everything opened, and the words.
 *
 *   Ownership  enroll_open fills the caller's memory, enroll_close empties it.
 */
#ifndef CLI_ENROLL_H
#define CLI_ENROLL_H

#include "cli/publishing.h"
#include "identity/enrolment.h"
#include "json/writer.h"

struct enroll_session {
	struct publishing publishing;
	struct resolver *resolver; /* NULL when nothing is to be proved */
	struct enrolment_tools tools;
};

/* state NULL takes that of the file. */
int enroll_open(const char *via, const char *state, bool proves, struct enroll_session *out,
	struct err *err);
void enroll_close(struct enroll_session *s);

/* Where it is, what the servers and the proof said, and its files. */
void enroll_tell(const struct enrolment *e, bool waits, struct buf *t);
void enroll_write(const struct enrolment *e, struct writer *w); /* as members */
int enroll_show(const struct enrolment *e, bool waits, bool json);

#endif
