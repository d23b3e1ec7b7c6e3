/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hook - which endpoint an SSL_CTX of somebody else is for, and who wants to know.
 *
 *   Ownership  hangs on the SSL_CTX and is freed with it; borrows endpoint and peer.
 */
#ifndef TLS_HOOK_H
#define TLS_HOOK_H

#include "tls/context.h"
#include "tls/portion.h"

struct hook {
	const struct service_endpoint *endpoint;
	struct peer *peer;
	portion_more *more; /* NULL: handshakes are not cut */
	void *more_arg;
};

int hook_set(SSL_CTX *ctx, const struct service_endpoint *endpoint, struct peer *peer,
	struct err *err);
struct hook *hook_of(const SSL_CTX *ctx); /* NULL: none */

#endif
