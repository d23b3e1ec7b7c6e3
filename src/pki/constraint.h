/* SPDX-License-Identifier: Apache-2.0 */
/*
 * constraint - may these names stand below these authorities?
 *
 *   Source     RFC 5280 sections 4.2.1.10 and 6.1.4 (g): every authority of the path counts.
 *   Errors     ERR_ARG with words that name the name and the authority; ERR_CRYPTO.
 */
#ifndef PKI_CONSTRAINT_H
#define PKI_CONSTRAINT_H

#include "pki/pemfile.h"
#include "pki/profile.h"

/* The subtrees of an authority into its profile. ERR_ARG for those that no profile can say. */
int constraint_read(X509 *authority, struct profile *into, struct err *err);

int constraint_check(const struct profile *p, pemfile_chain *issuers, struct err *err);

#endif
