/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client against a real server end, over a socketpair, with what DNS says in the cache of a
 * real resolver: whoever has not the victim's key is never the victim, whatever it sends.
 *
 *   octet 0   what it is: the RAW octets of a first flight, or a TLS client with the chain
 *             of an impostor or of the victim itself; the last two without the extension, to a
 *             server that has an authority beside DANE
 *   octet 1   length of the extension's octets, which follow
 *   the rest  of a TLS client: changes to its certificate, each an offset (2) and a mask (1)
 */
#include <netinet/in.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../tests/lib/certs.h"
#include "base/cursor.h"
#include "dane/clientid.h"
#include "dns/rr.h"
#include "tls/conn.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whose certificate is shown; the key is always the one that goes with it. */
enum who {
	RAW,
	IMPOSTOR,
	BELOW_FORGED_CA,
	VICTIM,
	VICTIM_BELOW_CA,
	UNNAMED_FORGED,
	UNNAMED_VICTIM,
	WHO_END
};

static const char *const names[] = { "_ee.org.example", "_ta.org.example" };
static struct name ee, ta, old;
static struct certs_leaf root, forged, server_leaf, leaves[WHO_END];
static struct resolver *resolver;
static struct tls_server *server, *beside;
static uint8_t records[2][35];

static void check(bool holds)
{
	if (!holds)
		abort();
}

static bool allow(void *arg, const struct name *client)
{
	(void)arg;
	return name_equal(client, &ee) || name_equal(client, &ta);
}

static bool allow_by_ca(void *arg, const struct name *client)
{
	(void)arg;
	return name_equal(client, &old);
}

static void hash_key(X509 *cert, uint8_t out[32])
{
	unsigned char *der = NULL;
	int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);

	check(n > 0);
	SHA256(der, (size_t)n, out);
	OPENSSL_free(der);
}

/* A validating resolver, as much of it as one question needs: NOERROR with AD, and a TLSA. */
static void serve_dns(int fd)
{
	uint8_t m[600];
	struct sockaddr_storage from;
	socklen_t from_n = sizeof from;
	ssize_t n = recvfrom(fd, m, 512, 0, (struct sockaddr *)&from, &from_n);
	size_t at = 12;

	if (n < 17)
		return;
	while (m[at])
		at += m[at] + 1u;
	at += 5;
	m[2] |= 0x80;
	m[3] = 0xa0;
	memset(m + 6, 0, 6);
	if (m[at - 3] == RR_TLSA) {
		static const uint8_t head[12] = { 0xc0, 12, 0, RR_TLSA, 0, 1, 0, 1, 0x51, 0x80, 0,
			35 };
		m[7] = 1;
		memcpy(m + at, head, sizeof head);
		memcpy(m + at + sizeof head, records[m[13 + 1] == 't'], 35);
		at += sizeof head + 35;
	}
	(void)sendto(fd, m, at, 0, (struct sockaddr *)&from, from_n);
}

static void no_wake(struct ask *ask)
{
	(void)ask;
}

static void fill_cache(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t n = sizeof address;
	char where[32];
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	check(bind(fd, (struct sockaddr *)&address, n) == 0);
	check(getsockname(fd, (struct sockaddr *)&address, &n) == 0);
	snprintf(where, sizeof where, "127.0.0.1@%u", ntohs(address.sin_port));
	struct resolver_config config = { .backend = RESOLVER_AD,
		.server = where,
		.deadline_ms = 4000 };
	check(resolver_new(&config, &resolver, NULL) == 0);
	for (int i = 0; i < 2; i++) {
		struct question q = { .type = RR_TLSA };
		struct ask ask = { .wake = no_wake };
		check(name_of(names[i], &q.name) == 0);
		resolver_ask(resolver, &q, RESOLVER_SOURCE_SELF, 0, &ask);
		while (!ask.answer) {
			struct pollfd p[] = { { fd, POLLIN, 0 },
				{ resolver_fd(resolver), POLLIN, 0 } };
			check(poll(p, 2, 5000) > 0);
			if (p[0].revents)
				serve_dns(fd);
			resolver_dispatch(resolver);
		}
		check(ask.answer->status == ANSWER_SECURE && ask.answer->count == 1);
		ask_done(&ask);
	}
	close(fd);
}

