/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/keywrap.h"
#include "core/own.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <string.h>

OWNED_TYPE(EVP_CIPHER_CTX, EVP_CIPHER_CTX_free)
OWNED_TYPE(EVP_CIPHER, EVP_CIPHER_free)

static const char *cipher_name(const struct secret *kek)
{
	switch (kek->n) {
	case 16: return "AES-128-WRAP";
	case 24: return "AES-192-WRAP";
	case 32: return "AES-256-WRAP";
	default: return NULL;
	}
}

/* A context of the KEK's size, keyed for one direction. */
static int open_context(const struct secret *kek, int wrap, EVP_CIPHER_CTX **out, struct err *err)
{
	const char *name = cipher_name(kek);
	OWNED(EVP_CIPHER) cipher = NULL;
	OWNED(EVP_CIPHER_CTX) ctx = NULL;

	if (!name)
		return err_set(err, ERR_ARG, "KEK: %u octets, not 16, 24 or 32", kek->n);
	ctx = EVP_CIPHER_CTX_new();
	if (!ctx)
		return err_set(err, ERR_NOMEM, "key wrap: out of memory");
	cipher = EVP_CIPHER_fetch(NULL, name, NULL);
	if (!cipher)
		return err_set(err, ERR_CRYPTO, "key wrap: the crypto library has no %s", name);
	EVP_CIPHER_CTX_set_flags(ctx, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
	if (EVP_CipherInit_ex2(ctx, cipher, kek->octets, NULL, wrap, NULL) != 1)
		return err_set(err, ERR_CRYPTO, "key wrap: the crypto library refuses the KEK");
	*out = TAKE(ctx);
	return 0;
}

int keywrap_wrap(const struct secret *kek, const uint8_t key[KEYWRAP_KEY_OCTETS],
	uint8_t out[KEYWRAP_WRAPPED_OCTETS], struct err *err)
{
	OWNED(EVP_CIPHER_CTX) ctx = NULL;
	uint8_t wrapped[KEYWRAP_WRAPPED_OCTETS + EVP_MAX_BLOCK_LENGTH];
	int n = 0;
	int rc = open_context(kek, 1, &ctx, err);

	if (rc)
		return rc;
	if (EVP_CipherUpdate(ctx, wrapped, &n, key, KEYWRAP_KEY_OCTETS) != 1 ||
		n != KEYWRAP_WRAPPED_OCTETS) {
		ERR_clear_error();
		return err_set(err, ERR_CRYPTO, "key wrap: failed");
	}
	memcpy(out, wrapped, KEYWRAP_WRAPPED_OCTETS);
	return 0;
}

int keywrap_unwrap(const struct secret *kek, const uint8_t wrapped[KEYWRAP_WRAPPED_OCTETS],
	uint8_t out[KEYWRAP_KEY_OCTETS], bool *intact, struct err *err)
{
	OWNED(EVP_CIPHER_CTX) ctx = NULL;
	uint8_t key[KEYWRAP_WRAPPED_OCTETS + EVP_MAX_BLOCK_LENGTH];
	int n = 0;
	int rc = open_context(kek, 0, &ctx, err);

	if (rc)
		return rc;
	/* RFC 3394 section 2.2.3: the integrity check fails when the initial value is another. */
	*intact = EVP_CipherUpdate(ctx, key, &n, wrapped, KEYWRAP_WRAPPED_OCTETS) == 1 &&
		n == KEYWRAP_KEY_OCTETS;
	if (*intact)
		memcpy(out, key, KEYWRAP_KEY_OCTETS);
	else
		ERR_clear_error();
	secret_wipe_octets(key, sizeof(key));
	return 0;
}
