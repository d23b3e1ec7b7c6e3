/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tsigkey - the secret that signs updates, in the one-line form of kdig and nsupdate.
 *
 *   Form       hmac-sha256:NAME:BASE64
 *   Source     RFC 8945; hmac-sha256 only.
 *   Sizes      name 255 characters; secret 16 to 64 octets.
 *   Ownership  the caller's memory; tsigkey_wipe before it goes out of scope.
 *   Errors     ERR_SYSTEM, ERR_FORMAT; the words never hold the secret.
 */
#ifndef PUBLISH_TSIGKEY_H
#define PUBLISH_TSIGKEY_H

#include "core/err.h"

struct tsigkey {
	char name[256];
	char secret[96]; /* base64 */
};

int tsigkey_new(const char *name, struct tsigkey *out, struct err *err);
int tsigkey_read(const char *line, struct tsigkey *out, struct err *err);

/* A file of one line; others may not be able to read it. */
int tsigkey_load(const char *path, struct tsigkey *out, struct err *err);
void tsigkey_wipe(struct tsigkey *key);

#endif
