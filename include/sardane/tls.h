/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tls - mutual authentication by DANE and DANCE on your own SSL_CTX.
 *
 *   server                              client
 *     sardane_server_attach(ctx)          sardane_client_attach(ctx)
 *     SSL_new, SSL_accept ...             sardane_find_new(host, port) ... connect
 *       SSL_ERROR_WANT_ASYNC: DNS is        SSL_new, sardane_client_begin(ssl, endpoint)
 *       awaited; poll the resolver,         SSL_connect ...
 *       dispatch, SSL_accept again
 *     sardane_outcome(ssl)                sardane_outcome(ssl)
 *
 *   Source     RFC 6698, RFC 7671, RFC 7673; draft-ietf-dance-client-auth-13.
 *   Rule       only sardane_outcome's authenticated opens a door: ask it after each handshake,
 *              also after one that OpenSSL calls good.
 *   Attaching  sets minimum version, verification, the extension; switches session tickets
 *              off, or binds them. Attach after your own settings. One attach per SSL_CTX.
 *   Freeing    sardane_abandon an SSL that waits for DNS before SSL_free, or it leaks.
 *   Ownership  X_new and X_attach give, X_free takes and accepts NULL; free a server or client
 *              after its connections, a resolver last.
 *   Threads    one thread for a resolver, what is attached to it and its connections.
 */
#ifndef SARDANE_TLS_H
#define SARDANE_TLS_H

#include <openssl/ssl.h>

#include "sardane/resolver.h"

#ifdef __cplusplus
extern "C" {
#endif

enum sardane_mode {
	SARDANE_MODE_DANE,         /* DANE or nothing */
	SARDANE_MODE_PKIX,         /* the certificate authorities of the SSL_CTX; no DNS */
	SARDANE_MODE_DANE_OR_PKIX, /* PKIX only where DNS says securely that there is no TLSA */
};

struct sardane_server_config {
	enum sardane_mode mode;
	struct sardane_resolver *resolver;
	/* May this name be a client here? Asked before any DNS. Must be set. */
	bool (*authorise)(void *arg, const struct sardane_name *client);
	void *arg;
	const char *ca_cert;          /* PEM; needed when PKIX is possible */
	uint16_t client_id_extension; /* 0: 65280, private use until IANA assigns */
	bool compat;                  /* accept the empty extension of older drafts */
	bool tickets;                 /* bound to the TLSA; off is cheaper for a server */
};

struct sardane_server;
int sardane_server_attach(SSL_CTX *ctx, const struct sardane_server_config *config,
	struct sardane_server **out, struct sardane_err *err);
void sardane_server_free(struct sardane_server *s);

/* Optional, before the handshake: who is behind the socket (for the budget of DNS questions),
 * and whom to wake from sardane_resolver_dispatch when the handshake can go on. */
int sardane_server_begin(SSL *ssl, struct sardane_server *s, uint64_t source,
	void (*wake)(void *arg), void *arg, struct sardane_err *err);

/* Where a service is and what DNS says about it: addresses and TLSA of host and port. */
struct sardane_find;
int sardane_find_new(struct sardane_resolver *r, const char *host, uint16_t port,
	enum sardane_mode mode, struct sardane_find **out, struct sardane_err *err);
/* The same by the SRV records of owner, "_xmpp-client._tcp.example.org" (RFC 7673). */
int sardane_find_new_srv(struct sardane_resolver *r, const char *owner, enum sardane_mode mode,
	struct sardane_find **out, struct sardane_err *err);
/* The same by the NAPTR records of a JoinEUI's or NetID's name (TS002). port is of a name that
 * has addresses and no NAPTR; 0: such a name is refused. */
int sardane_find_new_naptr(struct sardane_resolver *r, const char *owner, uint16_t port,
	enum sardane_mode mode, struct sardane_find **out, struct sardane_err *err);
void sardane_find_free(struct sardane_find *f);

/* The host to try now. */
struct sardane_endpoint {
	bool usable; /* false: must not connect; why says the reason */
	char host[SARDANE_NAME_TEXT_MAX];
	unsigned address_count;
	uint8_t address[8][16]; /* IPv4 as ::ffff:a.b.c.d */
	uint16_t port;
	const char *why; /* lives as long as the find */
};

/* False while DNS is awaited: poll the resolver, dispatch, ask again. */
bool sardane_find_endpoint(struct sardane_find *f, struct sardane_endpoint *out);
/* Goes on to the next host, in the order of RFC 2782; false when that was the last. */
bool sardane_find_next(struct sardane_find *f);

struct sardane_client_config {
	enum sardane_mode mode;
	const char *client_name; /* complete owner name of our TLSA; NULL: offer none. The
				  * certificate is the one of the SSL_CTX. */
	const char *ca_cert;
	uint16_t client_id_extension;
	bool compat;
};

struct sardane_client;
int sardane_client_attach(SSL_CTX *ctx, const struct sardane_client_config *config,
	struct sardane_client **out, struct sardane_err *err);
void sardane_client_free(struct sardane_client *c);

/* Before the handshake: what the server is held to, the host that find tries now. find is
 * borrowed as long as ssl and may go on to the next host only after ssl is freed. */
int sardane_client_begin(SSL *ssl, struct sardane_client *c, const struct sardane_find *find,
	struct sardane_err *err);

/* Ends a handshake that waits for DNS; nothing in any other state. */
void sardane_abandon(SSL *ssl);

struct sardane_outcome {
	bool authenticated;
	bool by_dane; /* else by PKIX */
	bool resumed;
	char name[SARDANE_NAME_TEXT_MAX]; /* of the peer; "" when none */
	int usage, selector, matching;    /* of the TLSA that matched; -1: none */
	int depth;                        /* of the certificate it matched; -1: none */
	enum sardane_dnssec dnssec;       /* of the TLSA answer */
	int64_t expires_in_ms;            /* close the connection then; -1: no limit */
	char refusal[24];                 /* "no-tlsa", "policy", ...; "not-refused" */
	char reason[200];                 /* in words */
};

/* After SSL_accept, SSL_connect or SSL_do_handshake ended, well or not, and before the next
 * call into OpenSSL on this thread: a refusal by OpenSSL itself is read from its queue. */
void sardane_outcome(SSL *ssl, struct sardane_outcome *out);

#ifdef __cplusplus
}
#endif

#endif
