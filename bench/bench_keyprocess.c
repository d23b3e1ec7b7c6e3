/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_keyprocess - what it would cost to keep the private key in a process of its own.
 *
 *   Mutual TLS 1.3 handshakes, P-256, in memory. The server's signature is made here, or asked of a
 *   child through a socket pair: digest there, signature back. Counted is processor time: of the
 *   server's steps here, and of the child; both kinds in turn, medians of the rounds.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/ec.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS 9
#define TIMES  300

static int to_child[2];
static EC_KEY *real; /* the child's */

static void must(bool fine, const char *what)
{
	if (fine)
		return;
	fprintf(stderr, "bench_keyprocess: %s\n", what);
	exit(1);
}

static double clock_us(clockid_t clock)
{
	struct timespec t;

	must(clock_gettime(clock, &t) == 0, "clock");
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static _Noreturn void keep_key(void)
{
	unsigned char digest[64], signature[128];
	unsigned n;
	ssize_t got;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while ((got = recv(to_child[1], digest, sizeof(digest), 0)) > 0) {
		must(ECDSA_sign(0, digest, (int)got, signature, &n, real) == 1, "signature");
		must(send(to_child[1], signature, n, 0) == (ssize_t)n, "send");
	}
	_exit(0);
}

static int sign_there(int type, const unsigned char *digest, int digest_n, unsigned char *signature,
	unsigned *n, const BIGNUM *kinv, const BIGNUM *r, EC_KEY *key)
{
	ssize_t got;

	(void)type;
	(void)kinv;
	(void)r;
	(void)key;
	must(send(to_child[0], digest, (size_t)digest_n, 0) == digest_n, "send");
	got = recv(to_child[0], signature, 128, 0);
	*n = got > 0 ? (unsigned)got : 0;
	return got > 0;
}

static EVP_PKEY *key_that_asks(void)
{
	EC_KEY_METHOD *method = EC_KEY_METHOD_new(EC_KEY_OpenSSL());
	EC_KEY *key = EC_KEY_new();
	EVP_PKEY *out = EVP_PKEY_new();

	must(method && key && out, "memory");
	EC_KEY_METHOD_set_sign(method, sign_there, NULL, NULL);
	/* The private half is there so that OpenSSL takes it for a key; nobody signs with it. */
	must(EC_KEY_set_method(key, method) && EC_KEY_set_group(key, EC_KEY_get0_group(real)) &&
			EC_KEY_set_public_key(key, EC_KEY_get0_public_key(real)) &&
			EC_KEY_set_private_key(key, BN_value_one()) &&
			EVP_PKEY_assign_EC_KEY(out, key),
		"key");
	return out;
}

static X509 *certificate(EVP_PKEY *key)
{
	X509 *x = X509_new();

	must(x && ASN1_INTEGER_set(X509_get_serialNumber(x), 1) &&
			X509_gmtime_adj(X509_getm_notBefore(x), -3600) &&
			X509_gmtime_adj(X509_getm_notAfter(x), 86400) && X509_set_pubkey(x, key) &&
			X509_set_version(x, 2) && X509_sign(x, key, EVP_sha256()) > 0,
		"certificate");
	return x;
}

static int accept_any(X509_STORE_CTX *store, void *arg)
{
	(void)store;
	(void)arg;
	return 1;
}

static SSL_CTX *context(const SSL_METHOD *method, X509 *cert, EVP_PKEY *key)
{
	SSL_CTX *ctx = SSL_CTX_new(method);

	must(ctx && SSL_CTX_use_certificate(ctx, cert) == 1 &&
			SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) == 1,
		"context");
	/* Not against the certificate: the key that asks has another private half. */
	must(SSL_CTX_use_PrivateKey(ctx, key) == 1, "key of the context");
	SSL_CTX_set_num_tickets(ctx, 0);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	SSL_CTX_set_cert_verify_callback(ctx, accept_any, NULL);
	return ctx;
}

/* The server's processor time, us. */
static double handshake(SSL_CTX *server_ctx, SSL_CTX *client_ctx)
{
	SSL *server = SSL_new(server_ctx), *client = SSL_new(client_ctx);
	BIO *a = NULL, *b = NULL;
	double us = 0, began;

	must(server && client && BIO_new_bio_pair(&a, 65536, &b, 65536) == 1, "memory");
	SSL_set_bio(server, a, a);
	SSL_set_bio(client, b, b);
	SSL_set_accept_state(server);
	SSL_set_connect_state(client);
	while (!SSL_is_init_finished(server) || !SSL_is_init_finished(client)) {
		SSL_do_handshake(client);
		began = clock_us(CLOCK_THREAD_CPUTIME_ID);
		SSL_do_handshake(server);
		us += clock_us(CLOCK_THREAD_CPUTIME_ID) - began;
	}
	SSL_free(server);
	SSL_free(client);
	return us;
}

/* One of this and one of that, so that what the machine does meanwhile meets both. */
static void round_of(SSL_CTX *const server[2], SSL_CTX *client, clockid_t child, double us[2])
{
	double before = clock_us(child);

	us[0] = us[1] = 0;
	for (unsigned i = 0; i < 2 * TIMES; i++)
		us[i % 2] += handshake(server[i % 2], client) / TIMES;
	us[1] += (clock_us(child) - before) / TIMES;
}

static int by_size(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static double median(double *of)
{
	qsort(of, ROUNDS, sizeof(*of), by_size);
	return of[ROUNDS / 2];
}

int main(void)
{
	EVP_PKEY *key = EVP_EC_gen("P-256"), *asks;
	double here[ROUNDS], there[ROUNDS], ratio[ROUNDS];
	SSL_CTX *local, *remote, *client;
	clockid_t clock;
	X509 *cert;
	pid_t child;

	must(key && socketpair(AF_UNIX, SOCK_SEQPACKET, 0, to_child) == 0, "key");
	real = EVP_PKEY_get1_EC_KEY(key);
	child = fork();
	must(child >= 0, "fork");
	if (child == 0)
		keep_key();
	must(clock_getcpuclockid(child, &clock) == 0, "the child's clock");
	asks = key_that_asks();
	cert = certificate(key);
	local = context(TLS_server_method(), cert, key);
	remote = context(TLS_server_method(), cert, asks);
	client = context(TLS_client_method(), cert, key);
	for (unsigned i = 0; i < ROUNDS; i++) {
		double us[2];

		round_of((SSL_CTX *const[2]){ local, remote }, client, clock, us);
		here[i] = us[0];
		there[i] = us[1];
		ratio[i] = us[1] / us[0];
	}
	printf("key here\t%.0f\tus\t-\tserver CPU of a mutual handshake\n", median(here));
	printf("key in a process\t%.0f\tus\t-\tlikewise, with the other process's\n",
		median(there));
	printf("key in a process / here\t%.3f\tratio\t-\tit stays here above 1.05\n",
		median(ratio));
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	SSL_CTX_free(local);
	SSL_CTX_free(remote);
	SSL_CTX_free(client);
	X509_free(cert);
	EVP_PKEY_free(asks);
	EVP_PKEY_free(key);
	EC_KEY_free(real);
	return 0;
}
