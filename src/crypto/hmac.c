/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/hmac.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

static const struct {
	const char *name;
	size_t octets;
} digests[] = {
	[HMAC_SHA256] = { "SHA256", 32 },
	[HMAC_SHA384] = { "SHA384", 48 },
	[HMAC_SHA512] = { "SHA512", 64 },
};

size_t hmac_octets(enum hmac_digest digest)
{
	return digests[digest].octets;
}

static bool compute(EVP_MAC_CTX *ctx, enum hmac_digest digest, struct span key,
	const struct span *parts, size_t count, uint8_t *out)
{
	const OSSL_PARAM settings[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST,
			(char *)digests[digest].name, 0),
		OSSL_PARAM_construct_end(),
	};
	size_t n = 0;

	if (EVP_MAC_init(ctx, key.p, key.n, settings) != 1)
		return false;
	for (size_t i = 0; i < count; i++)
		if (parts[i].n && EVP_MAC_update(ctx, parts[i].p, parts[i].n) != 1)
			return false;
	return EVP_MAC_final(ctx, out, &n, digests[digest].octets) == 1;
}

int hmac_write(enum hmac_digest digest, struct span key, const struct span *parts, size_t count,
	uint8_t *out, struct err *err)
{
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	EVP_MAC_CTX *ctx = mac ? EVP_MAC_CTX_new(mac) : NULL;
	bool ok = ctx && compute(ctx, digest, key, parts, count, out);

	EVP_MAC_CTX_free(ctx);
	EVP_MAC_free(mac);
	return ok ? 0 : err_set(err, ERR_CRYPTO, "HMAC: OpenSSL refused");
}
