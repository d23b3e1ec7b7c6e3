/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clientid - the TLS extension dane_clientid: a client says under which name its TLSA is.
 *
 *   server --CertificateRequest: ClientName<0>--> client
 *   server <--Certificate: ClientName<1..255>---- client
 *
 *   Source     draft-ietf-dance-client-auth-13: `opaque ClientName<0..255>`, so the data is
 *              always one length octet and the name. The name is the complete owner name of
 *              the TLSA RRset, in presentation form, A-labels, without the final dot.
 *   Compat     older drafts signalled with an extension of no octets at all.
 *   Ownership  writes into the caller's memory.
 */
#ifndef DANE_CLIENTID_H
#define DANE_CLIENTID_H

#include "core/err.h"
#include "dns/name.h"

#define CLIENTID_MAX 256 /* length octet and 255 octets of name */

enum clientid_message { CLIENTID_CERTIFICATE_REQUEST, CLIENTID_CERTIFICATE };

enum clientid_verdict {
	CLIENTID_SIGNAL,   /* CertificateRequest: the server wants a name */
	CLIENTID_NAME,     /* Certificate: a name, in *name */
	CLIENTID_EMPTY,    /* Certificate: a name of no octets; MUST abort handshake_failure */
	CLIENTID_OVERLONG, /* CertificateRequest with a name in it */
	CLIENTID_LENGTH,   /* the length octet and the data do not agree */
	CLIENTID_SYNTAX,   /* not a domain name as the draft wants it; *why says what */
};

/* *name is written only for CLIENTID_NAME; *why, never NULL, lives for ever. */
enum clientid_verdict clientid_read(enum clientid_message message, struct span data, bool compat,
	struct name *name, const char **why);

/* name is NULL for the signal in a CertificateRequest. */
int clientid_write(const struct name *name, uint8_t out[CLIENTID_MAX], size_t *n, struct err *err);

#endif
