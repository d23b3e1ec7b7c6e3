/* SPDX-License-Identifier: Apache-2.0 */
#include "pki/crl.h"

#include "pki/keykind.h"
#include "pki/pemfile.h"
#include "pki/reason.h"
#include "pki/wholefile.h"

#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

OWNED_TYPE(BIGNUM, BN_free)
OWNED_TYPE(ASN1_INTEGER, ASN1_INTEGER_free)
OWNED_TYPE(ASN1_TIME, ASN1_TIME_free)
OWNED_TYPE(ASN1_ENUMERATED, ASN1_ENUMERATED_free)
OWNED_TYPE(X509_REVOKED, X509_REVOKED_free)
OWNED_TYPE(X509_CRL, X509_CRL_free)

/* Of a list that is read: a million entries and more. */
#define LIST_MAX (64 << 20)

struct crl {
	X509_CRL *list;
};

static int fail(struct err *err, const char *step)
{
	return err_set(err, ERR_CRYPTO, "CRL: %s: %s", step, reason_take());
}

int crl_new(struct crl **out, struct err *err)
{
	struct crl *crl = calloc(1, sizeof(*crl));

	if (crl)
		crl->list = X509_CRL_new();
	if (!crl || !crl->list || X509_CRL_set_version(crl->list, X509_CRL_VERSION_2) != 1) {
		crl_free(crl);
		return err_set(err, ERR_NOMEM, "CRL: out of memory");
	}
	*out = crl;
	return 0;
}

void crl_free(struct crl *crl)
{
	if (!crl)
		return;
	X509_CRL_free(crl->list);
	free(crl);
}

static int set_reason(X509_REVOKED *entry, int reason)
{
	OWNED(ASN1_ENUMERATED) value = ASN1_ENUMERATED_new();

	if (reason == 0)
		return 1;
	return value && ASN1_ENUMERATED_set(value, reason) == 1 &&
		X509_REVOKED_add1_ext_i2d(entry, NID_crl_reason, value, 0, 0) == 1;
}

int crl_add(struct crl *crl, const char *serial, int64_t revoked_at, int reason, struct err *err)
{
	OWNED(X509_REVOKED) entry = X509_REVOKED_new();
	OWNED(ASN1_TIME) at = ASN1_TIME_set(NULL, (time_t)revoked_at);
	OWNED(ASN1_INTEGER) number = NULL;
	OWNED(BIGNUM) n = NULL;
	BIGNUM *read = NULL;

	if (BN_hex2bn(&read, serial) == 0)
		return fail(err, "serial");
	n = read;
	number = BN_to_ASN1_INTEGER(n, NULL);
	if (!entry || !at || !number || X509_REVOKED_set_serialNumber(entry, number) != 1 ||
		X509_REVOKED_set_revocationDate(entry, at) != 1 || !set_reason(entry, reason) ||
		X509_CRL_add0_revoked(crl->list, entry) != 1)
		return fail(err, "entry");
	(void)TAKE(entry);
	return 0;
}

static int set_times(X509_CRL *list, int64_t this_update, int64_t next_update)
{
	OWNED(ASN1_TIME) from = ASN1_TIME_set(NULL, (time_t)this_update);
	OWNED(ASN1_TIME) until = ASN1_TIME_set(NULL, (time_t)next_update);

	return from && until && X509_CRL_set1_lastUpdate(list, from) == 1 &&
		X509_CRL_set1_nextUpdate(list, until) == 1;
}

/* RFC 5280 sections 5.2.1 and 5.2.3. */
static int set_extensions(X509_CRL *list, X509 *issuer, uint64_t number)
{
	OWNED(ASN1_INTEGER) value = ASN1_INTEGER_new();
	X509_EXTENSION *keyid;
	X509V3_CTX ctx;
	int good;

	X509V3_set_ctx(&ctx, issuer, NULL, NULL, list, 0);
	keyid = X509V3_EXT_conf_nid(NULL, &ctx, NID_authority_key_identifier, "keyid:always");
	good = keyid && X509_CRL_add_ext(list, keyid, -1) == 1 && value &&
		ASN1_INTEGER_set_uint64(value, number) == 1 &&
		X509_CRL_add1_ext_i2d(list, NID_crl_number, value, 0, 0) == 1;
	X509_EXTENSION_free(keyid);
	return good;
}

int crl_write(struct crl *crl, X509 *issuer, EVP_PKEY *key, uint64_t number, int64_t this_update,
	int64_t next_update, struct buf *out, struct err *err)
{
	OWNED(BIO) bio = BIO_new(BIO_s_mem());
	char *p;
	long n;

	if (!bio || X509_CRL_set_issuer_name(crl->list, X509_get_subject_name(issuer)) != 1 ||
		!set_times(crl->list, this_update, next_update) ||
		!set_extensions(crl->list, issuer, number) || X509_CRL_sort(crl->list) != 1)
		return fail(err, "new");
	if (X509_CRL_sign(crl->list, key, keykind_digest(key)) == 0)
		return fail(err, "sign");
	if (PEM_write_bio_X509_CRL(bio, crl->list) != 1)
		return fail(err, "write");
	n = BIO_get_mem_data(bio, &p);
	buf_put(out, (struct span){ (const uint8_t *)p, (size_t)n });
	return buf_ok(out) ? 0 : err_set(err, ERR_NOMEM, "CRL: out of memory");
}

static X509_CRL *parse(struct span text)
{
	OWNED(BIO) bio = BIO_new_mem_buf(text.p, (int)text.n);
	const unsigned char *p = text.p;

	if (text.n > 11 && memmem(text.p, text.n, "-----BEGIN ", 11))
		return bio ? PEM_read_bio_X509_CRL(bio, NULL, NULL, NULL) : NULL;
	return d2i_X509_CRL(NULL, &p, (long)text.n);
}

static int read_list(const char *path, X509_CRL **out, struct err *err)
{
	struct buf text = { .limit = LIST_MAX };
	int rc = wholefile_read("CRL", path, &text, err);

	if (rc == 0) {
		*out = text.n ? parse(buf_span(&text)) : NULL;
		if (!*out)
			rc = err_set(err, ERR_FORMAT, "CRL '%s': neither PEM nor DER of one", path);
	}
	buf_done(&text);
	ERR_clear_error();
	return rc;
}

static int64_t seconds(const ASN1_TIME *t)
{
	struct tm tm;

	return t && ASN1_TIME_to_tm(t, &tm) == 1 ? (int64_t)timegm(&tm) : 0;
}

int crl_look_up(const char *list, const char *certificate, struct crl_word *out, struct err *err)
{
	OWNED(pemfile_chain) chain = NULL;
	OWNED(X509_CRL) crl = NULL;
	X509_REVOKED *entry = NULL;
	X509 *cert;
	int rc = pemfile_read_chain(certificate, &chain, err);

	if (rc == 0)
		rc = read_list(list, &crl, err);
	if (rc != 0)
		return rc;
	cert = sk_X509_value(chain, 0);
	if (X509_NAME_cmp(X509_CRL_get_issuer(crl), X509_get_issuer_name(cert)) != 0)
		return err_set(err, ERR_ARG, "CRL '%s': is not of the authority of '%s'", list,
			certificate);
	*out = (struct crl_word){ .this_update = seconds(X509_CRL_get0_lastUpdate(crl)),
		.next_update = seconds(X509_CRL_get0_nextUpdate(crl)),
		.lists = X509_CRL_get0_by_cert(crl, &entry, cert) == 1 };
	return 0;
}
