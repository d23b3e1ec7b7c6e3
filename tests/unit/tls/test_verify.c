/* SPDX-License-Identifier: Apache-2.0 */
/* The traps of DANE verification, decided by the code every handshake goes through. */
#include "certs.h"
#include "check.h"
#include "tls/verify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CLIENT "_ns-client.ns.org-a.example"

static struct certs_leaf root, leaf, other;
static char root_file[64];

/* A chain, records as text, names: one question to verify_chain. */
struct ask {
	enum verify_role role;
	enum tls_mode mode;
	const struct certs_leaf *chain[4];
	const char *records[4];
	const char *name;
	const char *ca;
};

static struct verify_result result;

static int decide(const struct ask *a)
{
	static char pem[20000];
	static uint8_t memory[4][2048];
	struct span rdata[4];
	struct tlsa t;
	size_t n = 0, length = 0;
	struct name name;

	for (; n < 4 && a->records[n]; n++) {
		struct span text = { (const uint8_t *)a->records[n], strlen(a->records[n]) };
		assert_int_equal(tlsa_read_text(text, memory[n] + 3, 2045, &t, NULL), 0);
		memory[n][0] = t.usage;
		memory[n][1] = t.selector;
		memory[n][2] = t.matching;
		rdata[n] = (struct span){ memory[n], t.data.n + 3 };
	}
	if (a->name)
		assert_int_equal(name_of(a->name, &name), 0);
	length = certs_pem(a->chain, pem, sizeof pem);
	struct verify_config config = { .role = a->role,
		.mode = a->mode,
		.chain_pem = { (const uint8_t *)pem, length },
		.rdata = rdata,
		.rdata_count = n,
		.reference = &name,
		.reference_count = a->name ? 1 : 0,
		.ca_cert = a->ca };
	struct err err = { 0 };
	assert_int_equal(verify_chain(&config, &result, &err), 0);
	return result.peer.authenticated ? 0 : (int)result.peer.refusal;
}

static const char *tlsa(const struct certs_leaf *of, int u, int s, int m)
{
	static char text[8][4200];
	static int next;
	char *to = text[next++ % 8];

	certs_tlsa(of, u, s, m, to, sizeof text[0]);
	return to;
}

static void dane_ee_matches_every_selector_and_matching_type(void **state)
{
	(void)state;
	for (int s = 0; s < 2; s++)
		for (int m = 0; m < 3; m++) {
			struct ask a = { VERIFY_CLIENT, TLS_DANE, { &leaf },
				{ tlsa(&leaf, 3, s, m) }, CLIENT, NULL };
			assert_int_equal(decide(&a), 0);
			assert_int_equal(result.peer.how, PEER_BY_DANE);
			assert_int_equal(result.peer.usage, 3);
			assert_int_equal(result.peer.selector, s);
			assert_int_equal(result.peer.matching, m);
			assert_int_equal(result.peer.depth, 0);
			assert_true(result.record[0].matched);
		}
}

static void dane_ee_looks_at_neither_name_nor_date_nor_purpose(void **state)
{
	struct certs_leaf old = certs_make(&(struct certs_wish){ .expired = true,
		.usage = "serverAuth",
		.san = "DNS:elsewhere.example" });
	struct ask a = { VERIFY_CLIENT, TLS_DANE, { &old }, { tlsa(&old, 3, 1, 1) }, CLIENT, NULL };

	(void)state;
	assert_int_equal(decide(&a), 0);
	certs_drop(&old);
}

static void the_key_of_another_does_not_match(void **state)
{
	struct ask a = { VERIFY_CLIENT, TLS_DANE, { &leaf }, { tlsa(&other, 3, 1, 1) }, CLIENT,
		NULL };

	(void)state;
	assert_int_equal(decide(&a), PEER_REFUSED_NO_MATCH);
	assert_false(result.record[0].matched);
	assert_int_equal(result.record[0].depth, -1);
}

