/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/issuance.h"
#include "ca/revocation.h"
#include "check.h"
#include "scratch.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <time.h>

static struct state *s;

static int prepare(void **state)
{
	struct profile p = { .role = PROFILE_ROOT,
		.common_name = "R",
		.life_s = 900000,
		.path_len = 1 };
	struct authority_order order = { .profile = &p };

	return scratch_begin(state) || issuance_root("ca", &order, NULL) ||
		state_open("ca", NULL, &s, NULL);
}

static int finish(void **state)
{
	state_close(s);
	return scratch_end(state);
}

static void issue(const char *prefix, char serial[FACTS_SERIAL_MAX])
{
	struct profile p = { .role = PROFILE_SERVER, .life_s = 90000, .path_len = -1 };
	struct authority_order order = { .profile = &p };
	char path[64];
	struct facts f;

	assert_int_equal(profile_add_san(&p, "js.a.example", NULL), 0);
	assert_int_equal(issuance_files(s, prefix, &order, NULL), 0);
	snprintf(path, sizeof(path), "%s.pem", prefix);
	assert_int_equal(facts_load(path, &f, NULL), 0);
	memcpy(serial, f.serial, FACTS_SERIAL_MAX);
	facts_done(&f);
}

static X509_CRL *published(struct revocation_list *list)
{
	FILE *f;
	X509_CRL *crl;
	struct err err;

	if (revocation_publish(s, "crl.pem", 3600, list, &err) != 0)
		fail_msg("%s", err.msg);
	f = fopen("crl.pem", "r");
	crl = PEM_read_X509_CRL(f, NULL, NULL, NULL);
	fclose(f);
	assert_non_null(crl);
	return crl;
}

static void a_list_holds_what_was_revoked_and_verifies(void **state)
{
	char one[FACTS_SERIAL_MAX], two[FACTS_SERIAL_MAX], three[FACTS_SERIAL_MAX];
	enum ledger_answer answer;
	struct revocation_list list;
	X509_CRL *crl;
	X509_REVOKED *entry = NULL;
	ASN1_ENUMERATED *reason;

	(void)state;
	issue("one", one);
	issue("two", two);
	issue("three", three);
	assert_int_equal(revocation_add(s, one, 1, &answer, NULL), 0);
	assert_int_equal(answer, LEDGER_REVOKED);
	assert_int_equal(revocation_add(s, two, 0, &answer, NULL), 0);
	assert_int_equal(revocation_add(s, one, 4, &answer, NULL), 0);
	assert_int_equal(answer, LEDGER_ALREADY);
	assert_int_equal(revocation_add(s, "00", 4, &answer, NULL), 0);
	assert_int_equal(answer, LEDGER_UNKNOWN);
	crl = published(&list);
	assert_int_equal(list.number, 1);
	assert_int_equal(list.entries, 2);
	assert_int_equal(X509_CRL_get_version(crl), X509_CRL_VERSION_2);
	assert_int_equal(X509_CRL_verify(crl, authority_key(s->authority)), 1);
	for (int i = 0; i < 3; i++) {
		static const char *const files[] = { "one.pem", "two.pem", "three.pem" };
		OWNED(pemfile_chain) chain = NULL;

		assert_int_equal(pemfile_read_chain(files[i], &chain, NULL), 0);
		assert_int_equal(X509_CRL_get0_by_cert(crl, &entry, sk_X509_value(chain, 0)),
			i < 2);
		if (i == 0) {
			reason = X509_REVOKED_get_ext_d2i(entry, NID_crl_reason, NULL, NULL);
			assert_int_equal(ASN1_ENUMERATED_get(reason), 1);
			ASN1_ENUMERATED_free(reason);
		} else if (i == 1) {
			assert_int_equal(X509_REVOKED_get_ext_count(entry), 0);
		}
	}
	X509_CRL_free(crl);
}

static void numbers_grow_by_one(void **state)
{
	struct revocation_list a, b;

	(void)state;
	X509_CRL_free(published(&a));
	X509_CRL_free(published(&b));
	assert_int_equal(b.number, a.number + 1);
}

/* RFC 5280 section 3.3. */
static void an_entry_leaves_after_a_list_past_its_end(void **state)
{
	const int64_t now = (int64_t)time(NULL);
	struct facts own;
	struct ledger_entry e = { .serial = "0101",
		.subject = "",
		.names = "",
		.profile = "x",
		.prefix = "",
		.not_before = 1,
		.not_after = now - 10,
		.issued_at = 1,
		.revoked_at = 5,
		.state = LEDGER_DONE,
		.der = bytes("x") };
	struct revocation_list before, with, without;
	uint64_t number;

	(void)state;
	assert_int_equal(facts_load("ca/ca.pem", &own, NULL), 0);
	e.issuer = own.own;
	X509_CRL_free(published(&before));
	/* as if the last list had been made before its end */
	assert_int_equal(ledger_next_crl(s->ledger, own.own, now - 20, &number, NULL), 0);
	assert_int_equal(ledger_add(s->ledger, &e, NULL), 0);
	X509_CRL_free(published(&with));
	X509_CRL_free(published(&without));
	assert_int_equal(with.entries, before.entries + 1);
	assert_int_equal(without.entries, before.entries);
	facts_done(&own);
}

/* One of our serial numbers, under a signature of somebody else's. */
static void another_authority_that_takes_our_serial_number_revokes_nothing(void **state)
{
	OWNED(pemfile_chain) chain = NULL;
	EVP_PKEY *key = EVP_EC_gen("P-256");
	char ours[FACTS_SERIAL_MAX], serial[FACTS_SERIAL_MAX];
	bool is_ours = true;
	FILE *f;

	(void)state;
	issue("mine", ours);
	assert_int_equal(pemfile_read_chain("mine.pem", &chain, NULL), 0);
	assert_true(X509_sign(sk_X509_value(chain, 0), key, EVP_sha256()) > 0);
	f = fopen("theirs.pem", "w");
	PEM_write_X509(f, sk_X509_value(chain, 0));
	fclose(f);
	EVP_PKEY_free(key);
	assert_int_equal(revocation_adopt(s, "theirs.pem", serial, &is_ours, NULL), 0);
	assert_string_equal(serial, ours);
	assert_false(is_ours);
	assert_int_equal(revocation_adopt(s, "mine.pem", serial, &is_ours, NULL), 0);
	assert_true(is_ours);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_list_holds_what_was_revoked_and_verifies),
		TEST(numbers_grow_by_one),
		TEST(an_entry_leaves_after_a_list_past_its_end),
		TEST(another_authority_that_takes_our_serial_number_revokes_nothing),
	};

	return cmocka_run_group_tests_name("revocation", tests, prepare, finish);
}
