/* SPDX-License-Identifier: Apache-2.0 */
/* Proofs against answers that are made here, in fake time: resolver_ask is the test's (--wrap). */
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dane/tlsaset.h"
#include "dns/rr.h"
#include "net/proof.h"

#define START    1000000
#define EXPIRES  (START + 60000)
#define ALL      UINT64_MAX
#define ONE      0 /* time for one, and no more */
#define HOLD_MAX 10000

static struct {
	struct proofs *proofs;
	struct answer *answer; /* to the next question; NULL: it waits */
	struct ask *waits;
	unsigned asked, lost, due;
	bool silent; /* said of the last that was lost */
	char why[200];
	struct proof_hold hold[HOLD_MAX];
	struct proof_hold *goes_too; /* given back by who is told first */
} t;

void __wrap_resolver_ask(struct resolver *r, const struct question *q, uint64_t source,
	unsigned timeout_ms, struct ask *ask);

void __wrap_resolver_ask(struct resolver *r, const struct question *q, uint64_t source,
	unsigned timeout_ms, struct ask *ask)
{
	(void)r, (void)source, (void)timeout_ms;
	assert_int_equal(q->type, RR_TLSA);
	*ask = (struct ask){ .wake = ask->wake, .arg = ask->arg };
	t.asked++;
	if (t.answer)
		ask->answer = answer_keep(t.answer);
	else
		t.waits = ask;
}

static void lost(void *arg, struct proof_hold *h, bool silent, const char *why)
{
	(void)arg;
	assert_null(h->of);
	t.lost++;
	t.silent = silent;
	snprintf(t.why, sizeof(t.why), "%s", why);
	if (t.goes_too)
		proof_give(t.goes_too);
	t.goes_too = NULL;
}

static void due(void *arg)
{
	(void)arg;
	t.due++;
}

/* A set of "3 1 1" records, each of 32 octets of its key's number; ends with 0. */
static void answers(enum answer_status status, const uint8_t *keys, int64_t expires_ms)
{
	uint8_t rdata[8][35];
	struct span record[8];
	uint16_t count = 0;

	for (; keys && keys[count]; count++) {
		memcpy(rdata[count], (uint8_t[]){ 3, 1, 1 }, 3);
		memset(rdata[count] + 3, keys[count], 32);
		record[count] = (struct span){ rdata[count], 35 };
	}
	answer_drop(t.answer);
	t.answer = answer_new(status, record, count, "");
	t.answer->expires_ms = expires_ms;
}

static void secure(const char *keys, int64_t expires_ms)
{
	answers(ANSWER_SECURE, (const uint8_t *)keys, expires_ms);
}

/* Who was proved by the answer that is there. */
static struct peer peer(uint8_t key)
{
	struct peer p;

	peer_init(&p);
	p.how = PEER_BY_DANE;
	assert_int_equal(name_of("_ns.a.example", &p.tlsa_owner), 0);
	p.expires_ms = t.answer->expires_ms;
	memset(p.spki_sha256, key, 32);
	assert_int_equal(tlsaset_hash(t.answer->rdata, t.answer->count, p.tlsa_sha256, NULL), 0);
	return p;
}

static void take(unsigned index, uint8_t key)
{
	struct peer p = peer(key);

	assert_int_equal(proof_take(t.proofs, START, &p, 1, &t.hold[index]), 0);
	assert_non_null(t.hold[index].of);
}

static void begin(unsigned grace_ms)
{
	const struct proof_config config = { .grace_ms = grace_ms, .due = due, .lost = lost };

	answer_drop(t.answer);
	memset(&t, 0, sizeof(t));
	assert_int_equal(proof_table_new(&config, &t.proofs, NULL), 0);
	secure("\1\2", EXPIRES);
}

