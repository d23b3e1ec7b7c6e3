/* SPDX-License-Identifier: Apache-2.0 */
/* A client's SSL, over sockets that a peer or a relay fills, that is stopped between records. */
#include "certs.h"
#include "check.h"
#include "tls/portion.h"

#include <fcntl.h>
#include <openssl/ssl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CALLS_MAX 10000

struct trial {
	struct certs_leaf leaf;
	SSL_CTX *server_ctx, *client_ctx;
	SSL *server, *client;
	int fd[2];    /* the server's, the client's */
	bool goes_on; /* what more() says */
	unsigned asked;
	unsigned stops; /* calls of SSL_connect that ended with octets left */
};

static bool more(void *arg)
{
	struct trial *t = arg;

	t->asked++;
	return t->goes_on;
}

static SSL *end_of(SSL_CTX *ctx, int fd)
{
	SSL *ssl = SSL_new(ctx);

	assert_non_null(ssl);
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(SSL_set_fd(ssl, fd), 1);
	return ssl;
}

/* Both ends, the client's hello sent and the server's flight waiting in the socket. */
static struct trial begin(int version)
{
	struct trial t = { .leaf = certs_make(&(struct certs_wish){ 0 }),
		.server_ctx = SSL_CTX_new(TLS_server_method()),
		.client_ctx = SSL_CTX_new(TLS_client_method()) };

	assert_int_equal(SSL_CTX_use_certificate(t.server_ctx, t.leaf.cert), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(t.server_ctx, t.leaf.key), 1);
	assert_int_equal(SSL_CTX_set_max_proto_version(t.client_ctx, version), 1);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, t.fd), 0);
	t.server = end_of(t.server_ctx, t.fd[0]);
	t.client = end_of(t.client_ctx, t.fd[1]);
	SSL_set_accept_state(t.server);
	SSL_set_connect_state(t.client);
	return t;
}

static void cut(struct trial *t)
{
	BIO *under = SSL_get_rbio(t->client);

	assert_true(portion_begin(t->client, more, t));
	assert_ptr_not_equal(SSL_get_rbio(t->client), under);
	under = SSL_get_rbio(t->client);
	assert_true(portion_begin(t->client, more, t));
	assert_ptr_equal(SSL_get_rbio(t->client), under);
}

/* Until the client has nothing to read any more; true when it is done. */
static bool turn_client(struct trial *t)
{
	for (unsigned i = 0; i < CALLS_MAX; i++) {
		char octet;
		int rc = SSL_connect(t->client);

		if (rc == 1)
			return true;
		assert_int_equal(SSL_get_error(t->client, rc), SSL_ERROR_WANT_READ);
		if (recv(t->fd[1], &octet, 1, MSG_PEEK) != 1)
			return false;
		t->stops++;
	}
	fail_msg("it never ends");
	return false;
}

static void shake(struct trial *t)
{
	bool done = false;
	int rc = 0;

	for (unsigned i = 0; i < 10 && (!done || rc != 1); i++) {
		done = turn_client(t);
		rc = SSL_accept(t->server);
	}
	assert_true(done);
	assert_int_equal(rc, 1);
}

/* What the server says after the handshake is read to its end, and nobody is asked. */
static void talk(struct trial *t)
{
	unsigned asked = t->asked;
	char heard[16];

	assert_int_equal(SSL_write(t->server, "one ", 4), 4);
	assert_int_equal(SSL_write(t->server, "two", 3), 3);
	assert_int_equal(SSL_read(t->client, heard, 4), 4);
	assert_int_equal(SSL_read(t->client, heard + 4, sizeof(heard) - 4), 3);
	assert_memory_equal(heard, "one two", 7);
	assert_int_equal(SSL_write(t->client, "yes", 3), 3);
	assert_int_equal(SSL_read(t->server, heard, sizeof(heard)), 3);
	assert_int_equal(t->asked, asked);
}

static void finish(struct trial *t)
{
	SSL_free(t->server);
	SSL_free(t->client);
	SSL_CTX_free(t->server_ctx);
	SSL_CTX_free(t->client_ctx);
	close(t->fd[0]);
	close(t->fd[1]);
	certs_drop(&t->leaf);
}

/* ServerHello, (ChangeCipherSpec,) EncryptedExtensions, Certificate, CertificateVerify, Finished.
 */
static void a_handshake_stops_between_two_records(void **state)
{
	struct trial t = begin(TLS1_3_VERSION);

	(void)state;
	cut(&t);
	shake(&t);
	assert_true(t.stops >= 4);
	assert_int_equal(t.stops, t.asked);
	talk(&t);
	finish(&t);
}

static void so_does_one_of_tls_1_2(void **state)
{
	struct trial t = begin(TLS1_2_VERSION);

	(void)state;
	cut(&t);
	shake(&t);
	assert_true(t.stops >= 3);
	talk(&t);
	finish(&t);
}

static void one_that_may_go_on_does_it_in_one_call(void **state)
{
	struct trial t = begin(TLS1_3_VERSION);

	(void)state;
	t.goes_on = true;
	cut(&t);
	shake(&t);
	assert_int_equal(t.stops, 0);
	assert_true(t.asked >= 4);
	talk(&t);
	finish(&t);
}

static void who_reads_ahead_is_stopped_too(void **state)
{
	struct trial t = begin(TLS1_3_VERSION);

	(void)state;
	SSL_set_read_ahead(t.client, 1);
	cut(&t);
	shake(&t);
	assert_true(t.stops >= 4);
	talk(&t);
	finish(&t);
}

/* A relay that passes on an octet at a time. */
static void records_may_come_in_pieces(void **state)
{
	struct trial t = begin(TLS1_3_VERSION);
	char flight[16384];
	int relay[2];
	ssize_t n;

	(void)state;
	cut(&t);
	assert_false(turn_client(&t));
	assert_int_equal(SSL_accept(t.server), -1);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, relay), 0);
	n = recv(t.fd[1], flight, sizeof(flight), 0);
	assert_true(n > 0);
	/* In the place of the client's socket, which the server's end would fill again. */
	assert_int_equal(dup2(relay[1], t.fd[1]), t.fd[1]);
	assert_int_equal(fcntl(t.fd[1], F_SETFL, O_NONBLOCK), 0);
	for (ssize_t i = 0; i < n; i++) {
		assert_int_equal(send(relay[0], flight + i, 1, 0), 1);
		assert_int_equal(turn_client(&t), i == n - 1);
	}
	assert_int_equal(t.stops, 0);
	assert_true(t.asked >= 4);
	close(relay[0]);
	close(relay[1]);
	finish(&t);
}

static void an_ssl_without_a_socket_is_not_cut(void **state)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	SSL *ssl = SSL_new(ctx);

	(void)state;
	assert_false(portion_begin(ssl, more, NULL));
	assert_null(SSL_get_rbio(ssl));
	SSL_free(ssl);
	SSL_CTX_free(ctx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_handshake_stops_between_two_records),
		TEST(so_does_one_of_tls_1_2),
		TEST(one_that_may_go_on_does_it_in_one_call),
		TEST(who_reads_ahead_is_stopped_too),
		TEST(records_may_come_in_pieces),
		TEST(an_ssl_without_a_socket_is_not_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
