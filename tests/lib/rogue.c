/* SPDX-License-Identifier: Apache-2.0 */
#include "rogue.h"

#include <fcntl.h>
#include <openssl/err.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MUST(x)                                                                 \
	do {                                                                    \
		if (!(x)) {                                                     \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #x); \
			abort();                                                \
		}                                                               \
	} while (0)

#define WHERE (SSL_EXT_TLS1_3_CERTIFICATE_REQUEST | SSL_EXT_TLS1_3_CERTIFICATE)

static int send_octets(SSL *ssl, unsigned type, unsigned context, const unsigned char **out,
	size_t *n, X509 *x, size_t chain_index, int *al, void *arg)
{
	const struct rogue_end *e = arg;

	(void)ssl, (void)type, (void)x, (void)al;
	if (context != SSL_EXT_TLS1_3_CERTIFICATE || chain_index != (e->wish->on_second ? 1 : 0))
		return 0;
	*out = e->wish->octets.p;
	*n = e->wish->octets.n;
	return 1;
}

static int hear_anything(SSL *ssl, unsigned type, unsigned context, const unsigned char *in,
	size_t n, X509 *x, size_t chain_index, int *al, void *arg)
{
	(void)ssl, (void)type, (void)context, (void)in, (void)n, (void)x, (void)chain_index;
	(void)al, (void)arg;
	return 1;
}

static int keep_session(SSL *ssl, SSL_SESSION *session)
{
	struct rogue_end *e = SSL_get_app_data(ssl);

	SSL_SESSION_free(e->session);
	e->session = session;
	return 1;
}

static void hear_alert(const SSL *ssl, int where, int value)
{
	struct rogue_end *e = SSL_get_app_data(ssl);

	if ((where & SSL_CB_READ_ALERT) == SSL_CB_READ_ALERT && (value & 0xff) != 0)
		e->alert = value & 0xff;
}

static void configure(struct rogue_end *e, const struct rogue *wish)
{
	SSL_CTX_set_security_level(e->ctx, 0);
	if (wish->extension)
		MUST(SSL_CTX_add_custom_ext(e->ctx, TLS_CLIENT_ID_EXTENSION, WHERE, send_octets,
			NULL, e, hear_anything, e));
	if (wish->tls12)
		MUST(SSL_CTX_set_max_proto_version(e->ctx, TLS1_2_VERSION));
	if (wish->chain[0]) {
		MUST(SSL_CTX_use_certificate(e->ctx, wish->chain[0]->cert));
		MUST(SSL_CTX_use_PrivateKey(e->ctx, wish->chain[0]->key));
	}
	for (int i = 1; i < 4 && wish->chain[i]; i++)
		MUST(SSL_CTX_add1_chain_cert(e->ctx, wish->chain[i]->cert));
	SSL_CTX_set_session_cache_mode(e->ctx,
		SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE);
	SSL_CTX_sess_set_new_cb(e->ctx, keep_session);
	SSL_CTX_set_info_callback(e->ctx, hear_alert);
}

static void do_nothing(void *arg)
{
	(void)arg;
}

void rogue_open(struct rogue_end *e, const struct rogue *wish, struct tls_server *server,
	uint64_t source)
{
	struct err err = { 0 };

	memset(e, 0, sizeof *e);
	e->wish = wish;
	MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, e->fd) == 0);
	MUST((e->ctx = SSL_CTX_new(TLS_client_method())));
	configure(e, wish);
	MUST((e->ssl = SSL_new(e->ctx)));
	SSL_set_app_data(e->ssl, e);
	MUST(SSL_set_fd(e->ssl, e->fd[0]));
	if (wish->resume)
		MUST(SSL_set_session(e->ssl, wish->resume));
	SSL_set_connect_state(e->ssl);
	MUST(conn_new_server(server, e->fd[1], source, do_nothing, NULL, &e->server, &err) == 0);
}

void rogue_close(struct rogue_end *e)
{
	conn_free(e->server);
	SSL_SESSION_free(e->session);
	/* Else OpenSSL makes the session unfit for resumption. */
	SSL_set_shutdown(e->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	SSL_free(e->ssl);
	SSL_CTX_free(e->ctx);
	close(e->fd[0]);
	close(e->fd[1]);
	memset(e, 0, sizeof *e);
}

static void turn_client(struct rogue_end *e)
{
	char junk[256];

	ERR_clear_error();
	if (!SSL_is_init_finished(e->ssl))
		(void)SSL_do_handshake(e->ssl);
	else
		(void)SSL_read(e->ssl, junk, sizeof junk);
	ERR_clear_error();
}

enum conn_event rogue_turn(struct rogue_end *e)
{
	turn_client(e);
	enum conn_event event = conn_handshake(e->server);
	turn_client(e);
	return event;
}

void rogue_wait(struct resolver *r, int timeout_ms)
{
	struct pollfd p = { .fd = r ? resolver_fd(r) : -1, .events = POLLIN };

	if (poll(&p, 1, timeout_ms) > 0)
		resolver_dispatch(r);
}

enum conn_event rogue_run(struct rogue_end *e, struct resolver *r)
{
	for (int i = 0; i < 20000; i++) {
		enum conn_event event = rogue_turn(e);
		if (event == CONN_READY || event == CONN_REFUSED || event == CONN_CLOSED) {
			for (int more = 0; more < 4; more++)
				turn_client(e);
			return event;
		}
		rogue_wait(r, event == CONN_WANT_DNS ? 1000 : 0);
	}
	fprintf(stderr, "rogue: the handshake does not end\n");
	abort();
}

struct span rogue_name(const char *text)
{
	static uint8_t octets[8][256];
	static int next;
	uint8_t *to = octets[next++ % 8];
	size_t n = strlen(text);

	MUST(n < 256);
	to[0] = (uint8_t)n;
	memcpy(to + 1, text, n);
	return (struct span){ to, n + 1 };
}
