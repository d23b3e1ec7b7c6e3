/* SPDX-License-Identifier: Apache-2.0 */
/*
 * httphead - header fields of an HTTP request that say who was proved to be its sender.
 *
 *   X-Sardane-Name: _bridge.a.example      the name that was proved, without a final dot
 *   X-Sardane-Verified: dane               by what: dane, or pkix
 *   X-Sardane-Usage: 3 1 1                 usage, selector, matching type of the TLSA record; dane
 *   X-Sardane-Spki-Sha256: 0f...           of the key shown (SubjectPublicKeyInfo), 64 digits
 *   X-Sardane-From: 192.0.2.1:40312        the address it came from
 *
 *   Rule       what a client writes into a field of ours is never passed on. CGI and its kin
 *              read a hyphen as an underscore, and some a dot too: a field is ours when its
 *              name begins with these letters, whatever parts them.
 *   Ownership  borrows what is given.     Errors  the buf's.
 */
#ifndef RELAY_HTTPHEAD_H
#define RELAY_HTTPHEAD_H

#include <stdbool.h>

#include "base/cursor.h"
#include "core/buf.h"

#define HTTPHEAD_SPKI_OCTETS 32

struct httphead {
	const char *name;
	bool by_dane; /* else by a certificate authority */
	int usage, selector, matching;
	const uint8_t *spki_sha256;
	const char *from;
};

/* The fields, each with its CRLF. */
void httphead_write(const struct httphead *h, struct buf *out);

/* Of a field's name: may only we say it? */
bool httphead_is_ours(struct span name);

#endif
