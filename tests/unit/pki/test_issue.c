/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "pki/issue.h"
#include "pki/keykind.h"
#include "pki/pemfile.h"

#include <openssl/bn.h>
#include <openssl/x509v3.h>
#include <string.h>

#define NOW_S 1800000000

static EVP_PKEY *root_key, *leaf_key;
static X509 *root;

static struct profile a_profile(enum profile_role role)
{
	return (struct profile){ .role = role,
		.common_name = "Name",
		.life_s = 30 * PROFILE_DAY_S,
		.backdate_s = 300,
		.path_len = role == PROFILE_ROOT ? 1 : 0 };
}

static struct profile a_leaf(enum profile_role role)
{
	struct profile p = a_profile(role);

	assert_int_equal(profile_add_san(&p, "_js.b.example", NULL), 0);
	return p;
}

static int prepare(void **state)
{
	struct profile p = a_profile(PROFILE_ROOT);

	(void)state;
	return keykind_new(KEYKIND_P256, &root_key, NULL) ||
		keykind_new(KEYKIND_ED25519, &leaf_key, NULL) ||
		issue_certificate(&p, root_key, NULL, root_key, NOW_S, &root, NULL);
}

static int finish(void **state)
{
	(void)state;
	X509_free(root);
	EVP_PKEY_free(root_key);
	EVP_PKEY_free(leaf_key);
	return 0;
}

static X509 *issued(const struct profile *p)
{
	X509 *cert = NULL;
	struct err err = { 0 };

	if (issue_certificate(p, leaf_key, root, root_key, NOW_S, &cert, &err) != 0)
		fail_msg("%s", err.msg);
	return cert;
}

static void serials_are_positive_random_and_long(void **state)
{
	struct profile p = a_leaf(PROFILE_SERVER);
	OWNED(X509) a = issued(&p);
	OWNED(X509) b = issued(&p);
	BIGNUM *n = ASN1_INTEGER_to_BN(X509_get0_serialNumber(a), NULL);

	(void)state;
	assert_false(BN_is_negative(n));
	assert_int_equal(BN_num_bits(n), 127);
	assert_int_not_equal(ASN1_INTEGER_cmp(X509_get0_serialNumber(a), X509_get0_serialNumber(b)),
		0);
	BN_free(n);
}

static void purposes_follow_the_role(void **state)
{
	static const struct {
		enum profile_role role;
		uint32_t bits;
	} rows[] = {
		{ PROFILE_SERVER, XKU_SSL_SERVER },
		{ PROFILE_CLIENT, XKU_SSL_CLIENT },
		{ PROFILE_BOTH, XKU_SSL_SERVER | XKU_SSL_CLIENT },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct profile p = a_leaf(rows[i].role);
		OWNED(X509) cert = issued(&p);

		assert_int_equal(X509_get_extended_key_usage(cert), rows[i].bits);
		assert_int_equal(X509_get_key_usage(cert), KU_DIGITAL_SIGNATURE);
		assert_int_equal(X509_check_ca(cert), 0);
		assert_int_equal(X509_get_version(cert), X509_VERSION_3);
		assert_int_equal(X509_verify(cert, root_key), 1);
	}
}

static void authorities_sign_and_nothing_else(void **state)
{
	(void)state;
	assert_int_equal(X509_check_ca(root), 1);
	assert_int_equal(X509_get_pathlen(root), 1);
	assert_int_equal(X509_get_key_usage(root), KU_KEY_CERT_SIGN | KU_CRL_SIGN);
	assert_int_equal(X509_verify(root, root_key), 1);
}

static void key_identifiers_chain(void **state)
{
	struct profile p = a_leaf(PROFILE_SERVER);
	OWNED(X509) cert = issued(&p);

	(void)state;
	assert_non_null(X509_get0_subject_key_id(cert));
	assert_int_equal(ASN1_OCTET_STRING_cmp(X509_get0_authority_key_id(cert),
				 X509_get0_subject_key_id(root)),
		0);
	assert_int_equal(X509_check_issued(root, cert), X509_V_OK);
}

