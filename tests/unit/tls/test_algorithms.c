/* SPDX-License-Identifier: Apache-2.0 */
/* What a handshake needs, in the context whose algorithms are few. */
#include "check.h"
#include "tls/algorithms.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

static EVP_PKEY *new_key(const char *kind, const char *curve)
{
	EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_name(NULL, kind, NULL);
	EVP_PKEY *key = NULL;

	assert_int_equal(EVP_PKEY_keygen_init(c), 1);
	if (curve)
		assert_int_equal(EVP_PKEY_CTX_set_group_name(c, curve), 1);
	assert_int_equal(EVP_PKEY_generate(c, &key), 1);
	EVP_PKEY_CTX_free(c);
	return key;
}

/* A certificate of the key, signed by another, as it is read from a peer. */
static X509 *read_from_peer(EVP_PKEY *key, EVP_PKEY *by, const EVP_MD *digest)
{
	X509 *cert = X509_new(), *read = X509_new_ex(algorithms_libctx(), NULL);
	unsigned char *der = NULL;
	const unsigned char *p;
	int n;

	X509_gmtime_adj(X509_getm_notBefore(cert), 0);
	X509_gmtime_adj(X509_getm_notAfter(cert), 60);
	assert_int_equal(X509_set_pubkey(cert, key), 1);
	assert_true(X509_sign(cert, by, digest) > 0);
	n = i2d_X509(cert, &der);
	p = der;
	assert_true(n > 0 && d2i_X509(&read, &p, n));
	OPENSSL_free(der);
	X509_free(cert);
	return read;
}

static void assert_is_read(EVP_PKEY *key, const EVP_MD *digest)
{
	X509 *cert = read_from_peer(key, key, digest);

	assert_int_equal(EVP_PKEY_eq(X509_get0_pubkey(cert), key), 1);
	assert_int_equal(X509_verify(cert, X509_get0_pubkey(cert)), 1);
	X509_free(cert);
	EVP_PKEY_free(key);
}

static void every_kind_of_key_that_signs_in_tls_is_read(void **state)
{
	(void)state;
	assert_is_read(new_key("EC", "P-256"), EVP_sha256());
	assert_is_read(new_key("EC", "P-384"), EVP_sha384());
	assert_is_read(new_key("EC", "P-521"), EVP_sha512());
	assert_is_read(new_key("RSA", NULL), EVP_sha256());
	assert_is_read(new_key("RSA-PSS", NULL), EVP_sha256());
	assert_is_read(new_key("ED25519", NULL), NULL);
	assert_is_read(new_key("ED448", NULL), NULL);
}

/* Where the context is the default one, there is nothing left out. */
static void a_key_that_signs_nothing_is_not_read(void **state)
{
	EVP_PKEY *key = new_key("X25519", NULL), *by = new_key("EC", "P-256");
	X509 *cert = read_from_peer(key, by, EVP_sha256());

	(void)state;
	assert_int_equal(X509_get0_pubkey(cert) == NULL, algorithms_libctx() != NULL);
	ERR_clear_error();
	X509_free(cert);
	EVP_PKEY_free(by);
	EVP_PKEY_free(key);
}

static void the_cipher_of_each_suite_is_there_and_no_other(void **state)
{
	static const char *const of_suites[] = { "AES-128-GCM", "AES-256-GCM",
		"ChaCha20-Poly1305" };
	EVP_CIPHER *cipher;

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		cipher = EVP_CIPHER_fetch(algorithms_libctx(), of_suites[i], NULL);
		assert_non_null(cipher);
		EVP_CIPHER_free(cipher);
	}
	cipher = EVP_CIPHER_fetch(algorithms_libctx(), "CAMELLIA-128-CBC", NULL);
	assert_int_equal(cipher == NULL, algorithms_libctx() != NULL);
	EVP_CIPHER_free(cipher);
	ERR_clear_error();
}

static void it_is_the_same_context_each_time(void **state)
{
	(void)state;
	assert_ptr_equal(algorithms_libctx(), algorithms_libctx());
	assert_int_equal(ERR_peek_error(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_is_the_same_context_each_time),
		TEST(every_kind_of_key_that_signs_in_tls_is_read),
		TEST(the_cipher_of_each_suite_is_there_and_no_other),
		TEST(a_key_that_signs_nothing_is_not_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
