/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ledger - ca.db: every certificate the authorities of a folder have issued.
 *
 *   A certificate enters when it is signed, before any of its files is written; when they are
 *   all there it is done. So what a crash left half made is found: ledger_each with
 *   LEDGER_SIGNED.
 *
 *          add            settle
 *     ---> SIGNED ---+----------> DONE      in its files
 *                    +----------> LOST      its files never came to be; nobody has the key
 *
 *   Issuer     the subject key identifier of the authority, in hexadecimal: a folder may hold
 *              several. Serial numbers are hexadecimal, two digits an octet, lower case.
 *   Time       seconds since 1970.
 *   Ownership  ledger_open gives, ledger_close takes; an entry's texts and octets are borrowed,
 *              in `each` until it returns.
 *   Errors     ERR_SYSTEM, ERR_FORMAT with words.
 */
#ifndef STORE_LEDGER_H
#define STORE_LEDGER_H

#include "base/cursor.h"
#include "core/err.h"

struct ledger;

enum ledger_state { LEDGER_SIGNED, LEDGER_DONE, LEDGER_LOST };

struct ledger_entry {
	const char *serial, *issuer;
	const char *subject; /* "" when it has none */
	const char *names;   /* parted by blanks */
	const char *profile;
	const char *prefix; /* of its files, absolute; "" when it came from elsewhere */
	int64_t not_before, not_after, issued_at;
	int64_t revoked_at; /* 0: not revoked */
	int reason;         /* of CRLReason, RFC 5280 section 5.3.1 */
	enum ledger_state state;
	struct span der;
};

/* Makes the file when it is absent. */
int ledger_open(const char *path, struct ledger **out, struct err *err);
void ledger_close(struct ledger *ledger);

/* Many at once: what is added between the two is on the disk, all or none, when commit is 0. */
int ledger_begin(struct ledger *ledger, struct err *err);
int ledger_commit(struct ledger *ledger, struct err *err);
void ledger_rollback(struct ledger *ledger);

/* What a commit has put into SQLite's log is moved into the file by some later commit. Of who holds
 * it, ledger_tidy alone does that, at a time when nobody waits. */
void ledger_hold(struct ledger *ledger, bool hold);
void ledger_tidy(struct ledger *ledger);

/* In a transaction of its own unless one has begun. A serial that is there already is refused. */
int ledger_add(struct ledger *ledger, const struct ledger_entry *entry, struct err *err);
int ledger_settle(struct ledger *ledger, const char *serial, enum ledger_state state,
	struct err *err);

enum ledger_answer { LEDGER_REVOKED, LEDGER_ALREADY, LEDGER_UNKNOWN };

int ledger_revoke(struct ledger *ledger, const char *serial, int64_t at, int reason,
	enum ledger_answer *out, struct err *err);

/* What ledger_each looks for: everything that is set must hold. */
struct ledger_filter {
	const char *serial;
	const char *issuer;
	const char *name;       /* a pattern of * and ?, over each name and the subject */
	int64_t expires_before; /* 0: any */
	bool revoked;           /* only those */
	bool signed_only;       /* only LEDGER_SIGNED; else every state but LEDGER_LOST */
};

/* By the end of their life, while each returns true. */
int ledger_each(struct ledger *ledger, const struct ledger_filter *filter,
	bool (*each)(void *arg, const struct ledger_entry *entry), void *arg, struct err *err);

struct ledger_crl {
	uint64_t number;     /* 0: none yet */
	int64_t this_update; /* of the one with this number */
};

int ledger_last_crl(struct ledger *ledger, const char *issuer, struct ledger_crl *out,
	struct err *err);
/* Takes the next number. */
int ledger_next_crl(struct ledger *ledger, const char *issuer, int64_t this_update,
	uint64_t *number, struct err *err);

struct ledger_counts {
	uint64_t issued, revoked, expired;
};

int ledger_count(struct ledger *ledger, const char *issuer, int64_t now, struct ledger_counts *out,
	struct err *err);

#endif
