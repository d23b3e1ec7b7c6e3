/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/aes.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>

/* Two schedules: a join-accept needs the inverse cipher, all else the forward one. */
struct aes {
	EVP_CIPHER_CTX *forward;
	EVP_CIPHER_CTX *inverse;
};

/*
 * One block through a context that is already keyed: it cannot fail for anything a peer sends.
 * If OpenSSL refuses all the same, a MIC or a key of unknown octets must not leave this process.
 */
static void one_block(EVP_CIPHER_CTX *ctx, const uint8_t in[BLOCK_OCTETS],
	uint8_t out[BLOCK_OCTETS])
{
	int n = 0;

	if (EVP_CipherUpdate(ctx, out, &n, in, BLOCK_OCTETS) != 1 || n != BLOCK_OCTETS)
		abort();
}

static void forward(void *key, const uint8_t in[BLOCK_OCTETS], uint8_t out[BLOCK_OCTETS])
{
	one_block(((struct aes *)key)->forward, in, out);
}

static void inverse(void *key, const uint8_t in[BLOCK_OCTETS], uint8_t out[BLOCK_OCTETS])
{
	one_block(((struct aes *)key)->inverse, in, out);
}

static int set_up(struct aes *a, const uint8_t key[16])
{
	EVP_CIPHER *ecb = EVP_CIPHER_fetch(NULL, "AES-128-ECB", NULL);
	int ok = ecb && EVP_CipherInit_ex2(a->forward, ecb, key, NULL, 1, NULL) == 1 &&
		EVP_CipherInit_ex2(a->inverse, ecb, key, NULL, 0, NULL) == 1;

	EVP_CIPHER_free(ecb);
	/* Padding would hold every block back until the next. */
	return ok && EVP_CIPHER_CTX_set_padding(a->forward, 0) == 1 &&
		EVP_CIPHER_CTX_set_padding(a->inverse, 0) == 1;
}

int aes_new(const uint8_t key[16], struct aes **out, struct err *err)
{
	struct aes *a = calloc(1, sizeof(*a));

	if (!a)
		return err_set(err, ERR_NOMEM, "AES: out of memory");
	a->forward = EVP_CIPHER_CTX_new();
	a->inverse = EVP_CIPHER_CTX_new();
	if (!a->forward || !a->inverse) {
		aes_free(a);
		return err_set(err, ERR_NOMEM, "AES: out of memory");
	}
	if (!set_up(a, key)) {
		aes_free(a);
		return err_set(err, ERR_CRYPTO, "AES: the crypto library has no AES-128-ECB");
	}
	*out = a;
	return 0;
}

int aes_rekey(struct aes *a, const uint8_t key[16], struct err *err)
{
	if (EVP_CipherInit_ex2(a->forward, NULL, key, NULL, 1, NULL) != 1 ||
		EVP_CipherInit_ex2(a->inverse, NULL, key, NULL, 0, NULL) != 1)
		return err_set(err, ERR_CRYPTO, "AES: the crypto library refuses the key");
	return 0;
}

void aes_free(struct aes *a)
{
	if (!a)
		return;
	EVP_CIPHER_CTX_free(a->forward);
	EVP_CIPHER_CTX_free(a->inverse);
	free(a);
}

struct block aes_block(struct aes *a)
{
	return (struct block){ .encrypt = forward, .decrypt = inverse, .key = a };
}
