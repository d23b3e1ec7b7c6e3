/* SPDX-License-Identifier: Apache-2.0 */
#include "pki/issue.h"

#include "core/own.h"
#include "pki/keykind.h"
#include "pki/pemfile.h"

#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

OWNED_TYPE(BIGNUM, BN_free)
OWNED_TYPE(GENERAL_NAMES, GENERAL_NAMES_free)

static int fail(struct err *err, const char *step)
{
	unsigned long e = ERR_peek_last_error();
	const char *why = e ? ERR_reason_error_string(e) : NULL;

	ERR_clear_error();
	return err_set(err, ERR_CRYPTO, "certificate: %s: %s", step, why ? why : "failed");
}

/* RFC 5280 section 4.1.2.2: positive, at most 20 octets; 127 random bits here. */
static int set_serial(X509 *cert, struct err *err)
{
	OWNED(BIGNUM) serial = BN_new();

	if (!serial || BN_rand(serial, 127, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) != 1 ||
		!BN_to_ASN1_INTEGER(serial, X509_get_serialNumber(cert)))
		return fail(err, "serial");
	return 0;
}

static int add_entry(X509_NAME *name, const char *field, const char *text)
{
	return X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8, (const unsigned char *)text,
		-1, -1, 0);
}

static int set_subject(X509 *cert, const struct profile *p, struct err *err)
{
	X509_NAME *name = X509_get_subject_name(cert);

	if (p->organisation && add_entry(name, "O", p->organisation) != 1)
		return fail(err, "organisation");
	if (p->common_name && add_entry(name, "CN", p->common_name) != 1)
		return fail(err, "common name");
	return 0;
}

static int set_validity(X509 *cert, const struct profile *p, const X509 *issuer, time_t now_s,
	struct err *err)
{
	time_t end_s = now_s;
	const ASN1_TIME *limit = issuer ? X509_get0_notAfter(issuer) : NULL;

	if (!ASN1_TIME_adj(X509_getm_notBefore(cert), now_s, 0, -(long)p->backdate_s) ||
		!ASN1_TIME_adj(X509_getm_notAfter(cert), end_s, (int)p->days, 0))
		return fail(err, "validity");
	if (!limit)
		return 0;
	if (ASN1_TIME_cmp_time_t(limit, now_s) <= 0)
		return err_set(err, ERR_ARG, "issuer: its certificate has expired");
	if (ASN1_TIME_compare(X509_get0_notAfter(cert), limit) > 0 &&
		X509_set1_notAfter(cert, limit) != 1)
		return fail(err, "validity");
	return 0;
}

static int add_extension(X509 *cert, X509V3_CTX *ctx, int nid, const char *value, struct err *err)
{
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, ctx, nid, value);
	int good = extension && X509_add_ext(cert, extension, -1) == 1;

	X509_EXTENSION_free(extension);
	return good ? 0 : fail(err, OBJ_nid2ln(nid));
}

static int add_name(GENERAL_NAMES *names, const struct name *name)
{
	char text[NAME_TEXT_MAX];
	GENERAL_NAME *entry = GENERAL_NAME_new();
	ASN1_IA5STRING *ia5 = ASN1_IA5STRING_new();

	if (!entry || !ia5 || name_write_text(name, text, sizeof(text)) != 0 ||
		ASN1_STRING_set(ia5, text, -1) != 1) {
		GENERAL_NAME_free(entry);
		ASN1_IA5STRING_free(ia5);
		return -1;
	}
	GENERAL_NAME_set0_value(entry, GEN_DNS, ia5);
	if (sk_GENERAL_NAME_push(names, entry) <= 0) {
		GENERAL_NAME_free(entry);
		return -1;
	}
	return 0;
}

/* RFC 5280 section 4.2.1.6: critical when the subject is empty. */
static int add_names(X509 *cert, const struct profile *p, struct err *err)
{
	OWNED(GENERAL_NAMES) names = GENERAL_NAMES_new();
	int critical = X509_NAME_entry_count(X509_get_subject_name(cert)) == 0;

	if (p->san_count == 0)
		return 0;
	if (!names)
		return fail(err, "subjectAltName");
	for (size_t i = 0; i < p->san_count; i++)
		if (add_name(names, &p->san[i]) != 0)
			return fail(err, "subjectAltName");
	if (X509_add1_ext_i2d(cert, NID_subject_alt_name, names, critical, 0) != 1)
		return fail(err, "subjectAltName");
	return 0;
}

