/* SPDX-License-Identifier: Apache-2.0 */
/*
 * judge - one chain, one set of TLSA records (or none), one verdict.
 *
 *   Everyone who decides comes through here: the server about its client, the client about
 *   its server, and the offline `sardane tlsa verify`.
 *
 *   Source     RFC 6698; RFC 7671 section 5 (DANE-EE: neither names nor dates are looked
 *              at; the others: both); RFC 9525 (names are subjectAltName only, never CN);
 *              draft-ietf-dance-client-auth-13 (ClientName literally in the certificate).
 *   Verdict    OpenSSL says OK, and a record matched at a known depth. Not less: OpenSSL
 *              also says OK when no record was loaded, or when the session is resumed.
 *   Memory     runs on the 32 KiB stack of an OpenSSL job: no large locals. Measured on
 *              OpenSSL 3.0: 8 KiB at its deepest, and up to 6 more for a line of the log.
 */
#ifndef TLS_JUDGE_H
#define TLS_JUDGE_H

#include <openssl/ssl.h>

#include "dane/tlsaset.h"
#include "tls/peer.h"

struct judge {
	bool peer_is_client;
	const struct tlsaset *set; /* NULL: by the store's certificate authorities */
	const struct name *reference;
	size_t reference_count;
};

/* ctx is ready for X509_verify_cert; ssl is its connection, whose SSL_CTX has DANE enabled
 * and which was not used for DANE before. peer is refused, or authenticated. */
void judge_chain(X509_STORE_CTX *ctx, SSL *ssl, const struct judge *j, struct peer *peer);

#endif
