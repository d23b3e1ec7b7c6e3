/* SPDX-License-Identifier: Apache-2.0 */
#include "certs.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MUST(x)                                                                 \
	do {                                                                    \
		if (!(x)) {                                                     \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #x); \
			abort();                                                \
		}                                                               \
	} while (0)

static void add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;

	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	MUST(e);
	MUST(X509_add_ext(cert, e, -1) == 1);
	X509_EXTENSION_free(e);
}

static EVP_PKEY *key_of(const struct certs_wish *wish)
{
	if (wish->key) {
		EVP_PKEY_up_ref(wish->key);
		return wish->key;
	}
	return wish->rsa_bits ? EVP_RSA_gen((unsigned)wish->rsa_bits) : EVP_EC_gen("P-256");
}

struct certs_leaf certs_make(const struct certs_wish *wish)
{
	static long serial = 1;
	struct certs_leaf leaf = { X509_new(), key_of(wish) };
	const struct certs_leaf *by = wish->issuer ? wish->issuer : &leaf;
	long start = wish->expired ? -365 * 86400L : -3600;

	MUST(leaf.cert && leaf.key);
	MUST(X509_set_version(leaf.cert, 2));
	MUST(ASN1_INTEGER_set(X509_get_serialNumber(leaf.cert), serial++));
	MUST(X509_gmtime_adj(X509_getm_notBefore(leaf.cert), start));
	MUST(X509_gmtime_adj(X509_getm_notAfter(leaf.cert), start + 7 * 86400L));
	MUST(X509_set_pubkey(leaf.cert, leaf.key));
	MUST(X509_NAME_add_entry_by_txt(X509_get_subject_name(leaf.cert), "CN", MBSTRING_ASC,
		(const unsigned char *)(wish->cn ? wish->cn : "test"), -1, -1, 0));
	MUST(X509_set_issuer_name(leaf.cert, X509_get_subject_name(by->cert)));
	add_extension(leaf.cert, by->cert, NID_basic_constraints,
		wish->authority ? "critical,CA:TRUE" : "CA:FALSE");
	add_extension(leaf.cert, by->cert, NID_subject_key_identifier, "hash");
	if (wish->authority)
		add_extension(leaf.cert, by->cert, NID_key_usage, "critical,keyCertSign");
	else
		add_extension(leaf.cert, by->cert, NID_ext_key_usage,
			wish->usage ? wish->usage : "serverAuth,clientAuth");
	if (wish->san)
		add_extension(leaf.cert, by->cert, NID_subject_alt_name, wish->san);
	MUST(X509_sign(leaf.cert, by->key, EVP_sha256()) > 0);
	return leaf;
}

void certs_drop(struct certs_leaf *leaf)
{
	X509_free(leaf->cert);
	EVP_PKEY_free(leaf->key);
	memset(leaf, 0, sizeof *leaf);
}

void certs_write(const char *folder, const char *name, const struct certs_leaf *leaf,
	const struct certs_leaf *const *others)
{
	char path[512];

	snprintf(path, sizeof path, "%s/%s.pem", folder, name);
	FILE *f = fopen(path, "w");
	MUST(f && PEM_write_X509(f, leaf->cert));
	for (; others && *others; others++)
		MUST(PEM_write_X509(f, (*others)->cert));
	MUST(fclose(f) == 0);
	snprintf(path, sizeof path, "%s/%s-key.pem", folder, name);
	f = fopen(path, "w");
	MUST(f && PEM_write_PrivateKey(f, leaf->key, NULL, NULL, 0, NULL, NULL));
	MUST(fclose(f) == 0);
}

void certs_tlsa(const struct certs_leaf *leaf, int usage, int selector, int matching, char *out,
	size_t cap)
{
	unsigned char *der = NULL, digest[EVP_MAX_MD_SIZE];
	unsigned n = sizeof digest;
	int length = selector ? i2d_X509_PUBKEY(X509_get_X509_PUBKEY(leaf->cert), &der)
			      : i2d_X509(leaf->cert, &der);
	const unsigned char *data = matching ? digest : der;

	MUST(length > 0);
	if (matching)
		MUST(EVP_Digest(der, (size_t)length, digest, &n,
			matching == 1 ? EVP_sha256() : EVP_sha512(), NULL));
	else
		n = (unsigned)length;
	int at = snprintf(out, cap, "%d %d %d ", usage, selector, matching);
	MUST((size_t)at + 2 * n < cap);
	for (unsigned i = 0; i < n; i++)
		at += snprintf(out + at, cap - (size_t)at, "%02x", data[i]);
	OPENSSL_free(der);
}

size_t certs_pem(const struct certs_leaf *const *chain, char *out, size_t cap)
{
	BIO *bio = BIO_new(BIO_s_mem());

	MUST(bio);
	for (; *chain; chain++)
		MUST(PEM_write_bio_X509(bio, (*chain)->cert));
	int n = BIO_read(bio, out, (int)cap);
	MUST(n > 0 && (size_t)n < cap);
	BIO_free(bio);
	return (size_t)n;
}
