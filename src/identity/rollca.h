/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rollca - a rollover's tasks for the authority of a state, on which leaves rest by TLSA records
 * of usage 2 (DANE-TA).
 *
 *   make      ca-gN.pem, saying of itself what the current one says (ca/succession.h)
 *   publish   at every owner whose set has a record of the authority, in the forms it has there
 *   install   ca.pem leads to it; each leaf that rests on the other one is issued again, with
 *             the same key, into its files; what is there must be accepted by the set as it
 *             will be; the reload command is run with SARDANE_NAME and SARDANE_PREFIX
 *   look      every service is asked, and the chain it presents, from the leaf up to the
 *             authority, is judged by the code of the handshake against that set
 *   erase     the other one only signs its CRL from then on, until its last leaf has ended
 *
 *   Source    RFC 7671 section 5.2 (the chain must hold the authority that the record says), 8.4.
 *   Elsewhere a certificate whose files we do not see, as a device's, cannot be put in place by
 *             us: it holds the rollover until it is issued again, revoked, or ended; but not in
 *             an emergency.
 */
#ifndef IDENTITY_ROLLCA_H
#define IDENTITY_ROLLCA_H

#include "identity/rolltasks.h"
#include "pki/password.h"
#include "rollover/cover.h"

/* The records the authority has at an owner are ours from now on, whoever published them.
 * ERR_ARG when it has none there. */
int rollca_claim(struct rolling *r, const char *owner, struct err *err);

/* Of its key; NULL when there is none. */
const struct password *rollca_password(const struct rolling *r, struct password *p);

/* Who has records of it, sorted. */
int rollca_owners(const struct rolling *r, struct cover *out, struct err *err);

extern const struct rolltasks rollca_tasks;

#endif