static void end(void)
{
	for (unsigned i = 0; i < HOLD_MAX; i++)
		proof_give(&t.hold[i]);
	assert_int_equal(proof_table_count(t.proofs), 0);
	assert_int_equal(proof_next_ms(t.proofs), INT64_MAX);
	proof_table_free(t.proofs);
	answer_drop(t.answer);
	t.answer = NULL;
}

static void ten_thousand_of_one_name_cost_one_question(void **state)
{
	(void)state;
	begin(0);
	for (unsigned i = 0; i < HOLD_MAX; i++)
		take(i, 1);
	assert_int_equal(proof_table_count(t.proofs), 1);
	for (int64_t now = START; now < EXPIRES; now += 250)
		proof_tick(t.proofs, now, ALL);
	assert_int_equal(t.asked, 0);
	secure("\1\2", EXPIRES + 60000);
	proof_tick(t.proofs, EXPIRES + 250, ALL);
	proof_tick(t.proofs, EXPIRES + 30000, ALL);
	assert_int_equal(t.asked, 1);
	assert_int_equal(t.lost, 0);
	end();
}

static void the_loss_is_told_to_each_in_portions(void **state)
{
	(void)state;
	begin(0);
	for (unsigned i = 0; i < 100; i++)
		take(i, 1);
	answers(ANSWER_DENIAL, NULL, EXPIRES + 60000);
	for (unsigned i = 0; i < 11; i++)
		proof_tick(t.proofs, EXPIRES, ONE);
	assert_int_equal(t.lost, 10);
	/* And there is more to do, at once. */
	assert_true(proof_next_ms(t.proofs) <= EXPIRES);
	t.goes_too = &t.hold[50];
	proof_tick(t.proofs, EXPIRES, ALL);
	assert_int_equal(t.lost, 99);
	assert_string_equal(t.why, "the TLSA was removed");
	assert_int_equal(t.asked, 1);
	assert_int_equal(proof_table_count(t.proofs), 0);
	end();
}

static void the_last_may_go_with_who_is_told(void **state)
{
	(void)state;
	begin(0);
	take(0, 1);
	take(1, 1);
	answers(ANSWER_DENIAL, NULL, EXPIRES + 60000);
	t.goes_too = &t.hold[0];
	proof_tick(t.proofs, EXPIRES, ALL);
	proof_tick(t.proofs, EXPIRES, ALL);
	assert_int_equal(t.lost, 1);
	end();
}

static void another_key_of_the_name_is_another_proof(void **state)
{
	(void)state;
	begin(0);
	take(0, 1);
	take(1, 2);
	assert_int_equal(proof_table_count(t.proofs), 2);
	secure("\2\3", EXPIRES + 60000);
	proof_tick(t.proofs, EXPIRES, ALL);
	assert_int_equal(t.asked, 2);
	assert_int_equal(t.lost, 1);
	assert_null(t.hold[0].of);
	assert_non_null(t.hold[1].of);
	end();
}

static void another_set_of_records_is_another_proof(void **state)
{
	(void)state;
	begin(0);
	take(0, 9);
	secure("\1\2\3", EXPIRES);
	take(1, 9);
	assert_int_equal(proof_table_count(t.proofs), 2);
	proof_tick(t.proofs, EXPIRES, ALL);
	assert_int_equal(t.lost, 1);
	assert_null(t.hold[0].of);
	assert_string_equal(t.why, "the TLSA was replaced");
	assert_false(t.silent);
	end();
}

static void the_soonest_end_counts(void **state)
{
	(void)state;
	begin(0);
	secure("\1\2", EXPIRES + 600000);
	take(0, 1);
	secure("\1\2", EXPIRES);
	take(1, 1);
	assert_int_equal(proof_table_count(t.proofs), 1);
	assert_true(t.due >= 2);
	proof_tick(t.proofs, EXPIRES, ALL);
	assert_int_equal(t.asked, 1);
	end();
}

