/* SPDX-License-Identifier: Apache-2.0 */
/*
 * query - one question put to many name servers at once, and what each of them said.
 *
 *   UDP --truncated--> TCP           each server has the same time; a question lost on the way
 *    |__________________|--> answer  is sent again at a quarter and at a half of it
 *
 *   Source     RFC 1035, RFC 6891 (EDNS, 1232 octets), RFC 4035 section 3.2.1 (DO), RFC 7766
 *              (TCP). No RD: authoritative servers are asked, not resolvers.
 *   Safety     connected sockets, a random identifier and the whole question must fit; at most
 *              QUERY_SERVERS_MAX servers and 65535 octets from each. What a server says is
 *              evidence and is believed by nobody before its signatures are judged.
 *   Time       ms of CLOCK_MONOTONIC.
 *   Ownership  answers hold their packet until query_done.
 *   Errors     ERR_ARG, ERR_NOMEM, ERR_SYSTEM. A server that does not answer is a verdict.
 */
#ifndef SERVERS_QUERY_H
#define SERVERS_QUERY_H

#include "base/sink.h"
#include "core/err.h"
#include "dns/name.h"
#include "resolve/address.h"

#include <ldns/ldns.h>

#define QUERY_SERVERS_MAX 32
#define QUERY_TIMEOUT_MS  2000
#define QUERY_OCTETS_MAX  (12 + NAME_WIRE_MAX + 4 + 11)

enum query_outcome {
	QUERY_ANSWERED,
	QUERY_SILENT,      /* nothing within the time */
	QUERY_UNREACHABLE, /* the network says that nobody is there */
	QUERY_BROKEN,      /* what came is no answer to the question */
};

struct query_answer {
	enum query_outcome outcome;
	ldns_pkt *packet; /* QUERY_ANSWERED only */
	size_t octets;
	bool tcp;
	double ms;
	char why[96]; /* when not answered; "" otherwise */
};

struct query_manner {
	unsigned timeout_ms; /* 0: QUERY_TIMEOUT_MS */
	bool first;          /* enough when one says NOERROR or NXDOMAIN */
	uint32_t hurried;    /* bit i: server i was silent before, and has a quarter of the time */
};

/* out[i] is what to[i] said; with manner.first those not waited for are QUERY_SILENT. */
int query_ask(const struct address *to, size_t n, const struct name *name, uint16_t type,
	const struct query_manner *manner, struct query_answer *out, struct err *err);

/* The question as it is sent: without RD, with DO. */
void query_write(struct sink *s, uint16_t id, const struct name *name, uint16_t type);

/* True when it answered, with NOERROR or NXDOMAIN. */
bool query_is_useful(const struct query_answer *answer);

/* True when every record has all fields of its type. ldns takes data of no octets for a record
 * without fields, as UPDATE has them; packets of query_ask hold none. */
bool query_is_whole(const ldns_pkt *packet);

void query_done(struct query_answer *answer, size_t n);

#endif