static void no_record_at_all_is_no_proof_even_with_a_trusted_ca(void **state)
{
	struct ask a = { VERIFY_CLIENT, TLS_DANE, { &leaf, &root }, { NULL }, CLIENT, root_file };

	(void)state;
	assert_int_equal(decide(&a), PEER_REFUSED_UNUSABLE);
}

static void only_unusable_records_are_no_proof_either(void **state)
{
	struct ask a = { VERIFY_CLIENT, TLS_DANE, { &leaf, &root },
		{ "3 1 1 abcd", "3 1 9 abcd", "77 1 1 ab", "3 0 0 3000" }, CLIENT, root_file };

	(void)state;
	assert_int_equal(decide(&a), PEER_REFUSED_UNUSABLE);
	for (int i = 0; i < 4; i++)
		assert_false(result.record[i].matched);
}

static void dane_ta_needs_the_name_in_the_certificate(void **state)
{
	struct ask a = { VERIFY_CLIENT, TLS_DANE, { &leaf, &root }, { tlsa(&root, 2, 0, 1) },
		CLIENT, NULL };

	(void)state;
	assert_int_equal(decide(&a), 0);
	assert_int_equal(result.peer.depth, 1);
	a.name = "_other.org-a.example";
	assert_int_equal(decide(&a), PEER_REFUSED_WRONG_NAME);
	a.name = NULL;
	assert_int_equal(decide(&a), PEER_REFUSED_UNUSABLE);
}

static void a_trust_anchor_that_is_not_sent_must_be_whole_in_dns(void **state)
{
	struct ask a = { VERIFY_CLIENT, TLS_DANE, { &leaf }, { tlsa(&root, 2, 0, 1) }, CLIENT,
		NULL };

	(void)state;
	assert_int_not_equal(decide(&a), 0);
	a.records[0] = tlsa(&root, 2, 0, 0);
	assert_int_equal(decide(&a), 0);
	assert_int_equal(result.peer.depth, 1);
	a.records[0] = tlsa(&root, 2, 1, 0);
	assert_int_equal(decide(&a), 0);
}

static void a_leaf_is_no_trust_anchor_of_itself(void **state)
{
	struct certs_leaf alone = certs_make(&(struct certs_wish){ .san = "DNS:" CLIENT });
	struct ask a = { VERIFY_CLIENT, TLS_DANE, { &alone }, { tlsa(&alone, 2, 0, 1) }, CLIENT,
		NULL };

	(void)state;
	assert_int_not_equal(decide(&a), 0);
	certs_drop(&alone);
}

static void names_are_compared_without_case(void **state)
{
	struct ask a = { VERIFY_CLIENT, TLS_DANE, { &leaf, &root }, { tlsa(&root, 2, 0, 1) },
		"_NS-Client.ns.ORG-A.example", NULL };

	(void)state;
	assert_int_equal(decide(&a), 0);
}

static void dane_ta_does_not_read_the_common_name(void **state)
{
	struct certs_leaf cn =
		certs_make(&(struct certs_wish){ .cn = "client.example", .issuer = &root });
	struct ask a = { VERIFY_CLIENT, TLS_DANE, { &cn, &root }, { tlsa(&root, 2, 0, 1) },
		"client.example", NULL };

	(void)state;
	assert_int_equal(decide(&a), PEER_REFUSED_WRONG_NAME);
	a.role = VERIFY_SERVER;
	assert_int_equal(decide(&a), PEER_REFUSED_WRONG_NAME);
	certs_drop(&cn);
}

static void a_wildcard_speaks_for_no_client(void **state)
{
	struct certs_leaf wild =
		certs_make(&(struct certs_wish){ .san = "DNS:*.org-a.example", .issuer = &root });
	struct ask a = { VERIFY_CLIENT, TLS_DANE, { &wild, &root }, { tlsa(&root, 2, 0, 1) },
		"ns.org-a.example", NULL };

	(void)state;
	assert_int_equal(decide(&a), PEER_REFUSED_WRONG_NAME);
	a.role = VERIFY_SERVER;
	assert_int_equal(decide(&a), 0);
	certs_drop(&wild);
}

