/* SPDX-License-Identifier: Apache-2.0 */
/*
 * confirm - ask every authoritative server, by its own address, until all serve a change.
 *
 *   A server serves it when it answers with authority, has each record that shall be there and
 *   none that shall not, and signs what it says (an RRSIG that is valid now over the set, or,
 *   when the set is gone, over the denial).
 *   Source     RFC 1034 section 4.3.5 (secondaries follow later), RFC 4035 section 3.1.
 *   Time       ms of CLOCK_MONOTONIC; asked again after 100 ms, then ever less often, up to 5 s.
 *   Ownership  the report is the caller's memory and owns nothing.
 *   Errors     ERR_NOMEM, ERR_SYSTEM. A server that does not serve it is a verdict.
 */
#ifndef PUBLISH_CONFIRM_H
#define PUBLISH_CONFIRM_H

#include "publish/rrset.h"
#include "servers/delegation.h"

struct confirm_server {
	char who[96]; /* "ns1.a.example (192.0.2.1)" */
	bool serves;
	char why[120]; /* when it does not */
};

struct confirm_report {
	bool all; /* every server serves it, and there is one */
	size_t count;
	struct confirm_server server[QUERY_SERVERS_MAX + DELEGATION_LOST_MAX];
	unsigned rounds;
	double ms;
};

/* Both sets are of one name and type; either may be empty. deadline_ms 0 asks once. */
int confirm_wait(struct delegation_walk *w, const struct rrset *there, const struct rrset *gone,
	unsigned deadline_ms, struct confirm_report *out, struct err *err);

#endif
