/* SPDX-License-Identifier: Apache-2.0 */
#include "pki/keykind.h"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <string.h>

static const char *const words[] = {
	[KEYKIND_P256] = "p256",
	[KEYKIND_P384] = "p384",
	[KEYKIND_ED25519] = "ed25519",
	[KEYKIND_RSA2048] = "rsa2048",
	[KEYKIND_RSA3072] = "rsa3072",
	[KEYKIND_RSA4096] = "rsa4096",
};

int keykind_read(const char *word, enum keykind *out, struct err *err)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(word, words[i]) != 0)
			continue;
		*out = (enum keykind)i;
		return 0;
	}
	return err_set(err, ERR_ARG,
		"key kind '%s': not p256, p384, ed25519, rsa2048, rsa3072 or "
		"rsa4096",
		word);
}

int keykind_new(enum keykind kind, EVP_PKEY **out, struct err *err)
{
	EVP_PKEY *key = NULL;

	switch (kind) {
	case KEYKIND_P256: key = EVP_EC_gen("P-256"); break;
	case KEYKIND_P384: key = EVP_EC_gen("P-384"); break;
	case KEYKIND_ED25519: key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"); break;
	case KEYKIND_RSA2048: key = EVP_RSA_gen(2048); break;
	case KEYKIND_RSA3072: key = EVP_RSA_gen(3072); break;
	case KEYKIND_RSA4096: key = EVP_RSA_gen(4096); break;
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

	if (id == EVP_PKEY_ED25519 || id == EVP_PKEY_ED448)
		return NULL;
	/* RFC 5758 section 3.2: a digest as strong as the curve. */
	return id == EVP_PKEY_EC && EVP_PKEY_get_bits(key) > 256 ? EVP_sha384() : EVP_sha256();
}

int keykind_of(const EVP_PKEY *key, const char **out, struct err *err)
{
	int id = EVP_PKEY_get_base_id(key), bits = EVP_PKEY_get_bits(key);
	char curve[32] = "";

	if (id == EVP_PKEY_EC)
		EVP_PKEY_get_group_name(key, curve, sizeof(curve), NULL);
	if (id == EVP_PKEY_ED25519)
		*out = words[KEYKIND_ED25519];
	else if (strcmp(curve, "prime256v1") == 0 || strcmp(curve, "P-256") == 0)
		*out = words[KEYKIND_P256];
	else if (strcmp(curve, "secp384r1") == 0 || strcmp(curve, "P-384") == 0)
		*out = words[KEYKIND_P384];
	else if (id == EVP_PKEY_RSA && bits >= 2048)
		*out = bits == 2048    ? words[KEYKIND_RSA2048]
			: bits == 3072 ? words[KEYKIND_RSA3072]
			: bits == 4096 ? words[KEYKIND_RSA4096]
				       : "rsa";
	else
		return err_set(err, ERR_ARG,
			"key: %d bits of a kind that is not certified: P-256, P-384, Ed25519, RSA "
			"from 2048 bits",
			bits);
	return 0;
}
