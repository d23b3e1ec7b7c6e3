/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hosts - the addresses of a host, as its authoritative servers give them.
 *
 *   Source     RFC 1035 section 3.4.1 (A), RFC 3596 (AAAA); aliases are followed.
 *   Nobody     is believed: an address only says where to knock.
 *   Bounds     the first cap addresses.
 *   Errors     ERR_NOMEM, ERR_SYSTEM. A host without an address is no error: *n is 0.
 */
#ifndef SERVERS_HOSTS_H
#define SERVERS_HOSTS_H

#include "servers/delegation.h"

/* port: of each address. */
int hosts_of(struct delegation_walk *w, const struct name *host, uint16_t port, struct address *out,
	size_t cap, size_t *n, struct err *err);

#endif
