/* SPDX-License-Identifier: Apache-2.0 */
/*
 * service - from a name to the addresses to try and the TLSA each is held to.
 *
 *   NAPTR --> SRV --> ADDRESS --> DONE         each step: DNS questions, several at a
 *     |________^_________^                     time; the service may be refused at any
 *
 *   Source     RFC 7671 section 7 (CNAME: TLSA at the secure end first, then at the name
 *              given), RFC 7673 (SRV: TLSA at the target), RFC 2782, RFC 3403, TS002
 *              (JoinEUI and NetID by NAPTR services LWN and LWNS).
 *   Rules      An address only says where to knock; the TLSA says who may open. So an
 *              unsigned address may be used with DANE when the TLSA's own name was reached
 *              securely (RFC 7671 section 7: an insecure alias leaves the base domain at the
 *              name given). But a NAPTR, SRV or alias that is not secure never chooses
 *              the name to authenticate (RFC 7673 section 3.3): mode TLS_DANE refuses it,
 *              TLS_DANE_OR_PKIX goes on with PKIX if the zone is provably unsigned.
 *              Bogus and failed answers give nothing in any mode.
 *   Engine     no socket, no clock: service_query_next says which questions to ask now.
 *   Ownership  struct service is counted: service_keep, service_drop.
 */
#ifndef DANE_SERVICE_H
#define DANE_SERVICE_H

#include "core/err.h"
#include "dane/mode.h"
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
	bool absent;        /* refused: DNS says securely that it has no address */
	char why[160];      /* words for logs: what was found, or why refused */
};

struct service {
	unsigned refs;
	uint8_t count;
	struct service_endpoint endpoint[SERVICE_ENDPOINTS_MAX]; /* in the order to try */
	bool absent;   /* count is 0: DNS says securely that there is nothing */
	char why[160]; /* when count is 0: why there is nothing to try */
};

struct service *service_keep(struct service *s);
void service_drop(struct service *s);

enum service_start {
	SERVICE_HOST,  /* target.name is a host, target.port its port */
	SERVICE_SRV,   /* target.name is the owner of SRV records */
	SERVICE_NAPTR, /* target.name is the owner of NAPTR records, as of a JoinEUI or NetID */
};

struct service_target {
	enum service_start start;
	struct name name;
	uint16_t port;    /* SERVICE_NAPTR: for flag "A", and for a name that has no NAPTR but
			   * addresses, as registries publish them today; 0: then refused */
	bool has_address; /* SERVICE_HOST: do not ask for addresses, this one is given */
	uint8_t address[16];
};

struct service_query;

int service_query_new(const struct service_target *target, enum tls_mode mode,
	struct service_query **out, struct err *err);
void service_query_free(struct service_query *q);

/* The next question to ask now: true and *id, *question; false when all that can be asked
 * is asked. Answers may come in any order. */
bool service_query_next(struct service_query *q, unsigned *id, struct question *question);

/* The answer to question id; a reference is taken. */
void service_query_answer(struct service_query *q, unsigned id, struct answer *answer);

/* True when nothing more is to be asked or awaited. */
bool service_query_is_done(const struct service_query *q);

/* What was found, a reference of the caller's; NULL before service_query_is_done. Never
 * NULL after it: refusals are in the endpoints, or in why when there are none. */
struct service *service_query_result(struct service_query *q);

/* Questions at most per query, so that a hostile zone cannot make us ask for ever. */
#define SERVICE_QUESTIONS_MAX 64

#endif
