/* SPDX-License-Identifier: Apache-2.0 */
/*
 * agent - the names an agent looks after, and how they fare.
 *
 *   Ownership  agent_names_read fills the caller's list, agent_names_free empties it.
 *   Time       ms since 1970; 0: not yet.
 */
#ifndef CLI_AGENT_H
#define CLI_AGENT_H

#include "ca/crlfile.h"
#include "core/buf.h"
#include "identity/enrolment.h"
#include "identity/fleetfile.h"
#include "identity/rollfile.h"
#include "rollover/agenda.h"

/* What the authority of the state is called among them: no owner of records is. */
#define AGENT_AUTHORITY "(authority)"

enum agent_kind {
	AGENT_ROLLED,   /* file is what rollover.json says: a name, or the authority */
	AGENT_ENROLLED, /* of file: name and via */
	AGENT_CRL,      /* dir is the prefix of the authority; crl */
	AGENT_FLEET,    /* fleet */
};

struct agent_name {
	enum agent_kind kind;
	char name[NAME_TEXT_MAX];
	char dir[PATH_MAX];
	bool unfinished;  /* AGENT_ENROLLED: on its way */
	int64_t since_ms; /* AGENT_ENROLLED: its step */
	int64_t busy_ms;  /* another process was at it then */
	bool seen;        /* in the last scan */
	bool opened;      /* by this process, before */
	int64_t checked_ms, failed_ms;
	uint32_t failures;
	uint32_t done;   /* rollovers, when last looked */
	bool told_late;  /* people were told of this */
	char words[200]; /* of the last check or failure */
	struct agenda next;
	struct rollfile file;
	struct crlfile crl;
	struct fleetfile fleet;
	size_t devices;  /* of the fleet, when last looked */
	int64_t ends_ms; /* of the certificate */
};

struct agent_names {
	size_t count, cap;
	struct agent_name **name;
};

/* What a rollover keeps in DIR; those known before keep what is remembered of them. */
int agent_names_read(const char *state, struct agent_names *n, struct err *err);
/* That, and what else there is to look after. */
int agent_names_scan(const char *state, struct agent_names *n, struct err *err);
void agent_names_free(struct agent_names *n);

/* What was found of one that no rollover keeps, and done for it. */
struct agent_found {
	bool busy; /* another process is at it: nothing was done */
	bool good, repaired, renewed;
	const char *did; /* what was repaired or renewed */
	char words[ENROLMENT_TROUBLE_MAX];
};

/* agentcrl.c: the list of an authority is signed again before it ends, or when it lacks somebody;
 * and those of a state that there are to look after. */
int agent_crl(struct agent_name *a, struct agent_found *out, struct err *err);
int agent_crl_each(const char *state,
	int (*each)(void *arg, const char *prefix, const char *name, struct err *err), void *arg,
	struct err *err);

/* agentfleet.c: the list is enrolled again, which asks for every device. */
int agent_fleet(const char *state, struct agent_name *a, struct agent_found *out, struct err *err);
/* What a list is called among the names. */
void agent_fleet_name(const char *list, char out[NAME_TEXT_MAX]);

/* agentwatch.c: looks after one that is not AGENT_ROLLED; renews what ends when that is due. */
int agent_watch(const char *state, struct agent_name *a, struct agent_found *out, struct err *err);

/* The page for people, and the file for Prometheus's node exporter. */
void agent_show(const struct agent_names *n, int64_t now_ms, struct buf *out);
void agent_measure(const struct agent_names *n, int64_t now_ms, struct buf *out);

#endif
