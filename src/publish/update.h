/* SPDX-License-Identifier: Apache-2.0 */
/*
 * update - change a zone by one signed message: all of it happens, or nothing.
 *
 *   Source     RFC 2136 (dynamic update), RFC 8945 (TSIG), over TCP.
 *   Text       records as in a zone file: "js.b.example 5 A 127.0.0.1".
 *   Rule       success is an answer NOERROR whose TSIG fits; anything else is a failure.
 *   Ownership  struct update belongs to the caller: update_free.
 *   Errors     ERR_FORMAT (a record or name does not parse), ERR_SYSTEM, ERR_TIMEOUT,
 *              ERR_PEER (refused; the words say why), ERR_NOMEM.
 */
#ifndef PUBLISH_UPDATE_H
#define PUBLISH_UPDATE_H

#include "core/err.h"
#include "publish/change.h"
#include "publish/primary.h"

struct update;

int update_new(const char *zone, struct update **out, struct err *err);
void update_free(struct update *u);

/* Prerequisites, RFC 2136 section 2.4. */
int update_require_rrset(struct update *u, const char *owner, const char *type, struct err *err);
int update_require_absent(struct update *u, const char *owner, const char *type, struct err *err);

/* Changes, RFC 2136 section 2.5, done in the order of the calls. */
int update_add(struct update *u, const char *record, struct err *err);
int update_delete_rrset(struct update *u, const char *owner, const char *type, struct err *err);
int update_delete_name(struct update *u, const char *owner, struct err *err);

/* What a change demands and what it does, whole: its set before is required exactly. */
int update_change(struct update *u, const struct change *c, struct err *err);

enum update_outcome {
	UPDATE_DONE,
	UPDATE_MOVED, /* a prerequisite does not hold (any more): nothing was done */
};

/* words, when not NULL, say what did not hold. */
int update_try(const struct update *u, const struct primary *p, enum update_outcome *out,
	struct err *words, struct err *err);
/* In two halves, so that several are under way at once: first begin for each, then end. */
struct update_flight;
int update_begin(const struct update *u, const struct primary *p, struct update_flight **out,
	struct err *err);
int update_end(struct update_flight *f, enum update_outcome *out, struct err *words,
	struct err *err);
/* Accepts NULL; one that has not ended may still be done by the server. */
void update_flight_free(struct update_flight *f);

/* The same, where a prerequisite that does not hold is a failure. */
int update_send(const struct update *u, const struct primary *p, struct err *err);

#endif
