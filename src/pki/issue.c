/* SPDX-License-Identifier: Apache-2.0 */
#include "pki/issue.h"

#include "core/buf.h"
#include "core/own.h"
#include "pki/keykind.h"
#include "pki/pemfile.h"
#include "pki/reason.h"

#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

OWNED_TYPE(BIGNUM, BN_free)

static int fail(struct err *err, const char *step)
{
	return err_set(err, ERR_CRYPTO, "certificate: %s: %s", step, reason_take());
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

int issue_subject(X509_NAME *name, const struct profile *p, struct err *err)
{
	const struct {
		const char *field, *text;
	} rows[] = {
		{ "C", p->country },
		{ "ST", p->state },
		{ "L", p->locality },
		{ "O", p->organisation },
		{ "OU", p->unit },
		{ "CN", p->common_name },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].text && add_entry(name, rows[i].field, rows[i].text) != 1)
			return fail(err, rows[i].field);
	return 0;
}

/* X509_set_pubkey reads back what it has just written, which takes ten times as long as the
 * signature. What it would write is put there as it is for the one kind that fleets have. */
static int put_p256(X509 *cert, EVP_PKEY *key)
{
	unsigned char *point = NULL;
	size_t n = EVP_PKEY_get1_encoded_public_key(key, &point);

	/* RFC 5480 section 2: the algorithm and the curve, then the point. */
	if (n > 0 &&
		X509_PUBKEY_set0_param(X509_get_X509_PUBKEY(cert),
			OBJ_nid2obj(NID_X9_62_id_ecPublicKey), V_ASN1_OBJECT,
			OBJ_nid2obj(NID_X9_62_prime256v1), point, (int)n) == 1)
		return 1;
	OPENSSL_free(point);
	return 0;
}

static int set_key(X509 *cert, const struct profile *p, EVP_PKEY *key)
{
	const char *kind;

	if (!profile_is_authority(p) && keykind_of(key, &kind, NULL) == 0 &&
		strcmp(kind, "p256") == 0)
		return put_p256(cert, key);
	return X509_set_pubkey(cert, key);
}

static int set_validity(X509 *cert, const struct profile *p, const X509 *issuer, time_t now_s,
	struct err *err)
{
	const ASN1_TIME *limit = issuer ? X509_get0_notAfter(issuer) : NULL;

	if (!ASN1_TIME_adj(X509_getm_notBefore(cert), now_s, 0, -(long)p->backdate_s) ||
		!ASN1_TIME_adj(X509_getm_notAfter(cert), now_s, (int)(p->life_s / PROFILE_DAY_S),
			p->life_s % PROFILE_DAY_S))
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

static int add_address(GENERAL_NAMES *names, const struct profile_address *a)
{
	GENERAL_NAME *entry = GENERAL_NAME_new();
	ASN1_OCTET_STRING *octets = ASN1_OCTET_STRING_new();

	if (!entry || !octets || ASN1_OCTET_STRING_set(octets, a->octets, a->n) != 1) {
		GENERAL_NAME_free(entry);
		ASN1_OCTET_STRING_free(octets);
		return -1;
	}
	GENERAL_NAME_set0_value(entry, GEN_IPADD, octets);
	if (sk_GENERAL_NAME_push(names, entry) <= 0) {
		GENERAL_NAME_free(entry);
		return -1;
	}
	return 0;
}

int issue_names(const struct profile *p, GENERAL_NAMES **out, struct err *err)
{
	OWNED(GENERAL_NAMES) names = GENERAL_NAMES_new();

	if (!names)
		return fail(err, "subjectAltName");
	for (size_t i = 0; i < p->san_count; i++)
		if (add_name(names, &p->san[i]) != 0)
			return fail(err, "subjectAltName");
	for (size_t i = 0; i < p->address_count; i++)
		if (add_address(names, &p->address[i]) != 0)
			return fail(err, "subjectAltName");
	*out = TAKE(names);
	return 0;
}

/* RFC 5280 section 4.2.1.6: critical when the subject is empty. */
static int add_names(X509 *cert, const struct profile *p, struct err *err)
{
	OWNED(GENERAL_NAMES) names = NULL;
	int critical = X509_NAME_entry_count(X509_get_subject_name(cert)) == 0;
	int rc;

	if (p->san_count == 0 && p->address_count == 0)
		return 0;
	rc = issue_names(p, &names, err);
	if (rc == 0 && X509_add1_ext_i2d(cert, NID_subject_alt_name, names, critical, 0) != 1)
		rc = fail(err, "subjectAltName");
	return rc;
}

/* RSA keys may also be asked to carry a key, as TLS before 1.3 did. */
static unsigned usage_of(const struct profile *p, const EVP_PKEY *key)
{
	if (p->key_usage)
		return p->key_usage;
	if (profile_is_authority(p))
		return PROFILE_KEY_CERT_SIGN | PROFILE_CRL_SIGN;
	return EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA
		? PROFILE_DIGITAL_SIGNATURE | PROFILE_KEY_ENCIPHERMENT
		: PROFILE_DIGITAL_SIGNATURE;
}

static unsigned purposes_of(const struct profile *p)
{
	if (p->purposes || p->more_purposes)
		return p->purposes;
	switch (p->role) {
	case PROFILE_SERVER: return PROFILE_SERVER_AUTH;
	case PROFILE_CLIENT: return PROFILE_CLIENT_AUTH;
	case PROFILE_BOTH: return PROFILE_SERVER_AUTH | PROFILE_CLIENT_AUTH;
	case PROFILE_ROOT:
	case PROFILE_INTERMEDIATE:
	case PROFILE_OTHER: break;
	}
	return 0;
}

/* The words of the bits, as OpenSSL reads them, behind what is there. */
static void put_words(char *out, size_t cap, unsigned bits, const char *(*word)(unsigned))
{
	for (unsigned i = 0; word(i); i++) {
		size_t n = strlen(out);

		if (bits & 1u << i)
			snprintf(out + n, cap - n, "%s%s", n ? "," : "", word(i));
	}
}

static int add_usages(X509 *cert, const struct profile *p, EVP_PKEY *key, X509V3_CTX *ctx,
	struct err *err)
{
	char usages[256] = "critical", words[256] = "";
	struct buf purposes = { 0 };
	int rc;