static void without_an_answer_it_is_asked_for_two_seconds_more(void **state)
{
	(void)state;
	begin(0);
	take(0, 1);
	answers(ANSWER_FAILED, NULL, EXPIRES + 1000);
	for (int64_t now = EXPIRES; now < EXPIRES + 2000; now += 250)
		proof_tick(t.proofs, now, ALL);
	assert_int_equal(t.asked, 8);
	assert_int_equal(t.lost, 0);
	proof_tick(t.proofs, EXPIRES + 2250, ALL);
	proof_tick(t.proofs, EXPIRES + 2250, ALL);
	assert_int_equal(t.lost, 1);
	assert_true(t.silent);
	end();
}

static void grace_ends_with_its_time_or_with_the_records(void **state)
{
	(void)state;
	begin(5000);
	take(0, 1);
	answers(ANSWER_DENIAL, NULL, EXPIRES + 1000);
	for (int64_t now = EXPIRES; now < EXPIRES + 4000; now += 250)
		proof_tick(t.proofs, now, ALL);
	assert_int_equal(t.lost, 0);
	assert_in_range(t.asked, 3, 5);
	secure("\1", EXPIRES + 10000);
	proof_tick(t.proofs, EXPIRES + 4250, ALL);
	answers(ANSWER_DENIAL, NULL, EXPIRES + 11000);
	for (int64_t now = EXPIRES + 4500; now <= EXPIRES + 14750; now += 250)
		proof_tick(t.proofs, now, ALL);
	assert_int_equal(t.lost, 0);
	for (int64_t now = EXPIRES + 15000; now <= EXPIRES + 16500; now += 250)
		proof_tick(t.proofs, now, ALL);
	assert_int_equal(t.lost, 1);
	end();
}

static void one_that_is_lost_takes_nobody_in(void **state)
{
	(void)state;
	begin(5000);
	take(0, 1);
	answers(ANSWER_DENIAL, NULL, EXPIRES + 1000);
	proof_tick(t.proofs, EXPIRES, ALL);
	secure("\1\2", EXPIRES + 60000);
	take(1, 1);
	assert_int_equal(proof_table_count(t.proofs), 2);
	end();
}

static void an_answer_that_comes_late_is_judged_by_the_next_tick(void **state)
{
	unsigned before;

	(void)state;
	begin(0);
	take(0, 1);
	take(1, 1);
	answer_drop(t.answer);
	t.answer = NULL;
	proof_tick(t.proofs, EXPIRES, ALL);
	assert_int_equal(t.asked, 1);
	proof_tick(t.proofs, EXPIRES + 1000, ALL);
	assert_int_equal(t.asked, 1);
	answers(ANSWER_DENIAL, NULL, EXPIRES + 60000);
	before = t.due;
	t.waits->answer = answer_keep(t.answer);
	t.waits->wake(t.waits);
	assert_int_equal(t.lost, 0);
	assert_int_equal(t.due, before + 1);
	proof_tick(t.proofs, EXPIRES + 1001, ALL);
	assert_int_equal(t.lost, 2);
	end();
}

static void who_rests_on_nothing_that_expires_holds_nothing(void **state)
{
	struct peer p;

	(void)state;
	begin(0);
	p = peer(1);
	p.how = PEER_BY_PKIX;
	assert_int_equal(proof_take(t.proofs, START, &p, 1, &t.hold[0]), 0);
	assert_null(t.hold[0].of);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(ten_thousand_of_one_name_cost_one_question),
		TEST(the_loss_is_told_to_each_in_portions),
		TEST(the_last_may_go_with_who_is_told),
		TEST(another_key_of_the_name_is_another_proof),
		TEST(another_set_of_records_is_another_proof),
		TEST(the_soonest_end_counts),
		TEST(without_an_answer_it_is_asked_for_two_seconds_more),
		TEST(grace_ends_with_its_time_or_with_the_records),
		TEST(one_that_is_lost_takes_nobody_in),
		TEST(an_answer_that_comes_late_is_judged_by_the_next_tick),
		TEST(who_rests_on_nothing_that_expires_holds_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
