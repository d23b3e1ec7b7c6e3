/* SPDX-License-Identifier: Apache-2.0 */
/*
 * extension - dane_clientid hung on an SSL_CTX, for either end.
 *
 *   Source     draft-ietf-dance-client-auth-13: CertificateRequest and Certificate of
 *              TLS 1.3 only; RFC 8446 section 4.2.
 *   Syntax     dane/clientid.h.
 *   Errors     ERR_ARG (the number is taken by OpenSSL or by another attach).
 */
#ifndef TLS_EXTENSION_H
#define TLS_EXTENSION_H

#include "tls/context.h"

int extension_add_server(struct tls_server *s, unsigned number, struct err *err);
int extension_add_client(struct tls_client *c, SSL_CTX *ctx, unsigned number, struct err *err);

#endif
