/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verify - decide about a chain without a connection, by the code of the handshake.
 *
 *   Source     RFC 6698, RFC 7671; draft-ietf-dance-client-auth-13.
 *   In         a PEM chain as a peer would send it, leaf first.
 *   Out        struct peer as after a handshake; and, record by record, what that record
 *              alone would have decided, so a reader sees which one carries the proof.
 *   Errors     ERR_FORMAT (no certificate in chain), ERR_CRYPTO, ERR_NOMEM; a refusal is
 *              not an error: it is in peer.
 */
#ifndef TLS_VERIFY_H
#define TLS_VERIFY_H

#include <time.h>

#include "dane/mode.h"
#include "dane/tlsaset.h"
#include "tls/peer.h"

/* Who presented the chain: a server to a client, or a client to a server. */
enum verify_role { VERIFY_SERVER, VERIFY_CLIENT };

struct verify_config {
	enum verify_role role;
	enum tls_mode mode; /* TLS_DANE: by the records; TLS_PKIX: by the store;
			     * TLS_DANE_OR_PKIX: by the store when there is no record */
	struct span chain_pem;
	const struct span *rdata; /* TLSA RDATA, as from a secure answer */
	size_t rdata_count;
	const struct name *reference; /* client: one, its name; server: the names it may bear */
	size_t reference_count;
	const char *ca_cert; /* PEM file; NULL: no certificate authority */
	time_t at;           /* 0: now */
};

struct verify_record {
	struct tlsa tlsa; /* borrows the rdata given */
	bool counts;      /* false: set aside, for the reason in why */
	bool matched;     /* this record alone authenticates the chain */
	int depth;        /* of the certificate it matched, 0 is the leaf; -1: none */
	char why[120];
};

struct verify_result {
	struct peer peer; /* the verdict, by all records together */
	size_t count;
	struct verify_record record[TLSASET_MAX];
};

int verify_chain(const struct verify_config *config, struct verify_result *out, struct err *err);

#endif
