/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "pki/issue.h"
#include "pki/keykind.h"
#include "pki/press.h"

#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#define NOW_S 1800000000

static struct profile a_root(void)
{
	return (struct profile){ .role = PROFILE_ROOT,
		.common_name = "Root",
		.life_s = 30 * PROFILE_DAY_S,
		.path_len = 0 };
}

static struct profile a_leaf(void)
{
	return (struct profile){ .role = PROFILE_CLIENT,
		.life_s = 9 * PROFILE_DAY_S,
		.backdate_s = 300,
		.path_len = -1 };
}

/* An authority whose key is of this kind; with a profile of its own. */
struct world {
	EVP_PKEY *key;
	pemfile_chain *chain;
};

static void found_by(struct world *w, enum keykind kind, const struct profile *root)
{
	X509 *cert = NULL;

	assert_int_equal(keykind_new(kind, &w->key, NULL), 0);
	assert_int_equal(issue_certificate(root, w->key, NULL, w->key, NOW_S, &cert, NULL), 0);
	w->chain = sk_X509_new_null();
	assert_true(sk_X509_push(w->chain, cert) > 0);
}

static void found(struct world *w, enum keykind kind)
{
	const struct profile root = a_root();

	found_by(w, kind, &root);
}

static void end(struct world *w)
{
	chain_free(w->chain);
	EVP_PKEY_free(w->key);
}

static X509 *pressed(struct press *p, const struct name *name, EVP_PKEY *key,
	struct press_certificate *c)
{
	unsigned char *spki = NULL;
	int n = i2d_PUBKEY(key, &spki);
	const unsigned char *at;
	struct err err = { 0 };
	X509 *cert;

	assert_true(n > 0);
	if (press_make(p, name, (struct span){ spki, (size_t)n }, c, &err) != 0)
		fail_msg("%s", err.msg);
	OPENSSL_free(spki);
	at = c->der.p;
	cert = d2i_X509(NULL, &at, (long)c->der.n);
	assert_non_null(cert);
	assert_ptr_equal(at, c->der.p + c->der.n);
	return cert;
}

static void assert_same_octets(const ASN1_STRING *a, const ASN1_STRING *b)
{
	assert_int_equal(ASN1_STRING_length(a), ASN1_STRING_length(b));
	assert_memory_equal(ASN1_STRING_get0_data(a), ASN1_STRING_get0_data(b),
		(size_t)ASN1_STRING_length(a));
}

/* All but serial number and signature. */
static void assert_same_words(X509 *a, X509 *b)
{
	assert_int_equal(X509_get_version(a), X509_get_version(b));
	assert_int_equal(X509_get_signature_nid(a), X509_get_signature_nid(b));
	assert_int_equal(X509_NAME_cmp(X509_get_issuer_name(a), X509_get_issuer_name(b)), 0);
	assert_int_equal(X509_NAME_cmp(X509_get_subject_name(a), X509_get_subject_name(b)), 0);
	assert_int_equal(ASN1_TIME_compare(X509_get0_notBefore(a), X509_get0_notBefore(b)), 0);
	assert_int_equal(ASN1_TIME_compare(X509_get0_notAfter(a), X509_get0_notAfter(b)), 0);
	assert_same_octets(X509_get0_pubkey_bitstr(a), X509_get0_pubkey_bitstr(b));
	assert_int_equal(X509_get_ext_count(a), X509_get_ext_count(b));
	for (int i = 0; i < X509_get_ext_count(a); i++) {
		X509_EXTENSION *x = X509_get_ext(a, i), *y = X509_get_ext(b, i);

		assert_int_equal(
			OBJ_cmp(X509_EXTENSION_get_object(x), X509_EXTENSION_get_object(y)), 0);
		assert_int_equal(X509_EXTENSION_get_critical(x), X509_EXTENSION_get_critical(y));
		assert_same_octets(X509_EXTENSION_get_data(x), X509_EXTENSION_get_data(y));
	}
}

/* Encoded anew by OpenSSL it is the same: it was DER. */
static void assert_is_der(X509 *cert, struct span octets)
{
	unsigned char *again = NULL;
	int n;

	assert_true(i2d_re_X509_tbs(cert, NULL) > 0);
	n = i2d_X509(cert, &again);
	assert_int_equal(n, octets.n);
	assert_memory_equal(again, octets.p, octets.n);
	OPENSSL_free(again);
}

