/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wire - OpenSSL's BIO on a non-blocking socket, without SIGPIPE.
 *
 *   gather > records are written one behind the other into room > send: all with one call
 *                                   kept: what the socket did not take; nothing overtakes it
 *
 *   Memory     none but what is kept. It is sealed: it needs no wiping.
 *   Ownership  the descriptor and the room stay the caller's; the BIO is OpenSSL's to free, and
 *              borrows the wire.
 */
#ifndef TLS_WIRE_H
#define TLS_WIRE_H

#include <openssl/bio.h>

#include "core/buf.h"

struct wire {
	int fd;
	struct buf *room; /* NULL: not gathering */
	struct buf kept;
	size_t sent; /* octets of kept that have left */
};

BIO *wire_new(struct wire *w, int fd); /* NULL: no memory */
void wire_mute(struct wire *w);        /* from now on nothing is sent or heard */

void wire_gather(struct wire *w, struct buf *room);
/* False: the connection is broken, or there is no memory. */
bool wire_send(struct wire *w);
bool wire_flush(struct wire *w); /* what is kept, as far as it goes */
size_t wire_unsent(const struct wire *w);
/* What is kept is not sent, and then nothing else can be. */
void wire_forget(struct wire *w);

#endif
