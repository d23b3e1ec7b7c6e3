/* SPDX-License-Identifier: Apache-2.0 */
/*
 * alpn - what is spoken inside of TLS, agreed on in the handshake.
 *
 *   Source     RFC 7301 section 3.1 (the list) and 3.2 (the server's choice; none fits:
 *              no_application_protocol).
 *   Form       of a list: each name behind its length in one octet, without the length of all.
 *   Rule       who offers no protocol is asked for none.
 *   Ownership  names are copied; what comes out borrows.
 *   Errors     ERR_FORMAT with words, ERR_NOMEM.
 */
#ifndef TLS_ALPN_H
#define TLS_ALPN_H

#include "core/buf.h"
#include "tls/client.h"

#define ALPN_NAME_MAX 255

/* The preferred first. */
int alpn_write(const char *const *names, unsigned count, struct buf *out, struct err *err);
/* The first of ours that they offer. False: none, or theirs is no list. */
bool alpn_choose(struct span ours, struct span theirs, struct span *out);

/* Handshakes from now on; an empty list: nothing is offered, nothing is chosen. */
int alpn_accept(struct tls_server *s, struct span names, struct err *err);
int alpn_offer(struct tls_client *c, struct span names, struct err *err);

#endif
