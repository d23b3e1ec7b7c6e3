/* SPDX-License-Identifier: Apache-2.0 */
/*
 * peer - who is at the other end of a TLS connection, and why we believe it.
 *
 *   Source     RFC 6698, RFC 7671; draft-ietf-dance-client-auth-13.
 *   Ownership  a value, filled by the handshake; nothing to free.
 *   Rule       authenticated is the only field that opens a door. The rest explains.
 */
#ifndef TLS_PEER_H
#define TLS_PEER_H

#include "resolve/answer.h"

enum peer_how {
	PEER_NOT,     /* not authenticated */
	PEER_BY_DANE, /* a TLSA record matched; usage tells which */
	PEER_BY_PKIX, /* a configured certificate authority */
};

struct peer {
	bool authenticated;
	enum peer_how how;
	struct name name;              /* the DNS identity; n is 0 when there is none */
	struct name tlsa_owner;        /* where the TLSA was looked for; n is 0 when nowhere */
	enum answer_status dnssec;     /* of the TLSA answer */
	bool asked_dns;                /* a TLSA question was put (or found in the cache) */
	int usage, selector, matching; /* of the record that matched; -1 when none */
	int depth;                     /* of the certificate that matched; -1 when none */
	int64_t expires_ms;      /* monotonic; the TLSA may not be relied on after; 0: no limit */
	uint8_t spki_sha256[32]; /* of the leaf's key */
	bool resumed;
	char reason[200]; /* the true reason of a refusal, or how it matched, in words */
};

#endif
