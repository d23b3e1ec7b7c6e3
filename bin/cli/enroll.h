/* SPDX-License-Identifier: Apache-2.0 */
/*
 * enroll - what the commands about enrolled names share: everything opened, and the words.
 *
 *   Ownership  enroll_open fills the caller's memory, enroll_close empties it.
 */
#ifndef CLI_ENROLL_H
#define CLI_ENROLL_H

#include "cli/command.h"
#include "cli/publishing.h"
#include "identity/enrolment.h"
#include "identity/fleet.h"
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

/* enrolllive.c: the server itself, once its name is enrolled. */
struct enroll_live {
	bool authenticated;
	char why[220];
};

/* Runs a command of the operator's, told SARDANE_NAME, SARDANE_CERT and SARDANE_KEY. */
int enroll_reload(const struct enrolment *e, const char *command, struct err *err);
/* Connects until the server proves itself, or the time is over. */
int enroll_connect(const struct enrolment *e, struct enroll_live *out, struct err *err);

/* enrollcsv.c: the devices of a list. Returns what the command returns. */
struct enroll_fleet {
	const char *csv, *via, *state, *form, *key, *result;
	bool ca, json, dry_run, has_wait, quiet;
	unsigned days, wait_s;
};

int enroll_fleet(const struct command *self, const struct enroll_fleet *r);

/* The same without a word; state is given. *all: every server serves every device. */
int enroll_fleet_again(const struct enroll_fleet *r, struct fleet_report *report, bool *all,
	struct err *err);

/* A path that may not be there, as who runs in another folder finds it. */
int enroll_absolute(const char *path, char out[PATH_MAX], struct err *err);

/* Where it is, what the servers and the proof said, and its files. */
/* live NULL: it was not asked for. */
int enroll_show(const struct enrolment *e, bool waits, const struct enroll_live *live, bool json);

#endif
