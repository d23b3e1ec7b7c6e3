/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stream - one question about each of many names, put to name servers by TCP, many in flight.
 *
 *   names --> lanes, two a server: window of questions on one connection --> answers, in any order
 *               ^______ the connection ended: a new one, for those not answered yet
 *
 *   Why TCP    a hundred thousand questions are no attack there: servers answer UDP less and less
 *              the more comes from one address (response rate limiting). And none is lost.
 *   Source     RFC 7766 section 6.2.1.1 (pipelining) and 7 (answers in any order).
 *   Bounds     STREAM_WINDOW questions in flight a lane; 65,535 octets an answer. A lane that
 *              got STREAM_TRIES connections without one answer gives up on its server.
 *   Safety     the identifier and the whole question must fit. What a server says is evidence and
 *              believed by nobody before its signatures are judged.
 *   Time       ms of CLOCK_MONOTONIC: timeout_ms without an answer ends a connection.
 *   Ownership  borrows what the order points to.
 *   Errors     ERR_NOMEM, ERR_SYSTEM, and what take returns. A server that does not answer is a
 *              verdict.
 */
#ifndef SERVERS_STREAM_H
#define SERVERS_STREAM_H

#include "dns/message.h"
#include "servers/query.h"

#define STREAM_WINDOW 128
#define STREAM_TRIES  3

struct stream_answer {
	enum query_outcome outcome;
	struct message message; /* QUERY_ANSWERED only; its octets are good until take returns */
	const char *why;        /* when not answered */
};

struct stream_order {
	const struct address *to;
	size_t servers; /* each is asked about every name */
	const struct name *names;
	size_t count;
	uint16_t type;
	unsigned timeout_ms; /* 0: QUERY_TIMEOUT_MS */
	/* Called once for every server and name. */
	int (*take)(void *arg, size_t server, size_t name, const struct stream_answer *a,
		struct err *err);
	void *arg;
};

int stream_run(const struct stream_order *order, struct err *err);

#endif
