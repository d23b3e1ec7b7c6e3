/* SPDX-License-Identifier: Apache-2.0 */
#include "tls/context.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>

#include "core/own.h"
#include "pki/token.h"

OWNED_TYPE(SSL_CTX, SSL_CTX_free)
OWNED_TYPE(BIO, BIO_free_all)
OWNED_TYPE(EVP_PKEY, EVP_PKEY_free)

/* A peer's chain may not be longer than this, in octets and in certificates. */
#define CHAIN_OCTETS_MAX (32 * 1024)
#define CHAIN_DEPTH_MAX  8

void context_openssl_words(char *out, size_t cap)
{
	unsigned long code = ERR_peek_last_error();
	const char *reason = code ? ERR_reason_error_string(code) : NULL;

	snprintf(out, cap, "%s", reason ? reason : "");
	ERR_clear_error();
}

int context_new(OSSL_LIB_CTX *libctx, const SSL_METHOD *method, SSL_CTX **out, struct err *err)
{
	OWNED(SSL_CTX) ctx = SSL_CTX_new_ex(libctx, NULL, method);

	if (!ctx)
		return err_set(err, ERR_NOMEM, "TLS: OpenSSL gives no context");
	SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
	SSL_CTX_set_mode(ctx,
		SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
			SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_security_level(ctx, 2);
	SSL_CTX_set_max_cert_list(ctx, CHAIN_OCTETS_MAX);
	SSL_CTX_set_verify_depth(ctx, CHAIN_DEPTH_MAX);
	/* X25519 costs both ends less than P-256, which stays for devices. */
	if (SSL_CTX_set1_groups_list(ctx, "X25519:P-256") != 1 ||
		SSL_CTX_set_ciphersuites(ctx,
			"TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:"
			"TLS_CHACHA20_POLY1305_SHA256") != 1)
		return err_set(err, ERR_CRYPTO, "TLS: OpenSSL knows no X25519 or AES-GCM");
	*out = TAKE(ctx);
	return 0;
}

static void close_token(void *parent, void *token, CRYPTO_EX_DATA *ad, int index, long argl,
	void *argp)
{
	(void)parent;
	(void)ad;
	(void)index;
	(void)argl;
	(void)argp;
	token_close(token);
}

/* The token stays open as long as the context that signs with its key. */
static int load_token(SSL_CTX *ctx, const char *uri, struct err *err)
{
	static int index = -1;
	struct token *token;
	char words[120];
	int rc = token_open(uri, NULL, &token, err);

	if (rc != 0)
		return err_wrap(err, rc, "tls_key");
	if (index < 0)
		index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, close_token);
	if (index < 0 || SSL_CTX_set_ex_data(ctx, index, token) != 1) {
		token_close(token);
		return err_set(err, ERR_NOMEM, "tls_key: no memory");
	}
	if (SSL_CTX_use_PrivateKey(ctx, token_key(token)) == 1)
		return 0;
	context_openssl_words(words, sizeof words);
	return err_set(err, ERR_FORMAT, "tls_key: not the key of the certificate: %s", words);
}

static int load_key(SSL_CTX *ctx, const char *key, struct err *err)
{
	char words[120];

	if (token_is_uri(key))
		return load_token(ctx, key, err);
	/* In the default context, whatever that of ctx is (tls/algorithms.h). */
	OWNED(BIO) file = BIO_new_file(key, "r");
	OWNED(EVP_PKEY) pkey = file ? PEM_read_bio_PrivateKey(file, NULL, NULL, NULL) : NULL;
	if (pkey && SSL_CTX_use_PrivateKey(ctx, pkey) == 1)
		return 0;
	context_openssl_words(words, sizeof words);
	return err_set(err, ERR_FORMAT, "tls_key '%s': %s", key, words);
}

int context_load_own(SSL_CTX *ctx, const char *cert, const char *key, struct err *err)
{
	char words[120];
	int rc;

	if (!cert && !key)
		return 0;
	if (!cert || !key)
		return err_set(err, ERR_ARG, "tls_cert and tls_key: one without the other");
	ERR_clear_error();
	if (SSL_CTX_use_certificate_chain_file(ctx, cert) != 1) {
		context_openssl_words(words, sizeof words);
		return err_set(err, ERR_FORMAT, "tls_cert '%s': %s", cert, words);
	}
	rc = load_key(ctx, key, err);
	if (rc != 0)
		return rc;
	if (SSL_CTX_check_private_key(ctx) != 1) {
		ERR_clear_error();
		return err_set(err, ERR_FORMAT, "tls_key '%s': not the key of '%s'", key, cert);
	}
	return 0;
}

int context_share(SSL_CTX *from, SSL_CTX *to, struct err *err)
{
	X509 *cert = SSL_CTX_get0_certificate(from);
	EVP_PKEY *key = SSL_CTX_get0_privatekey(from);
	STACK_OF(X509) *chain = NULL;

	ERR_clear_error();
	SSL_CTX_get0_chain_certs(from, &chain);
	if (cert && key && SSL_CTX_use_cert_and_key(to, cert, key, chain, 1) != 1) {
		ERR_clear_error();
		return err_set(err, ERR_CRYPTO, "TLS: our certificate cannot be used here");
	}
	SSL_CTX_set1_cert_store(to, SSL_CTX_get_cert_store(from));
	return 0;
}

int context_load_ca(SSL_CTX *ctx, const char *ca, struct err *err)
{
	char words[120];

	if (!ca)
		return 0;
	ERR_clear_error();
	if (SSL_CTX_load_verify_file(ctx, ca) != 1) {
		context_openssl_words(words, sizeof words);
		return err_set(err, ERR_FORMAT, "ca_cert '%s': %s", ca, words);
	}
	return 0;
}