static void begins_in_the_past_and_ends_with_its_issuer(void **state)
{
	struct profile p = a_leaf(PROFILE_SERVER);
	OWNED(X509) cert = NULL;

	(void)state;
	p.life_s = 3000 * PROFILE_DAY_S;
	cert = issued(&p);
	assert_int_equal(ASN1_TIME_cmp_time_t(X509_get0_notBefore(cert), NOW_S - 300), 0);
	assert_int_equal(ASN1_TIME_cmp_time_t(X509_get0_notAfter(cert), NOW_S + 30 * 86400), 0);
}

/* A P-256 key is put there by hand, since OpenSSL takes ten times as long as the signature. */
static void a_key_of_every_kind_is_written_as_openssl_writes_it(void **state)
{
	static const enum keykind kinds[] = { KEYKIND_P256, KEYKIND_P384, KEYKIND_ED25519,
		KEYKIND_RSA2048 };
	struct profile p = a_leaf(PROFILE_SERVER);

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		OWNED(EVP_PKEY) key = NULL;
		OWNED(X509) cert = NULL;
		OWNED(X509) again = NULL;
		unsigned char *spki = NULL, *der = NULL;
		const unsigned char *q;
		int n, spki_n;

		assert_int_equal(keykind_new(kinds[i], &key, NULL), 0);
		assert_int_equal(issue_certificate(&p, key, root, root_key, NOW_S, &cert, NULL), 0);
		n = i2d_X509(cert, &der);
		spki_n = i2d_PUBKEY(key, &spki);
		assert_non_null(memmem(der, (size_t)n, spki, (size_t)spki_n));
		q = der;
		again = d2i_X509(NULL, &q, n);
		assert_int_equal(X509_check_private_key(again, key), 1);
		OPENSSL_free(der);
		OPENSSL_free(spki);
	}
}

static void names_are_sans_critical_without_a_subject(void **state)
{
	struct profile p = a_leaf(PROFILE_SERVER);
	OWNED(X509) cert = NULL;
	const X509_EXTENSION *san;

	(void)state;
	p.common_name = NULL;
	cert = issued(&p);
	san = X509_get_ext(cert, X509_get_ext_by_NID(cert, NID_subject_alt_name, -1));
	assert_int_equal(X509_EXTENSION_get_critical(san), 1);
	assert_int_equal(X509_check_host(cert, "_js.b.example", 0,
				 X509_CHECK_FLAG_NEVER_CHECK_SUBJECT, NULL),
		1);
	assert_int_equal(X509_check_host(cert, "js.b.example", 0, 0, NULL), 0);
}

static void refuses_what_the_issuer_may_not_do(void **state)
{
	struct profile p = a_leaf(PROFILE_SERVER);
	struct profile below = a_profile(PROFILE_INTERMEDIATE);
	OWNED(X509) leaf = issued(&p);
	OWNED(X509) inter = issued(&below);
	X509 *out = NULL;
	struct err err;

	(void)state;
	assert_int_equal(issue_certificate(&p, leaf_key, leaf, leaf_key, NOW_S, &out, &err),
		ERR_ARG);
	assert_non_null(strstr(err.msg, "not an authority's"));
	assert_int_equal(issue_certificate(&p, leaf_key, root, leaf_key, NOW_S, &out, &err),
		ERR_ARG);
	assert_non_null(strstr(err.msg, "does not fit"));
	assert_int_equal(issue_certificate(&below, leaf_key, inter, leaf_key, NOW_S, &out, &err),
		ERR_ARG);
	assert_non_null(strstr(err.msg, "path length"));
	below.path_len = 1;
	assert_int_equal(issue_certificate(&below, leaf_key, root, root_key, NOW_S, &out, &err),
		ERR_ARG);
	assert_int_equal(
		issue_certificate(&p, leaf_key, root, root_key, NOW_S + 31 * 86400, &out, &err),
		ERR_ARG);
	assert_non_null(strstr(err.msg, "expired"));
	assert_null(out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(serials_are_positive_random_and_long),
		TEST(purposes_follow_the_role),
		TEST(authorities_sign_and_nothing_else),
		TEST(key_identifiers_chain),
		TEST(begins_in_the_past_and_ends_with_its_issuer),
		TEST(a_key_of_every_kind_is_written_as_openssl_writes_it),
		TEST(names_are_sans_critical_without_a_subject),
		TEST(refuses_what_the_issuer_may_not_do),
	};

	return cmocka_run_group_tests_name("issue", tests, prepare, finish);
}
