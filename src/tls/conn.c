/* SPDX-License-Identifier: Apache-2.0 */
#include "tls/conn.h"

#include <limits.h>
#include <openssl/err.h>
#include <stdlib.h>

#include "tls/handshake.h"
#include "tls/resume.h"
#include "tls/wire.h"

struct conn {
	SSL *ssl;
	struct wire wire; /* the BIO of the SSL borrows it */
	struct handshake *h;
	enum { HANDSHAKE, OPEN, ENDED } at;
	enum conn_event last; /* once ENDED */
};

/* Before what may fail, so that it is told by words of its own. Asking costs a tenth of clearing.
 */
static void forget_errors(void)
{
	if (ERR_peek_error())
		ERR_clear_error();
}

static int refuse_memory(struct conn *c, struct err *err)
{
	conn_free(c);
	ERR_clear_error();
	return err_set(err, ERR_NOMEM, "TLS connection: no memory");
}

static struct conn *new_conn(SSL_CTX *ctx, int fd)
{
	struct conn *c = calloc(1, sizeof *c);

	if (!c)
		return NULL;
	c->ssl = SSL_new(ctx);
	BIO *bio = c->ssl ? wire_new(&c->wire, fd) : NULL;
	if (!bio) {
		conn_free(c);
		return NULL;
	}
	SSL_set_bio(c->ssl, bio, bio);
	return c;
}

int conn_new_server(struct tls_server *s, int fd, uint64_t source, void (*wake)(void *arg),
	void *arg, struct conn **out, struct err *err)
{
	struct conn *c = new_conn(s->ssl_ctx, fd);

	if (!c || !(c->h = handshake_of_server(c->ssl, s)))
		return refuse_memory(c, err);
	c->h->source = source;
	c->h->wake = wake;
	c->h->wake_arg = arg;
	/* A record in one read of the socket, not two. */
	SSL_set_read_ahead(c->ssl, 1);
	SSL_set_accept_state(c->ssl);
	*out = c;
	return 0;
}

int conn_new_client(struct tls_client *c, const struct service_endpoint *endpoint, int fd,
	struct conn **out, struct err *err)
{
	struct conn *n = new_conn(c->ssl_ctx, fd);

	if (!n || !(n->h = handshake_begin_client(n->ssl, c, endpoint)))
		return refuse_memory(n, err);
	SSL_set_connect_state(n->ssl);
	*out = n;
	return 0;
}

void conn_free(struct conn *c)
{
	if (!c)
		return;
	if (c->ssl && c->h && c->h->waiting) {
		wire_mute(&c->wire);
		handshake_abandon(c->ssl);
	}
	SSL_free(c->ssl);
	wire_forget(&c->wire);
	free(c);
}

static enum conn_event end(struct conn *c, enum conn_event event)
{
	c->at = ENDED;
	c->last = event;
	return event;
}

/* What OpenSSL wants after rc <= 0. */
static enum conn_event wanted(struct conn *c, int rc)
{
	switch (SSL_get_error(c->ssl, rc)) {
	case SSL_ERROR_WANT_READ: return CONN_WANT_READ;
	case SSL_ERROR_WANT_WRITE: return CONN_WANT_WRITE;
	case SSL_ERROR_WANT_ASYNC: return CONN_WANT_DNS;
	case SSL_ERROR_ZERO_RETURN: return CONN_CLOSED;
	default: return CONN_REFUSED;
	}
}

enum conn_event conn_handshake(struct conn *c)
{
	if (c->at != HANDSHAKE)
		return c->at == OPEN ? CONN_READY : c->last;
	ERR_clear_error();
	leaf_use(c->h->server ? c->h->server->leaves : NULL);
	int rc = SSL_do_handshake(c->ssl);
	leaf_use(NULL);
	enum conn_event event = rc == 1 ? CONN_READY : wanted(c, rc);
	if (event == CONN_WANT_READ || event == CONN_WANT_WRITE || event == CONN_WANT_DNS)
		return event;
	bool may_open = handshake_finish(c->ssl, rc == 1);
	ERR_clear_error();
	if (!may_open || rc != 1)
		return end(c, CONN_REFUSED);
	SSL_clear_mode(c->ssl, SSL_MODE_ASYNC);
	c->at = OPEN;
	return CONN_READY;
}

/* After reading or writing failed: the stream's end is no refusal, an alert is. */
static enum conn_event stopped(struct conn *c, int rc)
{
	enum conn_event event = wanted(c, rc);
	char words[120];

	if (event == CONN_WANT_READ || event == CONN_WANT_WRITE)
		return event;
	if (event == CONN_CLOSED && conn_is_ended(c)) {
		ERR_clear_error();
		return CONN_CLOSED;
	}
	unsigned long code = ERR_peek_last_error();
	if (event == CONN_CLOSED || code == 0 ||
		ERR_GET_REASON(code) == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
		ERR_clear_error();
		return end(c, CONN_CLOSED);
	}
	context_openssl_words(words, sizeof words);
	peer_refuse(&c->h->peer, PEER_REFUSED_PROTOCOL, "TLS: %s", words);
	return end(c, CONN_REFUSED);
}

