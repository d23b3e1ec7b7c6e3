/* SPDX-License-Identifier: Apache-2.0 */
/*
 * again - what a certificate says, as the profile that says it once more: a renewal, or the
 * authority that comes after one.
 *
 *   Source     RFC 5280 section 4.2.
 *   Kept       subject, names, basic constraints, name constraints, every key usage and every
 *              extended key usage, length of life. Other extensions are not, and are named.
 *   Ownership  the profile borrows from struct again, which again_done empties.
 *   Errors     ERR_ARG, ERR_FORMAT (something that no profile can say), ERR_NOMEM.
 */
#ifndef PKI_AGAIN_H
#define PKI_AGAIN_H

#include "core/buf.h"
#include "pki/profile.h"
#include "pki/request.h"

struct again {
	struct request_subject subject;
	struct buf
		purposes;   /* extended key usages without a word of ours: OIDs, parted by commas */
	struct buf dropped; /* extensions that are not kept, parted by commas; "" none */
};

/* A leaf, or an authority: root or intermediate. */
int again_read(X509 *cert, struct again *a, struct profile *out, struct err *err);
void again_done(struct again *a);

#endif
