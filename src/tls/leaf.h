/* SPDX-License-Identifier: Apache-2.0 */
/*
 * leaf - one certificate in memory for all connections that show the same.
 *
 *   Why        OpenSSL keeps a peer's parsed certificate, some 3 KB, as long as the connection.
 *              A peer that holds many open shows the same one on each. And reading one takes
 *              OpenSSL 3.0 an eighth of a handshake, most of it to look for a decoder of its key.
 *   Order      leaf_read before anything is known of the peer: it says what octets mean, not
 *              whose they are. leaf_share before the chain is verified, so that the verdict is
 *              on what is kept from then on, libssl's proof that the peer has the key included;
 *              leaf_keep once it is authenticated, so that strangers put nothing here.
 *   Same       every octet: what was signed, how, and the signature.
 *   Bounds     LEAF_MAX certificates, a later one in the place of an earlier; leaf_read knows
 *              those of at most LEAF_OCTETS_MAX.
 *   Threads    that of the tls_server.
 */
#ifndef TLS_LEAF_H
#define TLS_LEAF_H

#include <openssl/x509.h>

#include "core/buf.h"

#define LEAF_MAX        256
#define LEAF_OCTETS_MAX 2048

struct leaf_table {
	struct leaf_kept {
		X509 *cert;
		struct buf der; /* empty: too long */
	} kept[LEAF_MAX];
};

void leaf_done(struct leaf_table *t);

/* The table that leaf_read looks into from now on, in this thread; NULL: none. */
void leaf_use(struct leaf_table *t);
/* The certificate that is written so, its reference the caller's; NULL: it is not here. */
X509 *leaf_read(struct span der);

/* The leaf of ctx, and of the chain that libssl keeps, becomes the one that is here, if one is. */
void leaf_share(struct leaf_table *t, X509_STORE_CTX *ctx);
void leaf_keep(struct leaf_table *t, X509_STORE_CTX *ctx);

#endif