enum conn_event conn_read(struct conn *c, void *p, size_t cap, size_t *n)
{
	*n = 0;
	if (c->at != OPEN)
		return c->at == ENDED ? c->last : CONN_REFUSED;
	forget_errors();
	int rc = SSL_read_ex(c->ssl, p, cap, n);
	return rc == 1 ? CONN_READY : stopped(c, rc);
}

bool conn_has_pending(const struct conn *c)
{
	return SSL_has_pending(c->ssl) == 1;
}

/* What was gathered leaves even when there is no more of it. */
static enum conn_event write_share(struct conn *c, struct span octets, struct buf *room)
{
	int rc = 1;

	wire_gather(&c->wire, room);
	for (size_t n = 0; octets.n && rc == 1;
		octets = (struct span){ octets.p + n, octets.n - n })
		rc = SSL_write_ex(c->ssl, octets.p, octets.n, &n);
	bool sent = wire_send(&c->wire);
	if (rc != 1)
		return stopped(c, rc);
	return sent ? CONN_READY : end(c, CONN_CLOSED);
}

enum conn_event conn_write(struct conn *c, struct span octets, struct buf *room)
{
	enum conn_event event = c->at == OPEN ? CONN_READY
		: c->at == ENDED              ? c->last
					      : CONN_REFUSED;

	forget_errors();
	while (octets.n && event == CONN_READY) {
		size_t n = octets.n < CONN_SHARE ? octets.n : CONN_SHARE;

		event = write_share(c, (struct span){ octets.p, n }, room);
		octets = (struct span){ octets.p + n, octets.n - n };
	}
	return event;
}

size_t conn_unsent(const struct conn *c)
{
	return wire_unsent(&c->wire);
}

enum conn_event conn_flush(struct conn *c)
{
	if (!wire_flush(&c->wire))
		return end(c, CONN_CLOSED);
	return wire_unsent(&c->wire) ? CONN_WANT_WRITE : CONN_READY;
}

void conn_forget(struct conn *c)
{
	wire_forget(&c->wire);
}

bool conn_is_ended(const struct conn *c)
{
	return SSL_get_shutdown(c->ssl) & SSL_RECEIVED_SHUTDOWN;
}

enum conn_event conn_end(struct conn *c)
{
	if (c->at != OPEN)
		return CONN_CLOSED;
	ERR_clear_error();
	/* 0: said, and not answered yet. */
	int rc = SSL_shutdown(c->ssl);
	enum conn_event event = rc >= 0 ? CONN_READY : wanted(c, rc);
	ERR_clear_error();
	return event;
}

enum conn_event conn_close(struct conn *c)
{
	enum conn_event event = conn_end(c);

	return event == CONN_WANT_WRITE ? event : end(c, CONN_CLOSED);
}

int conn_session_save(struct conn *c, struct buf *out, struct err *err)
{
	return c->at == HANDSHAKE || SSL_is_server(c->ssl)
		? err_set(err, ERR_ARG, "session: only of a client after its handshake")
		: resume_save(c->ssl, c->h, out, err);
}

int conn_session_offer(struct conn *c, struct span saved, struct err *err)
{
	return c->at != HANDSHAKE || SSL_is_server(c->ssl)
		? err_set(err, ERR_ARG, "session: only of a client before its handshake")
		: resume_offer(c->ssl, c->h, saved, err);
}

const struct tls_server *conn_server(const struct conn *c)
{
	return c->h->server;
}

bool conn_server_name(const struct conn *c, struct name *out)
{
	const char *text = SSL_get_servername(c->ssl, TLSEXT_NAMETYPE_host_name);

	return text && name_of(text, out) == 0 && name_is_plain(out);
}

const struct peer *conn_peer(const struct conn *c)
{
	return &c->h->peer;
}

void conn_peer_certificate(const struct conn *c, struct buf *out)
{
	const X509 *certificate = SSL_get0_peer_certificate(c->ssl);
	unsigned char *der = NULL;
	int n = certificate ? i2d_X509(certificate, &der) : 0;

	if (n < 0)
		out->bad = true;
	if (n > 0)
		buf_put(out, (struct span){ der, (size_t)n });
	OPENSSL_free(der);
}

struct span conn_alpn(const struct conn *c)
{
	const unsigned char *p;
	unsigned n;

	SSL_get0_alpn_selected(c->ssl, &p, &n);
	return (struct span){ p, n };
}

const char *conn_version(const struct conn *c)
{
	return SSL_get_version(c->ssl);
}

const char *conn_cipher(const struct conn *c)
{
	return SSL_get_cipher_name(c->ssl);
}
