/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shelf - the files of many devices in one folder, made durable together.
 *
 *   DIR/OWNER-key.pem (0600)   a key that was made here
 *   DIR/OWNER.pem              its certificate, as pki/authority.h has them,
 *   DIR/OWNER-combined.pem     and what it presents: with the issuers up to the root, or the root
 *                              itself where that issued it
 *   Durable    each file is written beside and renamed; what was written is on the disk when
 *              shelf_sync is 0, and not before.
 *   Owner      a plain name: letters, digits, "-", "_" and dots; none that ends as those files do.
 *   Ownership  shelf_open gives, shelf_close takes.
 *   Errors     words begin with the file; ERR_SYSTEM, ERR_CRYPTO, ERR_NOMEM.
 */
#ifndef PKI_SHELF_H
#define PKI_SHELF_H

#include "core/buf.h"
#include "pki/facts.h"
#include "pki/pemfile.h"

#include <limits.h>

struct shelf;

/* DIR is made (0700), but not what is above it. */
int shelf_open(const char *dir, struct shelf **out, struct err *err);
void shelf_close(struct shelf *s);

/* DIR/OWNER, absolute when DIR is. ERR_ARG: it is too long, or its files would be another's. */
int shelf_prefix(const struct shelf *s, const char *owner, char out[PATH_MAX], struct err *err);

/* The key that is there when it is of this kind (a word of pki/keykind.h); else a new one.
 * Appends its SubjectPublicKeyInfo. */
int shelf_key(struct shelf *s, const char *owner, const char *kind, struct buf *spki,
	struct err *err);
/* The device brings its key: one that was made before is removed. */
int shelf_no_key(struct shelf *s, const char *owner, struct err *err);

/* issuers: that of the leaf first, the root last. */
int shelf_certificate(struct shelf *s, const char *owner, struct span der, pemfile_chain *issuers,
	struct err *err);

/* The certificate that is there: for this key, this name and nothing else, by this issuer, and good
 * for a day at least? serial is set when *fits. */
int shelf_find(struct shelf *s, const char *owner, struct span spki, X509 *issuer, bool *fits,
	char serial[FACTS_SERIAL_MAX], struct err *err);

int shelf_sync(struct shelf *s, struct err *err);

#endif