static struct tls_server *new_server(bool by_ca)
{
	struct tls_server_config config = { .authorise = allow, .resolver = resolver };
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	char folder[] = "/tmp/fuzz-handshake-XXXXXX", pem[64], key[64];
	struct tls_server *s = NULL;

	check(mkdtemp(folder) != NULL);
	certs_write(folder, "root", &root, NULL);
	snprintf(pem, sizeof pem, "%s/root.pem", folder);
	snprintf(key, sizeof key, "%s/root-key.pem", folder);
	if (by_ca) {
		config.client_ca = pem;
		config.authorise_by_ca = allow_by_ca;
	}
	check(SSL_CTX_use_certificate(ctx, server_leaf.cert) == 1);
	check(SSL_CTX_use_PrivateKey(ctx, server_leaf.key) == 1);
	check(tls_server_attach(&config, ctx, &s, NULL) == 0);
	SSL_CTX_free(ctx);
	check(unlink(pem) == 0 && unlink(key) == 0 && rmdir(folder) == 0);
	return s;
}

static void start(void)
{
	check(name_of(names[0], &ee) == 0 && name_of(names[1], &ta) == 0 &&
		name_of("_old.org.example", &old) == 0);
	root = certs_make(&(struct certs_wish){ .cn = "root", .authority = true });
	forged = certs_make(&(struct certs_wish){ .cn = "root", .authority = true });
	server_leaf = certs_make(&(struct certs_wish){ .cn = "server" });
	leaves[IMPOSTOR] = certs_make(&(struct certs_wish){ .san = "DNS:_ee.org.example" });
	leaves[BELOW_FORGED_CA] =
		certs_make(&(struct certs_wish){ .san = "DNS:_ta.org.example", .issuer = &forged });
	leaves[VICTIM] = certs_make(&(struct certs_wish){ .cn = "victim" });
	leaves[VICTIM_BELOW_CA] =
		certs_make(&(struct certs_wish){ .san = "DNS:_ta.org.example", .issuer = &root });
	leaves[UNNAMED_FORGED] = certs_make(
		&(struct certs_wish){ .san = "DNS:_old.org.example", .issuer = &forged });
	leaves[UNNAMED_VICTIM] =
		certs_make(&(struct certs_wish){ .san = "DNS:_old.org.example", .issuer = &root });
	memcpy(records[0], (uint8_t[]){ 3, 1, 1 }, 3);
	hash_key(leaves[VICTIM].cert, records[0] + 3);
	memcpy(records[1], (uint8_t[]){ 2, 0, 1 }, 3);
	check(X509_digest(root.cert, EVP_sha256(), records[1] + 3, NULL) == 1);
	fill_cache();
	server = new_server(false);
	beside = new_server(true);
}

static int say_name(SSL *ssl, unsigned type, unsigned context, const unsigned char **out, size_t *n,
	X509 *x, size_t chain_index, int *al, void *arg)
{
	const struct span *name = arg;

	(void)ssl, (void)type, (void)context, (void)x, (void)al;
	*out = name->p;
	*n = name->n;
	return chain_index == 0;
}

static int hear_anything(SSL *ssl, unsigned type, unsigned context, const unsigned char *in,
	size_t n, X509 *x, size_t chain_index, int *al, void *arg)
{
	(void)ssl, (void)type, (void)context, (void)in, (void)n, (void)x, (void)chain_index;
	(void)al, (void)arg;
	return 1;
}

/* The certificate with its changes; NULL when it is none any more. */
static X509 *changed(X509 *cert, struct cursor *c)
{
	unsigned char *der = NULL;
	int n = i2d_X509(cert, &der);
	const unsigned char *p = der;

	check(n > 0);
	while (c->rest.n >= 3) {
		uint16_t at = cursor_u16_be(c);
		der[at % n] ^= cursor_u8(c);
	}
	X509 *made = d2i_X509(NULL, &p, n);
	OPENSSL_free(der);
	return made;
}

static bool is_unnamed(enum who who)
{
	return who == UNNAMED_FORGED || who == UNNAMED_VICTIM;
}

