/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client - the connecting end of TLS: proving the server, and offering our own name.
 *
 *   Source     RFC 6698, RFC 7671, RFC 7673; draft-ietf-dance-client-auth-13.
 *   Order      dane/service finds addresses and TLSA first; then connect; then a handshake
 *              that needs no DNS any more.
 *   Ownership  tls_client belongs to its maker and outlives its connections; a service is
 *              borrowed by each connection until the connection is gone.
 */
#ifndef TLS_CLIENT_H
#define TLS_CLIENT_H

#include "dane/service.h"
#include "tls/server.h"

struct tls_client_config {
	enum tls_mode mode;
	const char *tls_cert; /* PEM; NULL: no client certificate */
	const char *tls_key;
	const char *dane_client_name; /* complete owner name of our TLSA; NULL: not offered */
	const char *ca_cert;          /* PEM; TLS_PKIX and TLS_DANE_OR_PKIX */
	uint16_t client_id_extension;
	bool compat;
	struct trace trace;
};

struct tls_client;

int tls_client_new(const struct tls_client_config *config, struct tls_client **out,
	struct err *err);
/*
 * The same on an SSL_CTX of the caller's; tls_cert and tls_key may be NULL when it has them.
 * Each SSL made from it is told its endpoint before the handshake: handshake_of_client.
 */
int tls_client_attach(const struct tls_client_config *config, struct ssl_ctx_st *ssl_ctx,
	struct tls_client **out, struct err *err);
void tls_client_free(struct tls_client *c);

/*
 * For libraries that make their own SSL_CTX (libcurl): makes ssl_ctx do what tls_client
 * does for this one endpoint. peer is filled when the handshake ends. All of them are
 * borrowed until the SSL_CTX is freed. Session reuse on it is switched off.
 */
int tls_client_hook(struct tls_client *c, const struct service_endpoint *endpoint, void *ssl_ctx,
	struct peer *peer, struct err *err);

/*
 * For one that is hooked: its handshakes stop between two records when more says no, as if
 * the socket had no more yet. Who says so comes back to turn them (tls/portion.h).
 */
int tls_client_portion(void *ssl_ctx, bool (*more)(void *arg), void *arg, struct err *err);

#endif