/* RSA keys may also be asked to carry a key, as TLS before 1.3 did. */
static const char *usage_of_leaf(const EVP_PKEY *key)
{
	return EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA
		? "critical,digitalSignature,keyEncipherment"
		: "critical,digitalSignature";
}

static const char *purposes(enum profile_role role)
{
	switch (role) {
	case PROFILE_SERVER: return "serverAuth";
	case PROFILE_CLIENT: return "clientAuth";
	case PROFILE_BOTH: return "serverAuth,clientAuth";
	case PROFILE_ROOT:
	case PROFILE_INTERMEDIATE: break;
	}
	return NULL;
}

static int add_constraints(X509 *cert, const struct profile *p, EVP_PKEY *key, X509V3_CTX *ctx,
	struct err *err)
{
	char constraints[48];
	int rc;

	if (!profile_is_authority(p)) {
		rc = add_extension(cert, ctx, NID_basic_constraints, "critical,CA:FALSE", err);
		if (rc == 0)
			rc = add_extension(cert, ctx, NID_key_usage, usage_of_leaf(key), err);
		if (rc == 0)
			rc = add_extension(cert, ctx, NID_ext_key_usage, purposes(p->role), err);
		return rc;
	}
	if (p->path_len >= 0)
		snprintf(constraints, sizeof(constraints), "critical,CA:TRUE,pathlen:%d",
			p->path_len);
	else
		snprintf(constraints, sizeof(constraints), "critical,CA:TRUE");
	rc = add_extension(cert, ctx, NID_basic_constraints, constraints, err);
	if (rc != 0)
		return rc;
	return add_extension(cert, ctx, NID_key_usage, "critical,keyCertSign,cRLSign", err);
}

static int add_extensions(X509 *cert, const struct profile *p, EVP_PKEY *key, X509 *issuer,
	struct err *err)
{
	X509V3_CTX ctx;
	int rc;

	X509V3_set_ctx(&ctx, issuer ? issuer : cert, cert, NULL, NULL, 0);
	rc = add_constraints(cert, p, key, &ctx, err);
	if (rc == 0)
		rc = add_extension(cert, &ctx, NID_subject_key_identifier, "hash", err);
	if (rc == 0)
		rc = add_extension(cert, &ctx, NID_authority_key_identifier, "keyid:always", err);
	if (rc == 0)
		rc = add_names(cert, p, err);
	return rc;
}

/* RFC 5280 section 4.2.1.9: the issuer must be an authority with room below it. */
static int check_issuer(const struct profile *p, X509 *issuer, EVP_PKEY *issuer_key,
	struct err *err)
{
	long room;

	if (!issuer)
		return p->role == PROFILE_ROOT ? 0
					       : err_set(err, ERR_ARG, "issuer: none was given");
	if (X509_check_ca(issuer) != 1)
		return err_set(err, ERR_ARG, "issuer: its certificate is not an authority's");
	if (X509_check_private_key(issuer, issuer_key) != 1) {
		ERR_clear_error();
		return err_set(err, ERR_ARG, "issuer: its key does not fit its certificate");
	}
	room = X509_get_pathlen(issuer);
	if (profile_is_authority(p) && room == 0)
		return err_set(err, ERR_ARG, "issuer: its path length allows no authority below");
	if (profile_is_authority(p) && room > 0 && p->path_len >= room)
		return err_set(err, ERR_ARG, "path length: %d, the issuer allows %ld at most",
			p->path_len, room - 1);
	return 0;
}

int issue_certificate(const struct profile *profile, EVP_PKEY *key, X509 *issuer,
	EVP_PKEY *issuer_key, time_t now_s, X509 **out, struct err *err)
{
	OWNED(X509) cert = X509_new();
	int rc = profile_check(profile, err);

	if (rc == 0)
		rc = check_issuer(profile, issuer, issuer_key, err);
	if (rc != 0)
		return rc;
	if (!cert || X509_set_version(cert, X509_VERSION_3) != 1 || X509_set_pubkey(cert, key) != 1)
		return fail(err, "new");
	rc = set_serial(cert, err);
	if (rc == 0)
		rc = set_subject(cert, profile, err);
	if (rc == 0)
		rc = set_validity(cert, profile, issuer, now_s, err);
	if (rc != 0)
		return rc;
	if (X509_set_issuer_name(cert, X509_get_subject_name(issuer ? issuer : cert)) != 1)
		return fail(err, "issuer");
	rc = add_extensions(cert, profile, key, issuer, err);
	if (rc != 0)
		return rc;
	if (X509_sign(cert, issuer_key, keykind_digest(issuer_key)) == 0)
		return fail(err, "sign");
	*out = TAKE(cert);
	return 0;
}