static struct name a_random_name(void)
{
	uint8_t random[2];
	char text[64], label[50] = "";
	struct name name;

	assert_int_equal(RAND_bytes(random, sizeof(random)), 1);
	for (size_t i = 0; i < 1 + random[0] % 48u; i++)
		label[i] = (char)('a' + (random[1] + i) % 26);
	snprintf(text, sizeof(text), "%s._device.org", label);
	assert_int_equal(name_of(text, &name), 0);
	return name;
}

static void compare(struct world *w, const struct profile *profile, EVP_PKEY *key, unsigned times)
{
	X509 *issuer = sk_X509_value(w->chain, 0);
	struct press *p = NULL;
	struct err err = { 0 };

	if (press_new(profile, w->chain, w->key, NOW_S, &p, &err) != 0)
		fail_msg("%s", err.msg);
	for (unsigned i = 0; i < times; i++) {
		struct profile named = *profile;
		struct press_certificate c;
		struct facts f;
		OWNED(X509) ordinary = NULL;
		OWNED(X509) cert = NULL;

		named.san[0] = a_random_name();
		named.san_count = 1;
		cert = pressed(p, &named.san[0], key, &c);
		assert_int_equal(
			issue_certificate(&named, key, issuer, w->key, NOW_S, &ordinary, NULL), 0);
		assert_int_equal(X509_verify(cert, X509_get0_pubkey(issuer)), 1);
		assert_same_words(cert, ordinary);
		assert_int_equal(EVP_PKEY_eq(X509_get0_pubkey(cert), key), 1);
		assert_is_der(cert, c.der);
		assert_int_equal(facts_read(cert, &f, NULL), 0);
		assert_string_equal(f.serial, c.serial);
		assert_string_equal(f.issuer, c.issuer);
		assert_int_equal(f.not_before, c.not_before);
		assert_int_equal(f.not_after, c.not_after);
		facts_done(&f);
	}
	press_free(p);
}

static void every_kind_of_key_gets_what_the_ordinary_way_gives(void **state)
{
	static const enum keykind kinds[] = { KEYKIND_P256, KEYKIND_P384, KEYKIND_ED25519,
		KEYKIND_RSA2048 };
	const struct profile leaf = a_leaf();
	struct world w;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		found(&w, kinds[i]);
		for (size_t k = 0; k < 4; k++) {
			EVP_PKEY *key = NULL;

			assert_int_equal(keykind_new(kinds[k], &key, NULL), 0);
			compare(&w, &leaf, key, 20);
			EVP_PKEY_free(key);
		}
		end(&w);
	}
}

static void a_subject_and_usages_of_the_profile_are_kept(void **state)
{
	struct profile leaf = a_leaf();
	EVP_PKEY *key = NULL;
	struct world w;

	(void)state;
	leaf.role = PROFILE_BOTH;
	leaf.organisation = "Maker";
	leaf.common_name = "a device";
	found(&w, KEYKIND_P256);
	assert_int_equal(keykind_new(KEYKIND_P256, &key, NULL), 0);
	compare(&w, &leaf, key, 10);
	EVP_PKEY_free(key);
	end(&w);
}

static void one_press_takes_keys_of_several_kinds(void **state)
{
	static const enum keykind kinds[] = { KEYKIND_RSA2048, KEYKIND_P256, KEYKIND_RSA2048 };
	const struct profile leaf = a_leaf();
	const uint32_t usage[] = { KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT, KU_DIGITAL_SIGNATURE,
		KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT };
	struct name name = a_random_name();
	struct press *p = NULL;
	struct world w;

	(void)state;
	found(&w, KEYKIND_P256);
	assert_int_equal(press_new(&leaf, w.chain, w.key, NOW_S, &p, NULL), 0);
	for (size_t i = 0; i < 3; i++) {
		struct press_certificate c;
		OWNED(EVP_PKEY) key = NULL;
		OWNED(X509) cert = NULL;

		assert_int_equal(keykind_new(kinds[i], &key, NULL), 0);
		cert = pressed(p, &name, key, &c);
		assert_int_equal(X509_get_key_usage(cert), usage[i]);
	}
	press_free(p);
	end(&w);
}

