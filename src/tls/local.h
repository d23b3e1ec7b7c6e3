/* SPDX-License-Identifier: Apache-2.0 */
/*
 * local - the accepting end of TLS for programs of this machine, which can speak nothing else.
 *
 *   They are asked for no certificate and no proof: whoever reaches the socket is taken for one
 *   of ours, so it must be on loopback, or a Unix socket with the right owner. What they must say
 *   is which server name they want, and that name must be one that serves allows: it is what
 *   we then ask for, and prove, on their behalf.
 *
 *   Source     RFC 6066 section 3; RFC 9325 section 3.1.1 (TLS 1.2 is good enough, here).
 *   Order      the name is judged in the ClientHello, before a certificate is sent.
 *   Ownership  as tls_server, which it is: tls_server_free.
 *   Errors     ERR_ARG, ERR_CRYPTO, ERR_NOMEM, and those of the files.
 */
#ifndef TLS_LOCAL_H
#define TLS_LOCAL_H

#include "tls/server.h"

struct tls_local_config {
	const char *tls_cert; /* PEM, in the name of all that is served; the programs trust it */
	const char *tls_key;
	/* May this name be asked for? Must be set. */
	bool (*serves)(void *arg, const struct name *asked);
	void *arg;
};

int tls_local_new(const struct tls_local_config *config, struct tls_server **out, struct err *err);

#endif
