/* SPDX-License-Identifier: Apache-2.0 */
/*
 * redirect - where NAPTR and SRV records point, in the order to try.
 *
 *   Source     RFC 3403 (NAPTR: lowest order alone, then preference), TS002 (services LWN and
 *              LWNS; flags S, A, U), RFC 2782 (SRV: priority, then weight).
 *   Weight     heavier first, not by lot: an engine has no dice, and its answers repeat.
 *   Bounds     at most cap results; records that do not parse or fit are left out.
 */
#ifndef DANE_REDIRECT_H
#define DANE_REDIRECT_H

#include "resolve/answer.h"

struct redirect {
	bool to_srv; /* name owns SRV records; else it is a host, with port */
	struct name name;
	uint16_t port;
	uint32_t rank[2]; /* smaller first */
};

/* default_port: for flag "A", which carries none. */
size_t redirect_read_naptr(const struct answer *a, uint16_t default_port, struct redirect *out,
	size_t cap);
size_t redirect_read_srv(const struct answer *a, struct redirect *out, size_t cap);

#endif
