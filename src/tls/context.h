/* SPDX-License-Identifier: Apache-2.0 */
/*
 * context - what a tls_server and a tls_client keep, and the SSL_CTX they are made of.
 *
 *   Private to src/tls: the contracts are server.h and client.h.
 *   Source     RFC 8446 (TLS 1.3), RFC 9325 (versions, groups, renegotiation off).
 */
#ifndef TLS_CONTEXT_H
#define TLS_CONTEXT_H

#include <openssl/ssl.h>

#include "core/buf.h"
#include "crypto/chain.h"
#include "dane/clientid.h"
#include "dns/pattern.h"
#include "tls/client.h"
#include "tls/leaf.h"

/* Who asks for such a name meets this server. */
struct tls_server_name {
	struct pattern name;
	const struct tls_server *server;
};

struct tls_server {
	SSL_CTX *ssl_ctx; /* counted by us as well when it is the caller's */
	enum tls_mode mode;
	struct resolver *resolver;
	bool (*authorise)(void *arg, const struct name *client);
	void *authorise_arg;
	bool (*admit)(void *arg, const struct peer *client); /* may be NULL */
	void *admit_arg;
	x509_chain *client_ca; /* NULL: who sends no name is refused, in mode TLS_DANE */
	bool (*authorise_by_ca)(void *arg, const struct name *client);
	bool compat;
	bool tickets;
	unsigned dns_timeout_ms;
	unsigned number; /* 0, or its place among the names of another */
	struct tls_server_name *names;
	unsigned names_count;
	bool name_required;
	/* Of one for local programs: which names it serves. Nobody is proved then. NULL: of all
	 * others. */
	bool (*serves)(void *arg, const struct name *asked);
	void *serves_arg;
	struct buf alpn;                 /* what is spoken here, the preferred first; or empty */
	struct leaf_table *leaves;       /* of who was authenticated */
	uint8_t client_id[CLIENTID_MAX]; /* dane_clientid that asks for one */
	size_t client_id_n;
	struct trace trace;
};

struct tls_client {
	SSL_CTX *ssl_ctx;
	enum tls_mode mode;
	uint16_t extension;
	bool compat;
	bool has_name;
	uint8_t client_id[CLIENTID_MAX]; /* dane_clientid that names us */
	size_t client_id_n;
	struct trace trace;
};

/* What our own contexts have beyond what every attached one gets. libctx: NULL, the default one,
 * or, for TLS 1.3 alone, that of tls/algorithms.h. */
int context_new(OSSL_LIB_CTX *libctx, const SSL_METHOD *method, SSL_CTX **out, struct err *err);

/* PEM files; NULL: nothing to load. The key must belong to the certificate. */
int context_load_own(SSL_CTX *ctx, const char *cert, const char *key, struct err *err);
int context_load_ca(SSL_CTX *ctx, const char *ca, struct err *err);

/* What from loaded, for to as well: certificate, key, chain and authorities. No file is read,
 * and authorities that to had before do not count any more. */
int context_share(SSL_CTX *from, SSL_CTX *to, struct err *err);

/* The last words of OpenSSL's error queue, which is emptied; "" when there are none. */
void context_openssl_words(char *out, size_t cap);

#endif
