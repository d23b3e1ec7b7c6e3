/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fleet - the devices of a list get their keys, certificates and records, all of them together.
 *
 *   begun --> ready --> published --> verified          each device by itself, noted in names.db
 *     |         |            |
 *     |         |            `- the primary has its record (or that of the wildcard)
 *     |         `- its key is on the disk, its certificate in ledger and file
 *     `- what is wanted of it is noted
 *
 *   Forms      3 1 1, 3 1 0: a record for each device at its own name, for a key it brings or one
 *              made here, with a certificate of the authority or without. 2 1 1, 2 0 1: one
 *              record of the authority at "*", below which all of them are; each has a
 *              certificate with its own name in it, never one with a "*".
 *   Batches    FLEET_BATCH devices: a transaction of names.db for each step, a line of the audit
 *              log for what was published; what is issued is recorded as ca/batch.h says.
 *   Crash      what is noted is not done again; all work may be. So the same call goes on.
 *   Verified   every authoritative server was asked about every device by this call, and what it
 *              said is signed by keys that a chain from the trust anchor leads to. A signature
 *              that was verified before, octet for octet, is not verified again. See
 *              identity/fleetask.h for what is looked at.
 *   Mended     a record that is missing at a server is published again, once.
 *   Cut off    a device that an operator took out (identity/cutoff.h) stays out; that it is out
 *              is verified too.
 *   Ownership  fleet_open allocates; what the tools and the roster point to outlives it.
 *   Errors     of what it uses. A server that does not serve a device is a verdict.
 */
#ifndef IDENTITY_FLEET_H
#define IDENTITY_FLEET_H

#include "ca/state.h"
#include "dane/tlsa.h"
#include "identity/publications.h"
#include "identity/roster.h"
#include "servers/delegation.h"
#include "store/fleetbook.h"
#include "trace/trust.h"

#define FLEET_BATCH 4000

enum fleet_step { FLEET_BEGUN, FLEET_READY, FLEET_PUBLISHED, FLEET_VERIFIED };

const char *fleet_step_word(int step);

struct fleet_tools {
	const char *state; /* the folder of names.db */
	struct publication publication;
	struct delegation_walk *walk;
	const ldns_rr_list *anchors;
	uint32_t ttl_s;
	unsigned wait_ms; /* for the servers */
	/* Told now and then how far a part of the work is. */
	void (*progress)(void *arg, const char *what, size_t done, size_t all);
	void *progress_arg;
};

struct fleet_order {
	const char *form;     /* "3 1 1", "3 1 0", "2 1 1" or "2 0 1" */
	const char *key_kind; /* of keys to be made */
	bool ca;              /* the authority in the state folder issues; needed for 2 x x */
	unsigned days;        /* life of a certificate */
};

/* What the roster needs to know of an order, in memory of the caller's. */
struct fleet_terms {
	struct roster_order roster;
	char text[80];
};

int fleet_terms(const struct fleet_order *order, struct fleet_terms *out, struct err *err);

#define FLEET_SERVERS_MAX QUERY_SERVERS_MAX

struct fleet_server {
	char who[96];
	size_t lacking; /* devices it does not serve as it should */
	char why[200];  /* of the first of them */
};

struct fleet_report {
	size_t devices, cut; /* in the list; of these, cut off */
	size_t fresh;        /* begun by this call, or with other terms than before */
	size_t keys, certificates, published;
	size_t mended; /* published again, as a server lacked them */
	size_t verified;
	size_t judged; /* signatures: the others are those that were seen before */
	size_t servers;
	struct fleet_server server[FLEET_SERVERS_MAX];
};

/* One device as it is now. */
struct fleet_device {
	const char *owner, *form, *serial;
	struct span data; /* of its record; of the wildcard's where that stands for it */
	int step;
	bool cut;
};

struct fleet;

/* Reads what names.db has of the devices; checks the keys of those that are new: rows that are
 * wrong become problems of the roster, and ERR_FORMAT. Nothing is changed. */
int fleet_open(const struct fleet_tools *tools, const struct fleet_order *order, struct roster *r,
	struct fleet **out, struct err *err);
void fleet_close(struct fleet *f);

/* What would be done: lines into told; report->fresh and report->published. */
int fleet_plan(struct fleet *f, struct fleet_report *report, struct buf *told, struct err *err);

/* *all: every server serves every device as it should. */
int fleet_enroll(struct fleet *f, struct fleet_report *report, bool *all, struct err *err);

int fleet_each(const struct fleet *f,
	int (*each)(void *arg, const struct fleet_device *d, struct err *err), void *arg,
	struct err *err);

#endif
