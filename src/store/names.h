/* SPDX-License-Identifier: Apache-2.0 */
/*
 * names - what a state directory remembers: the identities in its care, and every record it
 * has published for them. names.db.
 *
 *   Records    written as COMING before a server is told, THERE once it has taken it, GOING
 *              before it is told to remove it: whatever a crash leaves is told from what is
 *              another's. REVOKED is for good: neither put nor dropped as anything else, so that
 *              whoever publishes finds out; names_pardon alone ends it.
 *   Entries    one per owner of TLSA records, with the step its enrolment has reached. Steps are
 *              words of whoever takes them; this file does not know them.
 *   Owners     in lower case, without the final dot.
 *   Time       seconds since 1970.
 *   Sharing    names_lock lets one process publish at a time; reading needs no lock.
 *   Ownership  names_open allocates, names_close frees and rolls back. What each callback is
 *              given lives until it returns.
 *   Errors     ERR_SYSTEM, ERR_FORMAT (another program's file), ERR_NOMEM.
 */
#ifndef STORE_NAMES_H
#define STORE_NAMES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cursor.h"
#include "core/err.h"

struct names;

/* DIR/names.db; with create it is made when it is not there, as is DIR (0700). */
int names_open(const char *state, bool create, struct names **out, struct err *err);
void names_close(struct names *n);

/* For store/fleetbook.h, whose table is in the same file. */
struct database;
struct database *names_database(struct names *n);

int names_lock(struct names *n, struct err *err);
void names_unlock(struct names *n);

int names_begin(struct names *n, struct err *err);
int names_commit(struct names *n, struct err *err);
void names_rollback(struct names *n);

enum names_state { NAMES_COMING, NAMES_THERE, NAMES_GOING, NAMES_REVOKED };

struct names_record {
	const char *owner;
	uint16_t type;
	struct span rdata;
	uint32_t ttl_s;
	enum names_state state;
	int64_t since_s;
};

int names_put_record(struct names *n, const struct names_record *r, struct err *err);
int names_drop_record(struct names *n, const struct names_record *r, struct err *err);
/* Forgets what was revoked of one owner and type. */
int names_pardon(struct names *n, const char *owner, uint16_t type, struct err *err);
/* Those of one owner and type, in the order of their data. */
int names_each_record(struct names *n, const char *owner, uint16_t type,
	int (*each)(void *arg, const struct names_record *r, struct err *err), void *arg,
	struct err *err);

/* The owners of records of a type whose data begins with an octet, in order; not of those that are
 * revoked. */
int names_each_owner(struct names *n, uint16_t type, uint8_t first,
	int (*each)(void *arg, const char *owner, struct err *err), void *arg, struct err *err);

struct names_entry {
	const char *owner;   /* of its TLSA records */
	const char *name;    /* the identity: a host, or a client's name */
	const char *service; /* "8003/tcp"; "" for a client */
	const char *via;     /* the file that says how it is published */
	const char *issuer;  /* folder of the authority; "": it signs itself */
	const char *key;     /* kind of its key, a word of pki/keykind.h */
	unsigned days;       /* life of its certificate */
	const char *step;
	int64_t begun_s, changed_s;
};

int names_put(struct names *n, const struct names_entry *e, struct err *err);
int names_remove(struct names *n, const char *owner, struct err *err);
/* owner NULL: all, in the order of their owners. *count, when not NULL, is how many. */
int names_each(struct names *n, const char *owner,
	int (*each)(void *arg, const struct names_entry *e, struct err *err), void *arg,
	size_t *count, struct err *err);

#endif
