/* SPDX-License-Identifier: Apache-2.0 */
/*
 * service - from a name to the addresses to try and the TLSA each is held to.
 *
 *   NAPTR --> SRV --> A/AAAA --> TLSA --> READY         each arrow: DNS questions,
 *     |________^_______^                  FAILED        asked several at a time
 *
 *   Source     RFC 7671 section 7 (CNAME: TLSA at the secure end first, then at the name
 *              given), RFC 7673 (SRV: TLSA at the target), RFC 2782, RFC 3403, TS002
 *              (JoinEUI and NetID by NAPTR services LWN and LWNS).
 *   Rule       an address from an insecure answer is used only with mode TLS_PKIX or
 *              when the mode's own rule allows PKIX; never with DANE.
 *   Engine     no socket, no clock: service_next says which questions to ask now.
 *   Ownership  struct service is counted: service_keep, service_drop.
 */
#ifndef DANE_SERVICE_H
#define DANE_SERVICE_H

#include "core/err.h"
#include "dane/tlsa.h"
#include "resolve/answer.h"

#define SERVICE_ENDPOINTS_MAX 16

enum service_proof {
	SERVICE_BY_DANE, /* hold the peer to tlsa */
	SERVICE_BY_PKIX, /* DNS says securely that there is nothing to hold it to */
	SERVICE_REFUSED, /* must not connect; why says the reason */
};

/* One host and port, its addresses, and what to hold whoever answers there to. */
struct service_endpoint {
	struct name host;
	uint16_t port;
	uint8_t address_count;
	uint8_t address[8][16]; /* IPv4 as ::ffff:a.b.c.d */
	enum service_proof proof;
	struct name tlsa_owner;   /* where tlsa was found, or looked for */
	struct answer *tlsa;      /* the TLSA answer: rdata, status, expiry */
	struct name reference[3]; /* names acceptable in a certificate, usages 0 to 2 and PKIX */
	uint8_t reference_count;
	int64_t expires_ms; /* of the shortest answer this endpoint rests on; 0: none */
	char why[160];      /* words for logs: what was found, or why refused */
};

struct service {
	unsigned refs;
	uint8_t count;
	struct service_endpoint endpoint[SERVICE_ENDPOINTS_MAX]; /* in the order to try */
};

#endif
