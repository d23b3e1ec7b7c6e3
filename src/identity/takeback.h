/* SPDX-License-Identifier: Apache-2.0 */
/*
 * takeback - the certificates of a name that goes are revoked in the ledger of their authority.
 *
 *   Which      current.pem of the name's folder, and those of its generations (pki/keyring.h);
 *              not those that sign themselves. Reason cessationOfOperation.
 *   Foreign    one that another authority has issued is left, and told: that one alone revokes
 *              it.
 *   Again      what was revoked stays so.
 *   Errors     those of ca/revocation.h; ERR_SYSTEM for a folder or file that cannot be read. One
 *              that is not there is empty.
 */
#ifndef IDENTITY_TAKEBACK_H
#define IDENTITY_TAKEBACK_H

#include "pki/facts.h"

#define TAKEBACK_FOREIGN_MAX 8 /* that are told */

struct takeback {
	unsigned foreign;
	char serial[TAKEBACK_FOREIGN_MAX][FACTS_SERIAL_MAX];
};

/* issuer: folder of the authority; folder: names/OWNER. */
int takeback_certificates(const char *issuer, const char *folder, struct takeback *out,
	struct err *err);

#endif