static SSL *client_of(enum who who, struct span *name, struct cursor *c, int fd, bool *same_key)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	X509 *cert = changed(leaves[who].cert, c);
	SSL *ssl = NULL;
	uint8_t key[32], shown[32];

	check(is_unnamed(who) ||
		SSL_CTX_add_custom_ext(ctx, TLS_CLIENT_ID_EXTENSION,
			SSL_EXT_TLS1_3_CERTIFICATE_REQUEST | SSL_EXT_TLS1_3_CERTIFICATE, say_name,
			NULL, name, hear_anything, NULL) == 1);
	/* A key that does not fit its certificate cannot sign, nor does OpenSSL begin to. */
	if (cert && SSL_CTX_use_certificate(ctx, cert) == 1 &&
		SSL_CTX_use_PrivateKey(ctx, leaves[who].key) == 1) {
		hash_key(leaves[who].cert, key);
		hash_key(cert, shown);
		*same_key = memcmp(key, shown, 32) == 0;
		bool is_forged = who == BELOW_FORGED_CA || who == UNNAMED_FORGED;

		SSL_CTX_add1_chain_cert(ctx, is_forged ? forged.cert : root.cert);
		if (is_forged)
			SSL_CTX_add1_chain_cert(ctx, root.cert);
		ssl = SSL_new(ctx);
		SSL_set_fd(ssl, fd);
		SSL_set_connect_state(ssl);
	}
	X509_free(cert);
	SSL_CTX_free(ctx);
	return ssl;
}

/* Turns both ends until the server has decided or waits for what does not come. */
static bool run(struct conn *end, SSL *client)
{
	enum conn_event event = CONN_WANT_READ;

	for (int i = 0; i < 20 && (event == CONN_WANT_READ || event == CONN_WANT_WRITE); i++) {
		if (client)
			(void)SSL_do_handshake(client);
		event = conn_handshake(end);
	}
	check(conn_peer(end)->authenticated == (event == CONN_READY));
	return event == CONN_READY;
}

static void judge(enum who who, bool came_in, const struct peer *peer, struct span octets,
	bool same_key)
{
	struct name name;
	const char *why;

	if (!came_in)
		return;
	check(same_key);
	if (is_unnamed(who)) {
		check(who == UNNAMED_VICTIM && peer->how == PEER_BY_PKIX &&
			name_equal(&peer->name, &old));
		return;
	}
	check((who == VICTIM || who == VICTIM_BELOW_CA) && peer->how == PEER_BY_DANE);
	check(clientid_read(CLIENTID_CERTIFICATE, octets, false, &name, &why) == CLIENTID_NAME);
	check(name_equal(&name, who == VICTIM ? &ee : &ta) && name_equal(&name, &peer->name));
}

static bool try(const uint8_t *data, size_t size)
{
	struct cursor c = cursor_over((struct span){ data, size });
	enum who who = (enum who)(cursor_u8(&c) % WHO_END);
	struct conn *end = NULL;
	bool same_key = false;
	bool came_in = false;
	SSL *client = NULL;
	int fd[2];

	check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd) == 0);
	check(conn_new_server(is_unnamed(who) ? beside : server, fd[1], 1, NULL, NULL, &end,
		      NULL) == 0);
	uint8_t n = who == RAW ? 0 : cursor_u8(&c);
	struct span octets = cursor_take(&c, n < c.rest.n ? n : c.rest.n);
	if (who == RAW)
		(void)!write(fd[0], c.rest.p, c.rest.n);
	else
		client = client_of(who, &octets, &c, fd[0], &same_key);
	if (who == RAW || client) {
		came_in = run(end, client);
		judge(who, came_in, conn_peer(end), octets, same_key);
	}
	SSL_free(client);
	conn_free(end);
	close(fd[0]);
	close(fd[1]);
	return came_in;
}

/* The honest come in, or nothing here would prove anything. */
static void try_honest(enum who who, const char *name)
{
	uint8_t data[64] = { (uint8_t)who, (uint8_t)(strlen(name) + 1), (uint8_t)strlen(name) };

	memcpy(data + 3, name, strlen(name));
	check(try(data, strlen(name) + 3));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!server) {
		start();
		try_honest(VICTIM, names[0]);
		try_honest(VICTIM_BELOW_CA, names[1]);
		try_honest(UNNAMED_VICTIM, "");
	}
	(void)try(data, size);
	return 0;
}
