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

/* Which defence refused; reason says the same with the particulars. */
enum peer_refusal {
	PEER_REFUSED_NOT,            /* it was not refused, or not yet */
	PEER_REFUSED_NO_CERTIFICATE, /* the client sent none */
	PEER_REFUSED_NO_NAME,        /* no dane_clientid, and the mode needs one */
	PEER_REFUSED_EMPTY_NAME,     /* dane_clientid of zero octets from a client */
	PEER_REFUSED_BAD_NAME,       /* dane_clientid does not follow its syntax */
	PEER_REFUSED_POLICY,         /* authorise said no */
	PEER_REFUSED_NO_TLSA,        /* DNS denies it, securely */
	PEER_REFUSED_INSECURE,       /* TLSA or the way to it is unsigned */
	PEER_REFUSED_BOGUS,          /* DNSSEC validation failed */
	PEER_REFUSED_DNS,            /* no answer: timeout, SERVFAIL, budget */
	PEER_REFUSED_UNUSABLE,       /* no TLSA record that this software can use */
	PEER_REFUSED_NO_MATCH,       /* no TLSA record matches the chain */
	PEER_REFUSED_WRONG_NAME,     /* the certificate is for another name */
	PEER_REFUSED_CHAIN,          /* expired, too weak, untrusted, wrong purpose */
	PEER_REFUSED_STALE,          /* the proof had run out before the handshake ended */
	PEER_REFUSED_PROTOCOL,       /* version, alert, broken TLS */
	PEER_REFUSED_SERVER_NAME,    /* no server here has the name asked for */
	PEER_REFUSED_MEMORY,
	PEER_REFUSED_ABANDONED, /* closed by its owner while DNS was awaited */
};

const char *peer_refusal_word(enum peer_refusal refusal); /* "no-tlsa", ... */

struct peer {
	bool authenticated;
	enum peer_how how;
	enum peer_refusal refusal;
	struct name name;              /* the DNS identity; n is 0 when there is none */
	struct name tlsa_owner;        /* where the TLSA was looked for; n is 0 when nowhere */
	enum answer_status dnssec;     /* of the TLSA answer */
	bool stale;                    /* ... which had ended (resolve/stale.h) */
	bool asked_dns;                /* a TLSA question was put (or found in the cache) */
	int usage, selector, matching; /* of the record that matched; -1 when none */
	int depth;                     /* of the certificate that matched; -1 when none */
	int64_t expires_ms; /* of resolver_now; the TLSA may not be relied on after; 0: no limit */
	/* Since 1970: the last second of the certificate that ends first, of those whose time
	 * counted (not with DANE-EE); 0: none did. */
	int64_t ends_s;
	uint8_t spki_sha256[32]; /* of the leaf's key */
	uint8_t tlsa_sha256[32]; /* tlsaset_hash of the set that was matched; PEER_BY_DANE */
	bool resumed;
	char reason[200]; /* the true reason of a refusal, or how it matched, in words */
};

/* "secure", "secure-stale", ...; "-" when DNS was not asked: for logs. */
const char *peer_dnssec_word(const struct peer *p);

void peer_init(struct peer *p);

/* Refuses, unless an earlier defence already did: the first reason is the true one. */
void peer_refuse(struct peer *p, enum peer_refusal refusal, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
