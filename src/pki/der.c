/* SPDX-License-Identifier: Apache-2.0 */
#include "pki/der.h"

#include "core/secret.h"
#include "pki/keykind.h"
#include "pki/pemfile.h"
#include "pki/wholefile.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <time.h>

static bool is_pem(struct span text)
{
	return text.n > 0 && memmem(text.p, text.n, "-----BEGIN ", 11) != NULL;
}

static int put(struct buf *out, unsigned char *octets, int n, const char *path, struct err *err)
{
	if (n > 0)
		buf_put(out, (struct span){ octets, (size_t)n });
	OPENSSL_free(octets);
	if (n <= 0 || !buf_ok(out))
		return err_set(err, ERR_NOMEM, "file '%s': out of memory", path);
	return 0;
}

static X509 *read_certificate(struct span text, BIO *bio)
{
	const unsigned char *p = text.p;
	X509 *cert;

	if (is_pem(text))
		return PEM_read_bio_X509(bio, NULL, NULL, NULL);
	cert = d2i_X509(NULL, &p, (long)text.n);
	if (cert && p == text.p + text.n)
		return cert;
	X509_free(cert);
	return NULL;
}

int der_of_certificate(const char *what, struct span octets, struct buf *out, struct err *err)
{
	OWNED(BIO) bio = BIO_new_mem_buf(octets.p, (int)octets.n);
	OWNED(X509) cert = bio ? read_certificate(octets, bio) : NULL;
	unsigned char *der = NULL;
	int n = cert ? i2d_X509(cert, &der) : 0;

	ERR_clear_error();
	return cert
		? put(out, der, n, what, err)
		: err_set(err, ERR_FORMAT, "certificate '%s': neither PEM nor DER of one", what);
}

int der_read_certificate(const char *path, struct buf *out, struct err *err)
{
	struct buf text = { .limit = WHOLEFILE_MAX };
	int rc = wholefile_read("certificate", path, &text, err);

	if (rc == 0)
		rc = der_of_certificate(path, buf_span(&text), out, err);
	buf_done(&text);
	return rc;
}

int der_read_life(const char *path, struct der_life *out, struct err *err)
{
	struct buf der = { 0 };
	OWNED(X509) cert = NULL;
	const unsigned char *p;
	struct tm from, until;
	int rc = der_read_certificate(path, &der, err);

	if (rc == 0) {
		p = der.p;
		cert = d2i_X509(NULL, &p, (long)der.n);
		if (!cert || ASN1_TIME_to_tm(X509_get0_notBefore(cert), &from) != 1 ||
			ASN1_TIME_to_tm(X509_get0_notAfter(cert), &until) != 1)
			rc = err_set(err, ERR_FORMAT, "certificate '%s': its life is no time",
				path);
	}
	if (rc == 0)
		*out = (struct der_life){ .from_s = timegm(&from),
			.until_s = timegm(&until),
			.self_signed = X509_verify(cert, X509_get0_pubkey(cert)) == 1 };
	ERR_clear_error();
	buf_done(&der);
	return rc;
}

static int no_passphrase(char *out, int cap, int writing, void *arg)
{
	(void)out;
	(void)cap;
	(void)writing;
	(void)arg;
	return -1;
}

static EVP_PKEY *read_key(const struct buf *text)
{
	const unsigned char *p = text->p;
	OWNED(BIO) bio = BIO_new_mem_buf(text->p, (int)text->n);
	EVP_PKEY *key;

	if (!bio)
		return NULL;
	if (is_pem(buf_span(text))) {
		key = PEM_read_bio_PUBKEY(bio, NULL, no_passphrase, NULL);
		if (key || BIO_reset(bio) != 1)
			return key;
		return PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
	}
	key = d2i_PUBKEY(NULL, &p, (long)text->n);
	if (key && p == text->p + text->n)
		return key;
	EVP_PKEY_free(key);
	return NULL;
}

int der_put_key(EVP_PKEY *key, struct buf *out, struct err *err)
{
	unsigned char *spki = NULL;
	int n = i2d_PUBKEY(key, &spki);

	return put(out, spki, n, "key", err);
}

int der_of_public_key(struct span octets, struct buf *out, struct err *err)
{
	const unsigned char *p = octets.p;
	OWNED(BIO) bio = BIO_new_mem_buf(octets.p, (int)octets.n);
	OWNED(EVP_PKEY) key = NULL;
	const char *kind;
	int rc;

	if (bio)
		key = is_pem(octets) ? PEM_read_bio_PUBKEY(bio, NULL, no_passphrase, NULL)
				     : d2i_PUBKEY(NULL, &p, (long)octets.n);
	ERR_clear_error();
	if (!key || (!is_pem(octets) && p != octets.p + octets.n))
		return err_set(err, ERR_FORMAT, "not a public key: neither PEM nor DER of one");
	rc = keykind_of(key, &kind, err);
	return rc == 0 ? der_put_key(key, out, err) : rc;
}

int der_read_key(const char *path, struct buf *out, struct err *err)
{
	struct buf text = { .limit = WHOLEFILE_MAX };
	OWNED(EVP_PKEY) key = NULL;
	unsigned char *octets = NULL;
	int n;
	int rc = wholefile_read("key", path, &text, err);

	if (rc == 0) {
		key = read_key(&text);
		ERR_clear_error();
		n = key ? i2d_PUBKEY(key, &octets) : 0;
		rc = key ? put(out, octets, n, path, err)
			 : err_set(err, ERR_FORMAT, "key '%s': neither PEM nor DER of one", path);
	}
	if (text.p)
		secret_wipe_octets(text.p, text.cap);
	buf_done(&text);
	return rc;
}

bool der_is_authority(struct span der)
{
	const unsigned char *p = der.p;
	OWNED(X509) cert = d2i_X509(NULL, &p, (long)der.n);
	bool yes = cert && X509_check_ca(cert) == 1;

	ERR_clear_error();
	return yes;
}
