/* SPDX-License-Identifier: Apache-2.0 */
/*
 * state - the folder of an authority, opened: its key, its ledger, its audit log.
 *
 *   Folder     what pki/authority.h says, and ca.db (store/ledger.h), audit.log and audit.head
 *              (store/audit.h). They are made in a folder that has none, as older ones are.
 *   Crash      a certificate that was signed and did not come into all its files is completed
 *              when the next one opens the folder, if it or its key is there; when neither is it
 *              is lost: nobody has it. Either is a line in the audit log and in `mended`. One
 *              whose key is there and does not open stays unfinished.
 *   Sharing    several may work at once; only who is alone mends.
 *   Ownership  state_open gives, state_close takes.
 *   Errors     words of the part that failed.
 */
#ifndef CA_STATE_H
#define CA_STATE_H

#include "pki/authority.h"
#include "pki/facts.h"
#include "store/audit.h"
#include "store/ledger.h"

struct state {
	struct authority_place place;
	struct authority *authority; /* NULL when opened without its key */
	struct ledger *ledger;
	struct audit *audit;
	int folder;      /* held shared: somebody is at work */
	unsigned mended; /* certificates completed or lost while opening */
};

/* where: as authority_locate takes it. */
int state_open(const char *where, const struct password *password, struct state **out,
	struct err *err);
/* With the certificate and key elsewhere than their folder's names say. */
int state_open_at(const struct authority_place *place, const struct password *password,
	struct state **out, struct err *err);
/* Without the key: to look, or to revoke. */
int state_open_keyless(const char *where, struct state **out, struct err *err);
/* In a folder that is to become one. */
int state_begin(const char *folder, struct state **out, struct err *err);
void state_close(struct state *state);

/* The ledger and the audit log take one certificate, before its files are written. act is
 * "cert.issue". */
int state_record(struct state *state, X509 *cert, const char *profile, const char *prefix,
	const char *act, struct err *err);
/* Its files are all there. */
int state_settle(struct state *state, X509 *cert, struct err *err);

#endif
