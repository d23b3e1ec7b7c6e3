/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resume - a client's session, kept for a later connection, bound to the TLSA it rests on.
 *
 *   Source     RFC 8446 section 4.6.1; RFC 6698 section 4 (what rests on a TLSA ends with it).
 *   Rule       a saved session is offered only to an endpoint whose TLSA set, looked up anew
 *              secure and not expired, is the one it was made under, and no certificate that the
 *              verdict asked the date of has ended; else a full handshake follows.
 *   Secret     what is saved holds the resumption secret: mode 0600, wiped by the caller.
 *   Errors     ERR_FORMAT for octets that resume_save did not write.
 */
#ifndef TLS_RESUME_H
#define TLS_RESUME_H

#include <openssl/ssl.h>

#include "core/buf.h"
#include "tls/handshake.h"

/* Appends the session of an authenticated client; nothing when the server gave no ticket. */
int resume_save(SSL *ssl, const struct handshake *h, struct buf *out, struct err *err);

/* Before the handshake. Nothing is offered when the TLSA is not the same any more. */
int resume_offer(SSL *ssl, struct handshake *h, struct span saved, struct err *err);

#endif
