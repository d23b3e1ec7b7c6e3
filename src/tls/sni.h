/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sni - the server name that a ClientHello asks for, and which server a client meets by it.
 *
 *   Source     RFC 6066 section 3 (one host_name); RFC 8446 section 4.1.2 (what is sent after a
 *              HelloRetryRequest asks for the same).
 *   Order      before any other extension is looked at, a ticket in particular: whatever follows
 *              is the chosen server's, its certificate, its rules, its verdict.
 *   Rule       chosen once. The name is what a stranger writes: it selects, and proves nothing.
 *   Errors     ERR_NOMEM, ERR_CRYPTO.
 */
#ifndef TLS_SNI_H
#define TLS_SNI_H

#include "base/cursor.h"
#include "tls/context.h"

enum sni_verdict { SNI_NAME, SNI_BAD };

/* The octets of the extension; *out only with SNI_NAME. */
enum sni_verdict sni_read(struct span extension, struct name *out);

/* Clients of ctx are told by names which server they meet; own is met by the rest. */
void sni_hang(SSL_CTX *ctx, const struct tls_server *own);

#endif