static void a_forged_chain_with_the_real_ca_behind_it_is_refused(void **state)
{
	struct certs_leaf ca = certs_make(&(struct certs_wish){ .cn = "evil", .authority = true });
	struct certs_leaf fake =
		certs_make(&(struct certs_wish){ .san = "DNS:" CLIENT, .issuer = &ca });
	struct ask a = { VERIFY_CLIENT, TLS_DANE, { &fake, &ca, &root },
		{ tlsa(&root, 2, 0, 1), tlsa(&root, 2, 1, 0), tlsa(&root, 2, 0, 0) }, CLIENT,
		NULL };

	(void)state;
	assert_int_not_equal(decide(&a), 0);
	/* The same with a CA of the same name as the real one. */
	certs_drop(&ca);
	certs_drop(&fake);
	ca = certs_make(&(struct certs_wish){ .cn = "root", .authority = true });
	fake = certs_make(&(struct certs_wish){ .san = "DNS:" CLIENT, .issuer = &ca });
	assert_int_not_equal(decide(&a), 0);
	certs_drop(&ca);
	certs_drop(&fake);
}

static void dane_ta_reads_dates_and_purpose(void **state)
{
	struct certs_leaf old = certs_make(
		&(struct certs_wish){ .san = "DNS:" CLIENT, .issuer = &root, .expired = true });
	struct certs_leaf server = certs_make(&(
		struct certs_wish){ .san = "DNS:" CLIENT, .issuer = &root, .usage = "serverAuth" });
	struct ask a = { VERIFY_CLIENT, TLS_DANE, { &old, &root }, { tlsa(&root, 2, 0, 1) }, CLIENT,
		NULL };

	(void)state;
	assert_int_equal(decide(&a), PEER_REFUSED_CHAIN);
	a.chain[0] = &server;
	assert_int_equal(decide(&a), PEER_REFUSED_CHAIN);
	certs_drop(&old);
	certs_drop(&server);
}

static void the_strongest_digest_decides_alone(void **state)
{
	struct ask a = { VERIFY_CLIENT, TLS_DANE, { &leaf },
		{ tlsa(&leaf, 3, 1, 1), tlsa(&other, 3, 1, 2) }, CLIENT, NULL };

	(void)state;
	assert_int_equal(decide(&a), PEER_REFUSED_NO_MATCH);
	assert_false(result.record[0].counts);
	assert_false(result.record[0].matched);
}

static void one_good_record_among_bad_ones_is_enough(void **state)
{
	struct ask a = { VERIFY_CLIENT, TLS_DANE, { &leaf },
		{ "9 9 9 00", tlsa(&other, 3, 1, 1), tlsa(&leaf, 3, 1, 1) }, CLIENT, NULL };

	(void)state;
	assert_int_equal(decide(&a), 0);
	assert_false(result.record[0].counts);
	assert_false(result.record[1].matched);
	assert_true(result.record[2].matched);
}

static void a_weak_key_is_refused_though_it_matches(void **state)
{
	struct certs_leaf weak = certs_make(&(struct certs_wish){ .rsa_bits = 1024 });
	struct ask a = { VERIFY_CLIENT, TLS_DANE, { &weak }, { tlsa(&weak, 3, 1, 1) }, CLIENT,
		NULL };

	(void)state;
	assert_int_equal(decide(&a), PEER_REFUSED_CHAIN);
	certs_drop(&weak);
}

static void pkix_usages_need_the_store_and_the_record(void **state)
{
	struct ask a = { VERIFY_CLIENT, TLS_DANE, { &leaf, &root }, { tlsa(&leaf, 1, 1, 1) },
		CLIENT, root_file };

	(void)state;
	assert_int_equal(decide(&a), 0);
	a.ca = NULL;
	assert_int_not_equal(decide(&a), 0);
	a.ca = root_file;
	a.records[0] = tlsa(&other, 1, 1, 1);
	assert_int_not_equal(decide(&a), 0);
	a.records[0] = tlsa(&root, 0, 0, 1);
	assert_int_equal(decide(&a), 0);
}

