/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "pki/keykind.h"
#include "pki/request.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>

static EVP_PKEY *key;

static int prepare(void **state)
{
	(void)state;
	return keykind_new(KEYKIND_P256, &key, NULL);
}

static int finish(void **state)
{
	(void)state;
	EVP_PKEY_free(key);
	return 0;
}

static struct buf a_request(void)
{
	struct profile p = { .role = PROFILE_SERVER, .common_name = "Mine", .organisation = "O" };
	struct buf out = { 0 };
	bool taken;

	assert_int_equal(profile_add_san(&p, "_c.a.example", NULL), 0);
	assert_int_equal(profile_add_address(&p, "2001:db8::1", &taken, NULL), 0);
	assert_int_equal(request_write(&p, key, &out, NULL), 0);
	return out;
}

static void names_and_key_come_back_the_subject_only_if_wanted(void **state)
{
	struct buf text = a_request();
	struct profile p = { 0 };
	struct request_subject subject;
	OWNED(EVP_PKEY) got = NULL;
	OWNED(EVP_PKEY) again = NULL;

	(void)state;
	assert_int_equal(request_read(buf_span(&text), &p, NULL, &got, NULL), 0);
	assert_int_equal(p.san_count, 1);
	assert_int_equal(p.address_count, 1);
	assert_int_equal(p.address[0].n, 16);
	assert_null(p.common_name);
	assert_int_equal(EVP_PKEY_eq(got, key), 1);
	p = (struct profile){ 0 };
	assert_int_equal(request_read(buf_span(&text), &p, &subject, &again, NULL), 0);
	assert_string_equal(p.common_name, "Mine");
	assert_string_equal(p.organisation, "O");
	buf_done(&text);
}

/* The request with one octet of its DER changed. */
static struct buf spoiled(const struct buf *text, size_t from_end)
{
	BIO *bio = BIO_new_mem_buf(text->p, (int)text->n);
	X509_REQ *req = PEM_read_bio_X509_REQ(bio, NULL, NULL, NULL);
	unsigned char *der = NULL;
	struct buf out = { 0 };
	int n = i2d_X509_REQ(req, &der);

	der[n - (int)from_end] ^= 1;
	buf_put(&out, (struct span){ der, (size_t)n });
	OPENSSL_free(der);
	X509_REQ_free(req);
	BIO_free(bio);
	return out;
}

static void a_request_not_signed_by_its_key_is_refused(void **state)
{
	struct buf text = a_request(), bad = spoiled(&text, 1);
	struct profile p = { 0 };
	EVP_PKEY *none = NULL;
	struct err err;

	(void)state;
	assert_int_equal(request_read(buf_span(&bad), &p, NULL, &none, &err), ERR_FORMAT);
	assert_string_equal(err.msg, "request: its signature is not by its key");
	assert_null(none);
	assert_int_equal(p.san_count, 0);
	buf_done(&text);
	buf_done(&bad);
}

static struct buf with_names(const char *value, EVP_PKEY *by)
{
	X509_REQ *req = X509_REQ_new();
	STACK_OF(X509_EXTENSION) *list = NULL;
	X509_EXTENSION *names = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, value);
	unsigned char *der = NULL;
	struct buf out = { 0 };
	int n;

	assert_non_null(names);
	X509v3_add_ext(&list, names, -1);
	assert_int_equal(X509_REQ_set_pubkey(req, by), 1);
	assert_int_equal(X509_REQ_add_extensions(req, list), 1);
	assert_true(X509_REQ_sign(req, by, EVP_sha256()) > 0);
	n = i2d_X509_REQ(req, &der);
	buf_put(&out, (struct span){ der, (size_t)n });
	OPENSSL_free(der);
	X509_EXTENSION_free(names);
	sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free);
	X509_REQ_free(req);
	return out;
}

static void names_of_another_kind_or_form_are_refused(void **state)
{
	static const char *const bad[] = { "email:a@b.example", "URI:http://a.example/",
		"DNS:a b.example", "DNS:*" };
	struct profile p = { 0 };
	EVP_PKEY *none = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct buf der = with_names(bad[i], key);

		assert_int_not_equal(request_read(buf_span(&der), &p, NULL, &none, NULL), 0);
		assert_null(none);
		buf_done(&der);
	}
}

static void a_weak_key_is_refused(void **state)
{
	OWNED(EVP_PKEY) weak = EVP_RSA_gen(1024);
	struct buf der = with_names("DNS:a.example", weak);
	struct profile p = { 0 };
	EVP_PKEY *none = NULL;
	struct err err;

	(void)state;
	assert_int_equal(request_read(buf_span(&der), &p, NULL, &none, &err), ERR_ARG);
	assert_non_null(strstr(err.msg, "1024 bits"));
	buf_done(&der);
}

static void what_is_no_request_is_refused(void **state)
{
	struct profile p = { 0 };
	EVP_PKEY *none = NULL;

	(void)state;
	assert_int_equal(request_read(bytes(""), &p, NULL, &none, NULL), ERR_FORMAT);
	assert_int_equal(request_read(bytes("-----BEGIN CERTIFICATE REQUEST-----\nAA\n"), &p, NULL,
				 &none, NULL),
		ERR_FORMAT);
	assert_int_equal(request_read(bytes("\x30\x03\x02\x01\x00"), &p, NULL, &none, NULL),
		ERR_FORMAT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(names_and_key_come_back_the_subject_only_if_wanted),
		TEST(a_request_not_signed_by_its_key_is_refused),
		TEST(names_of_another_kind_or_form_are_refused),
		TEST(a_weak_key_is_refused),
		TEST(what_is_no_request_is_refused),
	};

	return cmocka_run_group_tests_name("request", tests, prepare, finish);
}
