/* SPDX-License-Identifier: Apache-2.0 */
#include "pki/keykind.h"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <string.h>

static const char *const words[] = {
	[KEYKIND_P256] = "p256",
	[KEYKIND_ED25519] = "ed25519",
	[KEYKIND_RSA2048] = "rsa2048",
	[KEYKIND_RSA3072] = "rsa3072",
};

int keykind_read(const char *word, enum keykind *out, struct err *err)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(word, words[i]) != 0)
			continue;
		*out = (enum keykind)i;
		return 0;
	}
	return err_set(err, ERR_ARG, "key kind '%s': not p256, ed25519, rsa2048 or rsa3072", word);
}

int keykind_new(enum keykind kind, EVP_PKEY **out, struct err *err)
{
	EVP_PKEY *key = NULL;

	switch (kind) {
	case KEYKIND_P256: key = EVP_EC_gen("P-256"); break;
	case KEYKIND_ED25519: key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"); break;
	case KEYKIND_RSA2048: key = EVP_RSA_gen(2048); break;
	case KEYKIND_RSA3072: key = EVP_RSA_gen(3072); break;
	}
	if (!key) {
		ERR_clear_error();
		return err_set(err, ERR_CRYPTO, "key: cannot make a %s key", words[kind]);
	}
	*out = key;
	return 0;
}

const EVP_MD *keykind_digest(const EVP_PKEY *key)
{
	int id = EVP_PKEY_get_base_id(key);

	return id == EVP_PKEY_ED25519 || id == EVP_PKEY_ED448 ? NULL : EVP_sha256();
}
