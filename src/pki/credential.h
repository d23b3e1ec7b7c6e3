/* SPDX-License-Identifier: Apache-2.0 */
/*
 * credential - a key and a certificate for it, made in two steps that may be done again.
 *
 *   Files      X-key.pem (0600), X.pem. X is the prefix, a path without the ending.
 *   Again      a key that is there stays; a certificate is made anew in its place.
 *   Errors     words name the file.
 */
#ifndef PKI_CREDENTIAL_H
#define PKI_CREDENTIAL_H

#include "pki/profile.h"

/* kind: one of keykind_read's words, NULL for P-256. */
int credential_make_key(const char *prefix, const char *kind, struct err *err);

/* The key signs its own certificate, for DANE-EE. */
int credential_sign_itself(const char *prefix, const struct profile *profile, struct err *err);

#endif
