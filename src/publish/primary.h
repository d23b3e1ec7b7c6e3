/* SPDX-License-Identifier: Apache-2.0 */
/*
 * primary - the name server that takes changes, asked what it serves now.
 *
 *   Source     RFC 1034 section 4.3.2 (AA), RFC 4592 (wildcards), RFC 8945 (the question and
 *              its answer are signed when there is a key).
 *   Rule       a set that a wildcard makes up is not there: an update would not see it. In a
 *              signed zone its RRSIG tells, by fewer labels (RFC 4035 section 5.3.4). An
 *              unsigned set is there when a name beside it that nobody has gets no answer; when
 *              that gets one, nobody can tell, and it is refused.
 *   Time       ms for one exchange; PRIMARY_TIMEOUT_MS when 0.
 *   Ownership  borrows its strings and its key.
 *   Errors     ERR_SYSTEM, ERR_TIMEOUT; ERR_PEER: refused, not authoritative, not proved, or
 *              the name is an alias.
 */
#ifndef PUBLISH_PRIMARY_H
#define PUBLISH_PRIMARY_H

#include "publish/rrset.h"
#include "publish/tsigkey.h"

#define PRIMARY_TIMEOUT_MS 5000

struct primary {
	const char *address; /* IPv4 or IPv6 in numbers */
	uint16_t port;
	unsigned timeout_ms;
	const struct tsigkey *key; /* NULL: not signed; updates need one */
};

/* *out is the caller's; empty when there is no such set. */
int primary_read(const struct primary *p, const struct name *owner, uint16_t type,
	struct rrset *out, struct err *err);

/* Those of many names, by servers/stream.h: without TSIG, so good for planning a change that says
 * itself what it was planned on. Each out is the caller's, also after an error. */
int primary_read_many(const struct primary *p, const struct name *owners, size_t count,
	uint16_t type, struct rrset *out, struct err *err);

#endif
