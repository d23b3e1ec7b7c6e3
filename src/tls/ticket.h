/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ticket - resumption that lives no longer than the TLSA it rests on, or none at all.
 *
 *   Source     RFC 8446 section 2.2; RFC 7671 (a removed TLSA revokes).
 *   Why        a resumed handshake shows no certificate and runs no verify step. So the
 *              ticket carries the client's name, the hash of its TLSA set and the time it
 *              expires; it is taken only while policy allows the name and the cache holds
 *              the very same set, secure. Anything else means a full handshake.
 *   Limits     what the cache does not hold cannot be waited for here: full handshake.
 */
#ifndef TLS_TICKET_H
#define TLS_TICKET_H

#include "tls/context.h"

int ticket_forbid(SSL_CTX *ctx, struct err *err);
int ticket_bind(struct tls_server *s, struct err *err);

#endif
