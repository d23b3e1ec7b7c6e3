/* SPDX-License-Identifier: Apache-2.0 */
/* A certificate that is known is not read again, by libssl either: bin/proxy/d2i.c is linked in. */
#include "certs.h"
#include "check.h"
#include "tls/leaf.h"

#include <openssl/ssl.h>
#include <string.h>

struct octets {
	unsigned char *p;
	int n;
};

static struct octets write_der(X509 *cert)
{
	struct octets der = { .p = NULL };

	der.n = i2d_X509(cert, &der.p);
	assert_true(der.n > 0);
	return der;
}

static struct span span_of(const struct octets *der)
{
	return (struct span){ der->p, (size_t)der->n };
}

/* As once its peer is authenticated. */
static void keep(struct leaf_table *t, X509 *cert)
{
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();

	assert_int_equal(X509_STORE_CTX_init(ctx, NULL, cert, NULL), 1);
	leaf_keep(t, ctx);
	X509_STORE_CTX_free(ctx);
}

static void what_is_kept_is_found_by_all_its_octets(void **state)
{
	static struct leaf_table t;
	struct certs_leaf leaf = certs_make(&(struct certs_wish){ 0 });
	struct octets der = write_der(leaf.cert);
	X509 *found;

	(void)state;
	leaf_use(&t);
	assert_null(leaf_read(span_of(&der)));
	keep(&t, leaf.cert);
	found = leaf_read(span_of(&der));
	assert_ptr_equal(found, leaf.cert);
	X509_free(found);
	for (int i = 0; i < der.n; i++) {
		der.p[i] ^= 1;
		assert_null(leaf_read(span_of(&der)));
		der.p[i] ^= 1;
		assert_null(leaf_read((struct span){ der.p, (size_t)i }));
	}
	leaf_use(NULL);
	assert_null(leaf_read(span_of(&der)));
	OPENSSL_free(der.p);
	certs_drop(&leaf);
	leaf_done(&t);
}

/* The rest of a record may follow in memory. */
static void a_longer_one_is_another(void **state)
{
	static struct leaf_table t;
	struct certs_leaf leaf = certs_make(&(struct certs_wish){ 0 });
	struct octets der = write_der(leaf.cert);
	uint8_t longer[LEAF_OCTETS_MAX];

	(void)state;
	keep(&t, leaf.cert);
	memcpy(longer, der.p, (size_t)der.n);
	leaf_use(&t);
	for (int i = 1; i < 8; i++) {
		memset(longer + der.n, der.p[der.n - 5], (size_t)i);
		assert_null(leaf_read((struct span){ longer, (size_t)(der.n + i) }));
	}
	leaf_use(NULL);
	OPENSSL_free(der.p);
	certs_drop(&leaf);
	leaf_done(&t);
}

static void one_that_is_too_long_is_not_written_down(void **state)
{
	static struct leaf_table t;
	struct buf san = { 0 };
	struct certs_leaf leaf;
	struct octets der;

	(void)state;
	for (size_t i = 0; san.n <= LEAF_OCTETS_MAX; i++)
		buf_printf(&san, "%sDNS:n%zu.example", i ? "," : "", i);
	leaf = certs_make(&(struct certs_wish){ .san = buf_string(&san) });
	buf_done(&san);
	der = write_der(leaf.cert);
	assert_true(der.n > LEAF_OCTETS_MAX);
	keep(&t, leaf.cert);
	leaf_use(&t);
	assert_null(leaf_read(span_of(&der)));
	leaf_use(NULL);
	OPENSSL_free(der.p);
	certs_drop(&leaf);
	leaf_done(&t);
}

static SSL *new_end(const struct certs_leaf *leaf, const SSL_METHOD *method)
{
	SSL_CTX *ctx = SSL_CTX_new(method);
	SSL *ssl;

	assert_int_equal(SSL_CTX_use_certificate(ctx, leaf->cert), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(ctx, leaf->key), 1);
	ssl = SSL_new(ctx);
	SSL_CTX_free(ctx);
	return ssl;
}

static int anybody(int ok, X509_STORE_CTX *ctx)
{
	(void)ok, (void)ctx;
	return 1;
}

/* What libssl holds at the end of a handshake in which leaf is shown. */
static X509 *shown_to_libssl(const struct certs_leaf *leaf, struct leaf_table *t)
{
	SSL *server = new_end(leaf, TLS_server_method()),
	    *client = new_end(leaf, TLS_client_method());
	BIO *a, *b;
	X509 *seen;

	assert_int_equal(BIO_new_bio_pair(&a, 0, &b, 0), 1);
	SSL_set_bio(server, a, a);
	SSL_set_bio(client, b, b);
	SSL_set_verify(server, SSL_VERIFY_PEER, anybody);
	SSL_set_accept_state(server);
	SSL_set_connect_state(client);
	for (int i = 0; i < 8 && !SSL_is_init_finished(server); i++) {
		SSL_do_handshake(client);
		leaf_use(t);
		SSL_do_handshake(server);
		leaf_use(NULL);
	}
	seen = SSL_get1_peer_certificate(server);
	assert_non_null(seen);
	SSL_free(client);
	SSL_free(server);
	return seen;
}

static void libssl_takes_the_one_that_is_known(void **state)
{
	static struct leaf_table t;
	struct certs_leaf leaf = certs_make(&(struct certs_wish){ 0 }),
			  other = certs_make(&(struct certs_wish){ 0 });
	X509 *first, *again, *stranger;

	(void)state;
	first = shown_to_libssl(&leaf, &t);
	keep(&t, first);
	again = shown_to_libssl(&leaf, &t);
	stranger = shown_to_libssl(&other, &t);
	assert_ptr_equal(again, first);
	assert_ptr_not_equal(stranger, first);
	assert_int_equal(X509_cmp(stranger, other.cert), 0);
	X509_free(first);
	X509_free(again);
	X509_free(stranger);
	certs_drop(&leaf);
	certs_drop(&other);
	leaf_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_kept_is_found_by_all_its_octets),
		TEST(a_longer_one_is_another),
		TEST(one_that_is_too_long_is_not_written_down),
		TEST(libssl_takes_the_one_that_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
