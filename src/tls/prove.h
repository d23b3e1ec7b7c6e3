/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prove - the verify step of a handshake: from a chain and a claim to a verdict.
 *
 *   client proves itself to us:  name > authorise > TLSA (cached, or a pause) > judge
 *   server proves itself to us:  the endpoint's TLSA, found before connecting > judge
 *
 *   Source     draft-ietf-dance-client-auth-13; RFC 6698; RFC 7671; RFC 8446 section 6.2.
 *   Alerts     every refusal is handshake_failure on the wire; the reason stays here.
 *   Names      a client that sends no dane_clientid has none in mode TLS_DANE. In the other
 *              modes it is the first subjectAltName that policy allows, and that name's
 *              TLSA is asked for all the same: leaving the extension out is no way around
 *              DANE.
 *   Beside     with client_ca in mode TLS_DANE, who sends no name is one in its certificate
 *              that authorise_by_ca allows, and is judged by those authorities without DNS:
 *              whoever allows it there says that the authorities suffice for it. A name that
 *              is sent never comes to them, whatever DNS says of it.
 */
#ifndef TLS_PROVE_H
#define TLS_PROVE_H

#include <openssl/ssl.h>

/* For SSL_CTX_set_cert_verify_callback; arg is the tls_server, or the tls_client. */
int prove_client(X509_STORE_CTX *store, void *arg);
int prove_server(X509_STORE_CTX *store, void *arg);

#endif
