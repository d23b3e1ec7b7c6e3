/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server - the accepting end of TLS: who may be a client, and proving who is.
 *
 *   Source     draft-ietf-dance-client-auth-13; RFC 6698; RFC 7671; RFC 8446.
 *   Order      name from the client's Certificate message > authorise > cached TLSA or a
 *              pause for DNS > OpenSSL verifies > verdict. No DNS before authorise says yes.
 *   Ownership  tls_server belongs to its maker and outlives its connections.
 */
#ifndef TLS_SERVER_H
#define TLS_SERVER_H

#include "core/err.h"
#include "core/trace.h"
#include "dane/mode.h"
#include "dns/pattern.h"
#include "resolve/resolver.h"
#include "tls/peer.h"

/* Private use, RFC 8446 section 11; IANA has not assigned the number yet. */
#define TLS_CLIENT_ID_EXTENSION 65280

struct tls_server_config {
	enum tls_mode mode;
	const char *tls_cert;      /* PEM: leaf, then the chain if any */
	const char *tls_key;       /* PEM */
	const char *ca_cert;       /* PEM; TLS_PKIX and TLS_DANE_OR_PKIX */
	struct resolver *resolver; /* modes with DANE */
	/* May this name be a client here at all? Asked before any DNS. Must be set. */
	bool (*authorise)(void *arg, const struct name *client);
	void *authorise_arg;
	/* May it come in, now that it is proved? Its key and the kind of its proof are known.
	 * NULL: everybody who is proved. */
	bool (*admit)(void *arg, const struct peer *client);
	void *admit_arg;
	/* TLS_DANE, both or neither. Beside DANE, who sends no name is the first subjectAltName
	 * that this says yes to, proved by these authorities and not by DNS; who sends one is
	 * judged by DANE alone. PEM; arg is authorise_arg. */
	const char *client_ca;
	bool (*authorise_by_ca)(void *arg, const struct name *client);
	uint16_t client_id_extension; /* 0 is TLS_CLIENT_ID_EXTENSION */
	bool compat;                  /* tolerate the empty extension of older drafts */
	bool tickets;                 /* off unless asked: see bench/README */
	unsigned dns_timeout_ms;      /* 0: the resolver's */
	struct trace trace;
};

struct ssl_ctx_st; /* OpenSSL's SSL_CTX */
struct tls_server;

int tls_server_new(const struct tls_server_config *config, struct tls_server **out,
	struct err *err);
/*
 * The same on an SSL_CTX of the caller's: minimum version, extension, verification,
 * tickets. tls_cert and tls_key may be NULL when the SSL_CTX has them already. Each SSL
 * made from it waits for DNS with SSL_ERROR_WANT_ASYNC (see tls/handshake.h).
 */
int tls_server_attach(const struct tls_server_config *config, struct ssl_ctx_st *ssl_ctx,
	struct tls_server **out, struct err *err);
void tls_server_free(struct tls_server *s);

/*
 * A client of s that asks for such a server name (RFC 6066 section 3) meets other from there on:
 * its certificate, its rules. The first that fits; whoever fits none meets s. other is borrowed, of
 * one s only, and in mode, tickets, compat and client_id_extension as s is; returned by
 * conn_server.
 */
int tls_server_add_name(struct tls_server *s, const struct pattern *name, struct tls_server *other,
	struct err *err);
/* Whoever asks for none of those names, or of the names in the certificate of s, is refused. */
void tls_server_require_name(struct tls_server *s);

#endif
