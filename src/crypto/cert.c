/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/cert.h"

#include <openssl/x509.h>

#include "core/own.h"

OWNED_TYPE(X509, X509_free)
OWNED_TYPE(EVP_PKEY, EVP_PKEY_free)

int cert_read_spki(struct span der, uint8_t *out, size_t cap, size_t *n, struct err *err)
{
	const unsigned char *p = der.p;
	OWNED(X509) cert = d2i_X509(NULL, &p, (long)der.n);

	if (!cert || p != der.p + der.n)
		return err_set(err, ERR_FORMAT, "certificate: not DER of one certificate");
	X509_PUBKEY *key = X509_get_X509_PUBKEY(cert);
	int need = i2d_X509_PUBKEY(key, NULL);
	if (need <= 0)
		return err_set(err, ERR_NOMEM, "certificate: cannot write its key");
	if ((size_t)need > cap)
		return err_set(err, ERR_SPACE, "certificate: its key has %d octets", need);
	unsigned char *to = out;
	*n = (size_t)i2d_X509_PUBKEY(key, &to);
	return 0;
}

int cert_check_spki(struct span der, struct err *err)
{
	const unsigned char *p = der.p;
	OWNED(EVP_PKEY) key = d2i_PUBKEY(NULL, &p, (long)der.n);

	if (!key || p != der.p + der.n)
		return err_set(err, ERR_FORMAT, "public key: not DER of one SubjectPublicKeyInfo");
	return 0;
}
