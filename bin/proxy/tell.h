/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tell - to a backend, who is in front: ahead of the first octet, or with each request.
 *
 *   Source     relay/proxyhead.h, relay/httphead.h.
 *   Rule       what is told was proved, or is what the handshake agreed on: never what the
 *              client wrote into its certificate, unless the whole certificate is asked for.
 *   Errors     out is bad: no memory, or a certificate that has no room in a header. Nothing
 *              may be sent then.
 */
#ifndef PROXY_TELL_H
#define PROXY_TELL_H

#include "net/link.h"
#include "proxy/config.h"

bool tell_is_proxy(enum config_identity identity);
/* A header of the PROXY protocol; front is proved. */
void tell_proxy(enum config_identity identity, const struct link *front, struct buf *out);
/* The fields of HTTP, with their CRLF. */
void tell_http(const struct link *front, struct buf *out);

#endif
