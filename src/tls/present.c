/* SPDX-License-Identifier: Apache-2.0 */
#include "tls/present.h"

#include "core/own.h"
#include "tls/context.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

OWNED_TYPE(SSL_CTX, SSL_CTX_free)
OWNED_TYPE(SSL, SSL_free)
OWNED_TYPE(BIO, BIO_free)

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* 0, or the errno of why the descriptor did not become ready. */
static int await(int fd, short events, double end_ms)
{
	struct pollfd p = { .fd = fd, .events = events };
	double left = end_ms - now_ms();

	return left > 0 && poll(&p, 1, (int)left + 1) > 0 ? 0 : ETIMEDOUT;
}

static int open_tcp(const struct address *to, unsigned timeout_ms, int *out, struct err *err)
{
	struct sockaddr_storage at;
	socklen_t n = address_socket(to, &at);
	int fd = socket(at.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int error = fd < 0 ? errno : 0;

	if (!error && connect(fd, (struct sockaddr *)&at, n) != 0)
		error = errno == EINPROGRESS ? await(fd, POLLOUT, now_ms() + timeout_ms) : errno;
	if (!error)
		getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &(socklen_t){ sizeof(error) });
	if (!error) {
		*out = fd;
		return 0;
	}
	if (fd >= 0)
		close(fd);
	return err_set(err, error == ETIMEDOUT ? ERR_TIMEOUT : ERR_SYSTEM, "TCP: %s",
		strerror(error));
}

static int shake(SSL *ssl, int fd, unsigned timeout_ms, struct err *err)
{
	const double end = now_ms() + timeout_ms;
	char words[120];

	for (;;) {
		int rc = SSL_connect(ssl);
		int why = SSL_get_error(ssl, rc);
		bool reads = why == SSL_ERROR_WANT_READ;

		if (rc == 1)
			return 0;
		if (!reads && why != SSL_ERROR_WANT_WRITE) {
			context_openssl_words(words, sizeof(words));
			return err_set(err, ERR_PEER, "TLS: %s",
				words[0] ? words : "the connection ended early");
		}
		if (await(fd, reads ? POLLIN : POLLOUT, end) != 0)
			return err_set(err, ERR_TIMEOUT, "TLS: no handshake within %u ms",
				timeout_ms);
	}
}

static int write_chain(SSL *ssl, struct buf *out, struct err *err)
{
	STACK_OF(X509) *chain = SSL_get_peer_cert_chain(ssl);
	OWNED(BIO) bio = BIO_new(BIO_s_mem());
	char *text;
	long n;

	for (int i = 0; bio && i < sk_X509_num(chain); i++)
		if (PEM_write_bio_X509(bio, sk_X509_value(chain, i)) != 1)
			return err_set(err, ERR_NOMEM, "chain: no memory");
	n = bio ? BIO_get_mem_data(bio, &text) : 0;
	if (n <= 0)
		return err_set(err, ERR_PEER, "TLS: the server presents no certificate");
	buf_put(out, (struct span){ (const uint8_t *)text, (size_t)n });
	return buf_ok(out) ? 0 : err_set(err, ERR_NOMEM, "chain: no memory");
}

static int ask_by(SSL_CTX *ctx, int fd, const char *host, unsigned timeout_ms, struct present *p,
	struct err *err)
{
	OWNED(SSL) ssl = SSL_new(ctx);
	int rc;

	if (!ssl || SSL_set_fd(ssl, fd) != 1 || SSL_set_tlsext_host_name(ssl, host) != 1)
		return err_set(err, ERR_NOMEM, "TLS: no memory");
	rc = shake(ssl, fd, timeout_ms, err);
	if (rc == 0)
		rc = write_chain(ssl, &p->chain, err);
	if (rc == 0)
		strncpy(p->version, SSL_get_version(ssl), sizeof(p->version) - 1);
	ERR_clear_error();
	return rc;
}

int present_ask(const struct address *to, const struct name *host, unsigned timeout_ms,
	struct present *out, struct err *err)
{
	OWNED(SSL_CTX) ctx = NULL;
	struct present p = { 0 };
	char text[NAME_TEXT_MAX];
	double start = now_ms();
	int fd = -1;
	int rc = name_write_text(host, text, sizeof(text));

	if (rc != 0)
		return err_set(err, rc, "host: no name");
	ERR_clear_error();
	rc = context_new(NULL, TLS_client_method(), &ctx, err);
	if (rc == 0)
		rc = open_tcp(to, timeout_ms, &fd, err);
	if (rc != 0)
		return rc;
	/* insecure on purpose: the chain is what we came for, and others judge it */
	SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL);
	p.tcp_ms = now_ms() - start;
	start = now_ms();
	rc = ask_by(ctx, fd, text, timeout_ms, &p, err);
	p.tls_ms = now_ms() - start;
	close(fd);
	if (rc != 0)
		present_done(&p);
	else
		*out = p;
	return rc;
}

void present_done(struct present *p)
{
	buf_done(&p->chain);
}

int present_until(struct span chain_pem, int depth, int64_t *out, struct err *err)
{
	OWNED(BIO) bio = BIO_new_mem_buf(chain_pem.p, (int)chain_pem.n);
	int64_t until = INT64_MAX;
	X509 *cert;

	if (!bio)
		return err_set(err, ERR_NOMEM, "chain: no memory");
	for (int i = 0; i <= depth && (cert = PEM_read_bio_X509(bio, NULL, NULL, NULL)); i++) {
		struct tm tm;
		time_t at = ASN1_TIME_to_tm(X509_get0_notAfter(cert), &tm) == 1 ? timegm(&tm) : 0;

		X509_free(cert);
		if (at < until)
			until = at;
	}
	ERR_clear_error();
	if (until == INT64_MAX)
		return err_set(err, ERR_FORMAT, "chain: no certificate in it");
	*out = until;
	return 0;
}