	put_words(usages, sizeof(usages), usage_of(p, key), profile_key_usage_word);
	put_words(words, sizeof(words), purposes_of(p), profile_purpose_word);
	buf_printf(&purposes, "%s%s%s", words, words[0] && p->more_purposes ? "," : "",
		p->more_purposes ? p->more_purposes : "");
	rc = add_extension(cert, ctx, NID_key_usage, usages, err);
	if (rc == 0 && !buf_string(&purposes))
		rc = err_set(err, ERR_NOMEM, "certificate: out of memory");
	if (rc == 0 && purposes.n)
		rc = add_extension(cert, ctx, NID_ext_key_usage, buf_string(&purposes), err);
	buf_done(&purposes);
	return rc;
}

static int put_subtrees(struct buf *out, const char *kind, const struct name *names, size_t n)
{
	char text[NAME_TEXT_MAX];

	for (size_t i = 0; i < n; i++) {
		if (name_write_text(&names[i], text, sizeof(text)) != 0)
			return -1;
		buf_printf(out, ",%s;DNS:%s", kind, text);
	}
	return 0;
}

/* RFC 5280 section 4.2.1.10: critical. A form of name without a subtree would be free, so
 * where names are permitted all addresses are excluded. */
static int add_subtrees(X509 *cert, const struct profile *p, X509V3_CTX *ctx, struct err *err)
{
	struct buf value = { 0 };
	int rc = 0;

	if (p->permitted_count == 0 && p->excluded_count == 0)
		return 0;
	buf_text(&value, "critical");
	if (put_subtrees(&value, "permitted", p->permitted, p->permitted_count) != 0 ||
		put_subtrees(&value, "excluded", p->excluded, p->excluded_count) != 0)
		rc = fail(err, "nameConstraints");
	if (p->permitted_count != 0)
		buf_text(&value, ",excluded;IP:0.0.0.0/0.0.0.0,excluded;IP:::/::");
	if (rc == 0 && !buf_ok(&value))
		rc = err_set(err, ERR_NOMEM, "certificate: out of memory");
	if (rc == 0)
		rc = add_extension(cert, ctx, NID_name_constraints, buf_string(&value), err);
	buf_done(&value);
	return rc;
}

static int add_constraints(X509 *cert, const struct profile *p, X509V3_CTX *ctx, struct err *err)
{
	char constraints[48];
	int rc;

	if (!profile_is_authority(p))
		return add_extension(cert, ctx, NID_basic_constraints, "critical,CA:FALSE", err);
	if (p->path_len >= 0)
		snprintf(constraints, sizeof(constraints), "critical,CA:TRUE,pathlen:%d",
			p->path_len);
	else
		snprintf(constraints, sizeof(constraints), "critical,CA:TRUE");
	rc = add_extension(cert, ctx, NID_basic_constraints, constraints, err);
	return rc == 0 ? add_subtrees(cert, p, ctx, err) : rc;
}

static int add_extensions(X509 *cert, const struct profile *p, EVP_PKEY *key, X509 *issuer,
	struct err *err)
{
	X509V3_CTX ctx;
	int rc;

	X509V3_set_ctx(&ctx, issuer ? issuer : cert, cert, NULL, NULL, 0);
	rc = add_constraints(cert, p, &ctx, err);
	if (rc == 0)
		rc = add_usages(cert, p, key, &ctx, err);
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

	/* a leaf may sign itself: DANE-EE looks at nothing but its key (RFC 7671 section 5.1) */
	if (!issuer)
		return p->role == PROFILE_INTERMEDIATE
			? err_set(err, ERR_ARG, "issuer: none was given")
			: 0;
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
	if (!cert || X509_set_version(cert, X509_VERSION_3) != 1 ||
		set_key(cert, profile, key) != 1)
		return fail(err, "new");
	rc = set_serial(cert, err);
	if (rc == 0)
		rc = issue_subject(X509_get_subject_name(cert), profile, err);
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
