/* SPDX-License-Identifier: Apache-2.0 */
/*
 * leaf - one certificate in memory for all connections that show the same.
 *
 *   Why        OpenSSL keeps a peer's parsed certificate, some 3 KB, as long as the connection.
 *              A peer that holds many open shows the same one on each.
 *   Order      leaf_share before the chain is verified, so that the verdict is on what is kept
 *              from then on, libssl's proof that the peer has the key included; leaf_keep once
 *              it is authenticated, so that strangers put nothing here.
 *   Same       every octet: what was signed, how, and the signature.
 *   Bounds     LEAF_MAX certificates, a later one in the place of an earlier.
 *   Threads    that of the tls_server.
 */
#ifndef TLS_LEAF_H
#define TLS_LEAF_H

#include <openssl/x509.h>

#define LEAF_MAX 256

struct leaf_table {
	X509 *cert[LEAF_MAX];
};

void leaf_done(struct leaf_table *t);

/* The leaf of ctx, and of the chain that libssl keeps, becomes the one that is here, if one is. */
void leaf_share(struct leaf_table *t, X509_STORE_CTX *ctx);
void leaf_keep(struct leaf_table *t, X509_STORE_CTX *ctx);

#endif
