/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "rollover/horizon.h"

#include <string.h>

#define T 1800000000000

static const struct horizon_facts plain = { .removed_ms = T,
	.all_ms = T + 4000,
	.now_ms = T + 5000,
	.ttl_s = 300,
	.refresh_s = 3600,
	.expire_s = 604800,
	.signed_until_ms = T + 86400000,
	.margin_s = 10 };

static void caches_hold_it_for_a_ttl_after_the_last_server(void **state)
{
	struct horizon h;

	(void)state;
	horizon_compute(&plain, &h);
	assert_int_equal(h.term_ms[HORIZON_SERVERS], T + 4000);
	assert_int_equal(h.ours_ms, T + 305000);
	assert_int_equal(h.follows_ms, T + 314000);
	assert_int_equal(h.replayed_ms, T + 86410000);
}

static void a_server_that_still_serves_it_may_do_so_until_the_soa_expires(void **state)
{
	struct horizon_facts f = plain;
	struct horizon h;

	(void)state;
	f.all_ms = 0;
	f.signed_until_ms = T + 10000000000;
	horizon_compute(&f, &h);
	assert_int_equal(h.follows_ms, T + (604800 + 300 + 10) * 1000LL);
}

static void nothing_validated_outlives_its_signature(void **state)
{
	struct horizon_facts f = plain;
	struct horizon h;

	(void)state;
	f.all_ms = 0;
	f.signed_until_ms = T + 60000;
	horizon_compute(&f, &h);
	assert_int_equal(h.follows_ms, T + 70000);
	assert_int_equal(h.replayed_ms, T + 70000);
}

static void a_ttl_that_we_stretch_counts_for_us(void **state)
{
	struct horizon_facts f = plain;
	struct horizon h;

	(void)state;
	f.ttl_min_s = 60;
	horizon_compute(&f, &h);
	assert_int_equal(h.ours_ms, T + 365000);
	assert_int_equal(h.follows_ms, T + 365000);
}

static void who_has_no_answer_may_hold_it_as_long_as_he_says(void **state)
{
	struct horizon_facts f = plain;
	struct buf text = { 0 };
	struct horizon h;

	(void)state;
	horizon_compute(&f, &h);
	horizon_write(&f, &h, &text);
	assert_non_null(strstr(buf_string(&text), "outage       not counted           theirs"));
	buf_done(&text);
	f.stale_s = 3600;
	horizon_compute(&f, &h);
	assert_int_equal(h.term_ms[HORIZON_OUTAGE], T + 305000 + 3600000);
	/* Only in an outage, and never beyond the signatures. */
	assert_int_equal(h.ours_ms, T + 305000);
	assert_int_equal(h.replayed_ms, T + 86410000);
	horizon_write(&f, &h, &text);
	assert_non_null(strstr(buf_string(&text),
		"outage       2027-01-15T09:05:05Z  theirs hold it 3600 s more"));
	buf_done(&text);
	f.signed_until_ms = T + 600000;
	horizon_compute(&f, &h);
	assert_int_equal(h.term_ms[HORIZON_OUTAGE], T + 610000);
	f.signed_until_ms = 0;
	horizon_compute(&f, &h);
	assert_int_equal(h.replayed_ms, T + 305000 + 3600000);
}

static void without_a_signature_seen_there_is_no_bound(void **state)
{
	struct horizon_facts f = plain;
	struct buf text = { 0 };
	struct horizon h;

	(void)state;
	f.signed_until_ms = 0;
	horizon_compute(&f, &h);
	assert_false(h.bounded);
	horizon_write(&f, &h, &text);
	assert_non_null(strstr(buf_string(&text), "there is no bound"));
	buf_done(&text);
}

static void who_falls_back_on_pkix_needs_the_crl(void **state)
{
	struct horizon_facts f = plain;
	struct horizon h;

	(void)state;
	f.certificate_ms = T + 900000000;
	horizon_compute(&f, &h);
	assert_int_equal(h.term_ms[HORIZON_PKIX], T + 900000000);
	f.crl_ms = T;
	f.crl_next_ms = T + 3600000;
	horizon_compute(&f, &h);
	assert_int_equal(h.term_ms[HORIZON_PKIX], T + 3600000);
}

static void the_latest_of_all_counts_who_falls_back(void **state)
{
	struct horizon_facts f = plain;
	struct buf text = { 0 };
	struct horizon h;

	(void)state;
	horizon_compute(&f, &h);
	assert_int_equal(h.latest_ms, h.replayed_ms);
	f.certificate_ms = T + 900000000;
	horizon_compute(&f, &h);
	assert_int_equal(h.latest_ms, T + 900000000);
	horizon_write(&f, &h, &text);
	assert_non_null(strstr(buf_string(&text), "no CRL that was given lists it"));
	assert_non_null(strstr(buf_string(&text),
		"falls back on PKIX included, from 2027-01-25T18:00:00Z on"));
	buf_done(&text);
	f.crl_ms = T;
	f.crl_next_ms = T + 3600000;
	horizon_compute(&f, &h);
	assert_int_equal(h.latest_ms, h.replayed_ms);
}

static void the_words_give_each_term_and_both_ends(void **state)
{
	struct buf text = { 0 };
	struct horizon h;
	const char *words;

	(void)state;
	horizon_compute(&plain, &h);
	horizon_write(&plain, &h, &text);
	words = buf_string(&text);
	assert_non_null(strstr(words, "caches       2027-01-15T08:05:14Z  resolvers may hold it"));
	assert_non_null(strstr(words, "TTL of 300 s"));
	assert_non_null(strstr(words, "From 2027-01-15T08:05:14Z on nobody who follows DNS"));
	assert_non_null(strstr(words, "Sardane from 2027-01-15T08:05:05Z"));
	assert_non_null(strstr(words, "replays old answers: from 2027-01-16T08:00:10Z on"));
	buf_done(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(caches_hold_it_for_a_ttl_after_the_last_server),
		TEST(a_server_that_still_serves_it_may_do_so_until_the_soa_expires),
		TEST(nothing_validated_outlives_its_signature),
		TEST(a_ttl_that_we_stretch_counts_for_us),
		TEST(who_has_no_answer_may_hold_it_as_long_as_he_says),
		TEST(without_a_signature_seen_there_is_no_bound),
		TEST(who_falls_back_on_pkix_needs_the_crl),
		TEST(the_latest_of_all_counts_who_falls_back),
		TEST(the_words_give_each_term_and_both_ends),
	};

	return cmocka_run_group_tests_name("rollover/horizon", tests, NULL, NULL);
}
