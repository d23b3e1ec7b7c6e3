/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rogue - a TLS client that does what it is told, for tests of servers.
 *
 *   It verifies nobody, shows any chain, and puts any octets where a ClientName belongs.
 *   Its server end is a real conn; both are turned over a socketpair, with the resolver.
 */
#ifndef TESTS_LIB_ROGUE_H
#define TESTS_LIB_ROGUE_H

#include <openssl/ssl.h>

#include "certs.h"
#include "tls/conn.h"

struct rogue {
	const struct certs_leaf *chain[4]; /* leaf first; none: no certificate */
	bool extension;                    /* send it, with these octets: */
	struct span octets;
	bool on_second;      /* with the second certificate, not the first */
	bool tls12;          /* no more than TLS 1.2 */
	SSL_SESSION *resume; /* offer it */
};

struct rogue_end {
	SSL_CTX *ctx;
	SSL *ssl;
	int fd[2]; /* of the client, of the server */
	struct conn *server;
	const struct rogue *wish;
	SSL_SESSION *session; /* the last ticket heard; owned */
	int alert;            /* the alert heard from the server; 0: none */
};

/* wake does nothing: turning polls the resolver's descriptor. */
void rogue_open(struct rogue_end *e, const struct rogue *wish, struct tls_server *server,
	uint64_t source);
void rogue_close(struct rogue_end *e);

/* One turn of both ends, without waiting. The server's word. */
enum conn_event rogue_turn(struct rogue_end *e);

/* Turns until the server has decided and the client has heard of it. */
enum conn_event rogue_run(struct rogue_end *e, struct resolver *r);

/* Until the resolver or timeout_ms has something to say; then dispatches. */
void rogue_wait(struct resolver *r, int timeout_ms);

/* Name text as the octets of the extension: its length, then itself. */
struct span rogue_name(const char *text);

#endif
