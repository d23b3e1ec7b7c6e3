/* SPDX-License-Identifier: Apache-2.0 */
/*
 * takeback - the certificates of a name that goes are revoked in the ledger of their authority.
 *
 *   Which      current.pem of the name's folder, and those of its generations (pki/keyring.h);
 *              not those that sign themselves. Reason cessationOfOperation.
 *   Again      what was revoked stays so.
 *   Errors     those of ca/revocation.h; ERR_ARG for one that the authority has not issued.
 */
#ifndef IDENTITY_TAKEBACK_H
#define IDENTITY_TAKEBACK_H

#include "core/err.h"

/* issuer: folder of the authority; folder: names/OWNER. */
int takeback_certificates(const char *issuer, const char *folder, struct err *err);

#endif
