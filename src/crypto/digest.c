/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/digest.h"

#include <openssl/evp.h>

int digest_sha256(struct span octets, uint8_t out[32], struct err *err)
{
	if (EVP_Digest(octets.p, octets.n, out, NULL, EVP_sha256(), NULL) != 1)
		return err_set(err, ERR_CRYPTO, "SHA-256: OpenSSL refused");
	return 0;
}

int digest_sha512(struct span octets, uint8_t out[64], struct err *err)
{
	if (EVP_Digest(octets.p, octets.n, out, NULL, EVP_sha512(), NULL) != 1)
		return err_set(err, ERR_CRYPTO, "SHA-512: OpenSSL refused");
	return 0;
}
