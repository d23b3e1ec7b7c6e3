/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tsigkey - the secret that signs updates, in the one-line form of kdig and nsupdate.
 *
 *   Form       hmac-sha256:NAME:BASE64, likewise hmac-sha384 and hmac-sha512
 *   Source     RFC 8945 section 6: of its algorithms those of SHA-2 with 256 bits or more.
 *   Sizes      name 255 characters; secret 16 to 64 octets.
 *   Ownership  the caller's memory; tsigkey_wipe before it goes out of scope.
 *   Errors     ERR_SYSTEM, ERR_FORMAT; the words never hold the secret.
 */
#ifndef PUBLISH_TSIGKEY_H
#define PUBLISH_TSIGKEY_H

#include "core/err.h"
#include "crypto/hmac.h"

struct tsigkey {
	enum hmac_digest digest;
	char name[256];
	char secret[96]; /* base64 */
};

#define TSIGKEY_SECRET_MAX 64 /* octets */

/* HMAC-SHA256 with 32 random octets. */
int tsigkey_new(const char *name, struct tsigkey *out, struct err *err);
int tsigkey_read(const char *line, struct tsigkey *out, struct err *err);

/* A file of one line; others may not be able to read it. */
int tsigkey_load(const char *path, struct tsigkey *out, struct err *err);

/* "hmac-sha256": the name of the algorithm in configurations and, with a dot, in TSIG. */
const char *tsigkey_algorithm(const struct tsigkey *key);

/* The octets of the secret, which the caller wipes. */
int tsigkey_secret(const struct tsigkey *key, uint8_t out[TSIGKEY_SECRET_MAX], size_t *n);
void tsigkey_wipe(struct tsigkey *key);

#endif
