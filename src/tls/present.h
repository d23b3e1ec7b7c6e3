/* SPDX-License-Identifier: Apache-2.0 */
/*
 * present - the chain that a server presents, whatever it is worth.
 *
 *   For one who looks, not for one who relies on it: nothing is verified here but that the server
 *   has the key of its leaf (RFC 8446 section 4.4.3). What it presented goes to verify_chain.
 *   We present nothing; a server that wants to know us has shown its chain before it refuses.
 *   Time       ms for connecting and for the handshake, each.
 *   Ownership  chain is the caller's.
 *   Errors     ERR_SYSTEM, ERR_TIMEOUT, ERR_PEER with words, ERR_NOMEM; chain only on success.
 */
#ifndef TLS_PRESENT_H
#define TLS_PRESENT_H

#include "core/buf.h"
#include "core/err.h"
#include "dns/name.h"
#include "resolve/address.h"

struct present {
	struct buf chain; /* PEM, the leaf first */
	char version[16]; /* "TLSv1.3" */
	double tcp_ms, tls_ms;
};

/* host: the server name we send. */
int present_ask(const struct address *to, const struct name *host, unsigned timeout_ms,
	struct present *out, struct err *err);
void present_done(struct present *p);

/* Seconds since 1970 at which the first of the chain's certificates down to depth expires. */
int present_until(struct span chain_pem, int depth, int64_t *out, struct err *err);

#endif
