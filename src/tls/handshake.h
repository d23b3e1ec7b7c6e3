/* SPDX-License-Identifier: Apache-2.0 */
/*
 * handshake - what one SSL of ours remembers: the name it heard, the DNS it waits for,
 * the verdict.
 *
 *   RUNNING --ask--> WAITING --answer, deadline--> RUNNING --> verdict
 *                       |abandon: resumed, told to refuse
 *
 *   Waiting    in the verify step, by ASYNC_pause_job: SSL_do_handshake says
 *              SSL_ERROR_WANT_ASYNC, and is called again after wake. (SSL_set_retry_verify
 *              would let an unverified client in: it is for clients only.)
 *   Freeing    an SSL that waits leaks its job: handshake_abandon it first.
 *   Ownership  hangs on the SSL and is freed with it.
 *   Threads    an SSL is resumed by the thread that paused it.
 */
#ifndef TLS_HANDSHAKE_H
#define TLS_HANDSHAKE_H

#include <openssl/ssl.h>

#include "tls/context.h"

struct handshake {
	struct peer peer;
	const struct tls_server *server; /* one of the two is set */
	const struct tls_client *client;
	const struct service_endpoint *endpoint; /* client: what the server is held to */
	struct peer *report;                     /* client, may be NULL: gets a copy of peer */
	struct ask ask;
	bool chosen;              /* by the server name: server does not change any more */
	bool waiting;             /* paused in the verify step */
	bool abandoned;           /* to refuse when resumed */
	bool solicited;           /* the server asked for a name */
	bool named;               /* the client gave one, which is peer.name */
	struct peer *ticket_peer; /* who the peer is if it is resumed; NULL: it must not be. Ours */
	uint64_t source;
	void (*wake)(void *arg);
	void *wake_arg;
};

/* The handshake of ssl, made at the first call; NULL: no memory. */
struct handshake *handshake_of_server(SSL *ssl, const struct tls_server *server);
struct handshake *handshake_of_client(SSL *ssl, const struct tls_client *client);

/* Whom a resumed session would be with, to be filled; NULL: no memory. */
struct peer *handshake_new_ticket_peer(struct handshake *h);

/* A client's, with what its server is held to and the server name to send. */
struct handshake *handshake_begin_client(SSL *ssl, const struct tls_client *client,
	const struct service_endpoint *endpoint);

/* The same, or NULL when none was made. */
struct handshake *handshake_of(const SSL *ssl);

/* The TLSA answer for name: cached, or after a pause. NULL when refused; peer says why.
 * A reference of the caller's. */
struct answer *handshake_lookup(struct handshake *h, const struct name *name);

/* A client that is proved, and that the rules do not admit by this proof, is refused. */
void handshake_admit(struct handshake *h);

/* A paused handshake is resumed and refused. Other states: nothing happens. */
void handshake_abandon(SSL *ssl);

/* After SSL_do_handshake ended, well (finished) or not: completes the verdict. True when
 * the peer is authenticated, or need not be (tls/local.h). */
bool handshake_finish(SSL *ssl, bool finished);

#endif