static void serials_are_positive_of_one_length_and_all_different(void **state)
{
	const struct profile leaf = a_leaf();
	struct name name = a_random_name();
	char before[FACTS_SERIAL_MAX] = "";
	struct press *p = NULL;
	EVP_PKEY *key = NULL;
	struct world w;

	(void)state;
	found(&w, KEYKIND_P256);
	assert_int_equal(keykind_new(KEYKIND_P256, &key, NULL), 0);
	assert_int_equal(press_new(&leaf, w.chain, w.key, NOW_S, &p, NULL), 0);
	for (int i = 0; i < 200; i++) {
		struct press_certificate c;

		X509_free(pressed(p, &name, key, &c));
		assert_int_equal(strlen(c.serial), 32);
		assert_true(c.serial[0] >= '4' && c.serial[0] <= '7');
		/* the time is in ten of the digits, the rest is random */
		assert_string_not_equal(c.serial + 10, before);
		memcpy(before, c.serial + 10, sizeof(c.serial) - 10);
	}
	press_free(p);
	EVP_PKEY_free(key);
	end(&w);
}

static void a_name_outside_the_constraints_is_refused(void **state)
{
	const struct profile leaf = a_leaf();
	struct profile root = a_root();
	struct press_certificate c;
	struct name inside, outside;
	unsigned char *spki = NULL;
	struct press *p = NULL;
	struct err err = { 0 };
	EVP_PKEY *key = NULL;
	struct world w;
	struct span octets;
	int n;

	(void)state;
	assert_int_equal(profile_permit(&root, "_device.org", NULL), 0);
	found_by(&w, KEYKIND_P256, &root);
	assert_int_equal(keykind_new(KEYKIND_P256, &key, NULL), 0);
	assert_int_equal(press_new(&leaf, w.chain, w.key, NOW_S, &p, NULL), 0);
	assert_int_equal(name_of("a._device.org", &inside), 0);
	assert_int_equal(name_of("a._device.example", &outside), 0);
	n = i2d_PUBKEY(key, &spki);
	octets = (struct span){ spki, (size_t)n };
	assert_int_equal(press_make(p, &inside, octets, &c, NULL), 0);
	assert_int_equal(press_make(p, &outside, octets, &c, &err), ERR_ARG);
	assert_non_null(strstr(err.msg, "outside the constraints"));
	OPENSSL_free(spki);
	press_free(p);
	EVP_PKEY_free(key);
	end(&w);
}

static void what_is_no_key_or_no_leaf_is_refused(void **state)
{
	static const uint8_t junk[] = { 0x30, 0x03, 0x02, 0x01, 0x01 };
	const struct profile root = a_root();
	struct profile leaf = a_leaf();
	struct name name = a_random_name();
	struct press_certificate c;
	struct press *p = NULL;
	unsigned char *spki = NULL;
	EVP_PKEY *key = NULL;
	struct world w;
	int n;

	(void)state;
	found(&w, KEYKIND_P256);
	assert_int_equal(press_new(&root, w.chain, w.key, NOW_S, &p, NULL), ERR_ARG);
	assert_int_equal(press_new(&leaf, w.chain, w.key, NOW_S, &p, NULL), 0);
	assert_int_equal(press_make(p, &name, (struct span){ junk, sizeof(junk) }, &c, NULL),
		ERR_FORMAT);
	assert_int_equal(keykind_new(KEYKIND_P256, &key, NULL), 0);
	n = i2d_PUBKEY(key, &spki);
	for (int i = 0; i < n; i++)
		assert_int_equal(press_make(p, &name, (struct span){ spki, (size_t)i }, &c, NULL),
			ERR_FORMAT);
	assert_int_equal(press_make(p, &name, (struct span){ spki, (size_t)n }, &c, NULL), 0);
	assert_int_equal(name_of("*._device.org", &name), 0);
	assert_int_equal(press_make(p, &name, (struct span){ spki, (size_t)n }, &c, NULL), ERR_ARG);
	OPENSSL_free(spki);
	EVP_PKEY_free(key);
	press_free(p);
	end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_of_key_gets_what_the_ordinary_way_gives),
		cmocka_unit_test(a_subject_and_usages_of_the_profile_are_kept),
		cmocka_unit_test(one_press_takes_keys_of_several_kinds),
		cmocka_unit_test(serials_are_positive_of_one_length_and_all_different),
		cmocka_unit_test(a_name_outside_the_constraints_is_refused),
		cmocka_unit_test(what_is_no_key_or_no_leaf_is_refused),
	};

	return cmocka_run_group_tests_name("press", tests, NULL, NULL);
}