static void pkix_mode_wants_chain_name_and_date(void **state)
{
	struct certs_leaf old = certs_make(
		&(struct certs_wish){ .san = "DNS:" CLIENT, .issuer = &root, .expired = true });
	struct ask a = { VERIFY_CLIENT, TLS_PKIX, { &leaf, &root }, { NULL }, CLIENT, root_file };

	(void)state;
	assert_int_equal(decide(&a), 0);
	assert_int_equal(result.peer.how, PEER_BY_PKIX);
	a.name = "other.example";
	assert_int_equal(decide(&a), PEER_REFUSED_WRONG_NAME);
	a.name = NULL;
	assert_int_equal(decide(&a), PEER_REFUSED_WRONG_NAME);
	a.name = CLIENT;
	a.ca = NULL;
	assert_int_equal(decide(&a), PEER_REFUSED_CHAIN);
	a.ca = root_file;
	a.chain[0] = &old;
	assert_int_equal(decide(&a), PEER_REFUSED_CHAIN);
	certs_drop(&old);
}

static void an_escaped_dot_is_not_a_dot(void **state)
{
	struct ask a = { VERIFY_CLIENT, TLS_DANE, { &leaf, &root }, { tlsa(&root, 2, 0, 1) },
		"_ns-client\\.ns.org-a.example", NULL };

	(void)state;
	assert_int_not_equal(decide(&a), 0);
}

static int make_all(void **state)
{
	char folder[] = "/tmp/test-verify-XXXXXX";

	(void)state;
	root = certs_make(&(struct certs_wish){ .cn = "root", .authority = true });
	leaf = certs_make(&(struct certs_wish){ .san = "DNS:" CLIENT, .issuer = &root });
	other = certs_make(&(struct certs_wish){ .san = "DNS:" CLIENT, .issuer = &root });
	if (!mkdtemp(folder))
		return -1;
	certs_write(folder, "root", &root, NULL);
	snprintf(root_file, sizeof root_file, "%s/root.pem", folder);
	return 0;
}

static int drop_all(void **state)
{
	(void)state;
	unlink(root_file);
	root_file[strlen(root_file) - 4] = 0;
	strcat(root_file, "-key.pem");
	unlink(root_file);
	*strrchr(root_file, '/') = 0;
	rmdir(root_file);
	certs_drop(&root);
	certs_drop(&leaf);
	certs_drop(&other);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(dane_ee_matches_every_selector_and_matching_type),
		TEST(dane_ee_looks_at_neither_name_nor_date_nor_purpose),
		TEST(the_key_of_another_does_not_match),
		TEST(no_record_at_all_is_no_proof_even_with_a_trusted_ca),
		TEST(only_unusable_records_are_no_proof_either),
		TEST(dane_ta_needs_the_name_in_the_certificate),
		TEST(a_trust_anchor_that_is_not_sent_must_be_whole_in_dns),
		TEST(a_leaf_is_no_trust_anchor_of_itself),
		TEST(names_are_compared_without_case),
		TEST(dane_ta_does_not_read_the_common_name),
		TEST(a_wildcard_speaks_for_no_client),
		TEST(a_forged_chain_with_the_real_ca_behind_it_is_refused),
		TEST(dane_ta_reads_dates_and_purpose),
		TEST(the_strongest_digest_decides_alone),
		TEST(one_good_record_among_bad_ones_is_enough),
		TEST(a_weak_key_is_refused_though_it_matches),
		TEST(pkix_usages_need_the_store_and_the_record),
		TEST(pkix_mode_wants_chain_name_and_date),
		TEST(an_escaped_dot_is_not_a_dot),
	};

	return cmocka_run_group_tests(tests, make_all, drop_all);
}
