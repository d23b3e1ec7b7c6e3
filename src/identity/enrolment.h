/* SPDX-License-Identifier: Apache-2.0 */
/*
 * enrolment - a name gets its key, its certificate and its record: one transaction of steps.
 *
 *   begun --> key --> certificate --> published --> served --> enrolled
 *     |        |          |              |            |           |
 *     +--------+----------+--- leave ----+------------+-----------+--> leaving --> (forgotten)
 *
 *   begun        the order is in names.db
 *   key          names/OWNER/current-key.pem is on the disk
 *   certificate  current.pem too, signed by the authority or by itself
 *   published    the primary has the TLSA record 3 1 1
 *   served       every authoritative server serves it, signed
 *   enrolled     our resolver and the code of the handshake believe it
 *
 *   Crash      a step is noted when its work is on the disk, or with the server; all work may be
 *              done again. So whatever interrupts it, the next enrolment_go goes on, and
 *              enrolment_leave undoes it, from any step.
 *   Owner      the name of the TLSA record is the key of everything: letters, digits, "-", "_".
 *   Ownership  enrolment_open fills the caller's memory; enrolment_close.
 *   Errors     of what it uses. That a server or the proof is not there yet is a verdict: the
 *              step stays, and enrolment_go says so.
 */
#ifndef IDENTITY_ENROLMENT_H
#define IDENTITY_ENROLMENT_H

#include "identity/proof.h"
#include "identity/publication.h"
#include "identity/takeback.h"
#include "publish/confirm.h"

#include <limits.h>

enum enrolment_step {
	ENROLMENT_BEGUN,
	ENROLMENT_KEY,
	ENROLMENT_CERTIFICATE,
	ENROLMENT_PUBLISHED,
	ENROLMENT_SERVED,
	ENROLMENT_ENROLLED,
	ENROLMENT_LEAVING,
};

/* "begun", "key", ... as names.db has them. */
const char *enrolment_step_word(enum enrolment_step step);

/* What is wanted; "" and NULL as in struct names_entry. */
struct enrolment_order {
	const char *name, *service, *via, *issuer, *key;
	unsigned days;
};

struct enrolment_tools {
	const char *state; /* the folder of names.db */
	struct publication publication;
	struct delegation_walk *walk;
	struct resolver *resolver; /* needed for enrolled only */
	uint32_t ttl_s;
	unsigned wait_ms; /* for the servers, and again for the proof */
	bool keep_valid;  /* who leaves keeps certificates that an authority goes on vouching for */
};

struct enrolment {
	struct enrolment_tools tools;
	enum enrolment_step step;
	struct name owner, identity;
	char owner_text[NAME_TEXT_MAX], name[NAME_TEXT_MAX], service[16];
	char via[PATH_MAX], issuer[PATH_MAX], key[16];
	unsigned days;
	int64_t begun_s;
	char folder[PATH_MAX], prefix[PATH_MAX];
	struct confirm_report servers; /* after a call that asked them */
	struct proof proof;            /* after a call that asked for it */
	struct takeback left;          /* after it left: what is not revoked */
};

/* Takes up the one that names.db has for the owner. *found false: there is none. */
int enrolment_find(const struct enrolment_tools *tools, const struct name *owner, bool *found,
	struct enrolment *out, struct err *err);

/* Notes a new one. ERR_ARG when there is one with other terms; the same is taken up. */
int enrolment_begin(const struct enrolment_tools *tools, const struct name *owner,
	const struct enrolment_order *order, struct enrolment *out, struct err *err);

enum enrolment_outcome {
	ENROLMENT_GOES_ON, /* a step was taken: go again */
	ENROLMENT_DONE,    /* it is enrolled, or forgotten */
	ENROLMENT_WAITS,   /* not yet: see servers, or proof; the step stays */
};

/* One step towards enrolled. */
int enrolment_go(struct enrolment *e, enum enrolment_outcome *out, struct err *err);

/* Of one that is enrolled: its record is put right, every server asked, the proof made again.
 * *good and *repaired say what was found; enrolment_trouble why it is not good. */
int enrolment_check(struct enrolment *e, bool *good, bool *repaired, struct err *err);

/* Of one that is enrolled: a new certificate for the key it has, so the record stays. */
int enrolment_renew(struct enrolment *e, struct err *err);

/* What the servers or the proof lacked when they were last asked; "" when nothing. */
#define ENROLMENT_TROUBLE_MAX 240
void enrolment_trouble(const struct enrolment *e, char out[ENROLMENT_TROUBLE_MAX]);

/* One step towards forgotten: records gone from every server, then certificates revoked in the
 * ledger of the authority that issued them, then files, then the entry. */
int enrolment_leave(struct enrolment *e, enum enrolment_outcome *out, struct err *err);

#endif
