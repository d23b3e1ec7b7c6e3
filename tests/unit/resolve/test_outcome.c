/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "dns/message.h"
#include "resolve/outcome.h"

#include <stdlib.h>
#include <string.h>

static struct question asked(void)
{
	struct question q = { .type = RR_A };

	assert_int_equal(name_of("a.example", &q.name), 0);
	return q;
}

/* An answer to a.example A, as a server would send it, with or without a record. */
static struct span made(uint16_t flags, bool record, uint8_t out[128])
{
	static const uint8_t question[] = "\1a\7example\0\0\1\0\1";
	static const uint8_t rr[] = "\300\14\0\1\0\1\0\0\0\74\0\4\177\0\0\1";
	struct sink s = sink_into(out, 128);

	sink_u16_be(&s, 1);
	sink_u16_be(&s, flags);
	sink_u16_be(&s, 1);
	sink_u16_be(&s, record);
	sink_u32_be(&s, 0);
	sink_put(&s, (struct span){ question, sizeof(question) - 1 });
	if (record)
		sink_put(&s, (struct span){ rr, sizeof(rr) - 1 });
	return sink_span(&s);
}

static const struct row {
	enum outcome_judgement judgement;
	uint16_t rcode;
	bool record;
	enum answer_status status;
	uint16_t count;
} rows[] = {
	{ OUTCOME_SECURE, 0, true, ANSWER_SECURE, 1 },
	{ OUTCOME_SECURE, 0, false, ANSWER_DENIAL, 0 },
	{ OUTCOME_SECURE, 3, false, ANSWER_DENIAL, 0 },
	{ OUTCOME_SECURE, 3, true, ANSWER_FAILED, 0 },
	{ OUTCOME_SECURE, 2, false, ANSWER_FAILED, 0 },
	{ OUTCOME_SECURE, 2, true, ANSWER_FAILED, 0 },
	{ OUTCOME_SECURE, 5, true, ANSWER_FAILED, 0 },
	{ OUTCOME_INSECURE, 0, true, ANSWER_INSECURE, 1 },
	{ OUTCOME_INSECURE, 0, false, ANSWER_INSECURE, 0 },
	{ OUTCOME_INSECURE, 3, false, ANSWER_INSECURE, 0 },
	{ OUTCOME_INSECURE, 2, true, ANSWER_FAILED, 0 },
	{ OUTCOME_BOGUS, 0, true, ANSWER_BOGUS, 0 },
	{ OUTCOME_BOGUS, 0, false, ANSWER_BOGUS, 0 },
	{ OUTCOME_BOGUS, 3, false, ANSWER_BOGUS, 0 },
	{ OUTCOME_BOGUS, 2, true, ANSWER_BOGUS, 0 },
};

static void judge(struct span message, enum outcome_judgement judgement, struct wire_answer *out)
{
	static uint8_t room[WIRE_RDATA_MAX];
	struct sink s = sink_into(room, sizeof(room));
	struct question q = asked();

	*out = (struct wire_answer){ .id = 9 };
	outcome_of(message, &q, judgement, "signature expired", &s, out);
	assert_int_equal(out->id, 9);
}

static void every_row_of_the_table_comes_to_its_status(void **state)
{
	uint8_t octets[128];
	struct wire_answer a;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		judge(made(0x8180 | rows[i].rcode, rows[i].record, octets), rows[i].judgement, &a);
		assert_int_equal(a.status, rows[i].status);
		assert_int_equal(a.count, rows[i].count);
		assert_int_equal(a.nxdomain,
			a.status != ANSWER_BOGUS && a.status != ANSWER_FAILED &&
				rows[i].rcode == 3);
		assert_int_equal(a.why[0] != 0,
			a.status == ANSWER_FAILED || a.status == ANSWER_BOGUS);
	}
}

static void bogus_says_why_and_does_not_look_at_the_message(void **state)
{
	struct wire_answer a;

	(void)state;
	judge((struct span){ NULL, 0 }, OUTCOME_BOGUS, &a);
	assert_int_equal(a.status, ANSWER_BOGUS);
	assert_string_equal(a.why, "signature expired");
}

static void what_cannot_be_read_is_failed_whatever_the_judgement(void **state)
{
	uint8_t octets[128];
	struct span whole = made(0x8180, true, octets);
	struct wire_answer a;

	(void)state;
	for (size_t n = 0; n < whole.n; n++) {
		judge((struct span){ whole.p, n }, OUTCOME_SECURE, &a);
		assert_int_equal(a.status, ANSWER_FAILED);
		assert_int_equal(a.count, 0);
	}
	judge(made(0x0100, true, octets), OUTCOME_SECURE, &a);
	assert_int_equal(a.status, ANSWER_FAILED);
	judge(made(0x8380, true, octets), OUTCOME_SECURE, &a);
	assert_int_equal(a.status, ANSWER_FAILED);
}

static void an_answer_to_another_question_is_failed(void **state)
{
	uint8_t octets[128];
	struct span s = made(0x8180, true, octets);
	struct wire_answer a;

	(void)state;
	octets[13] = 'b';
	judge(s, OUTCOME_SECURE, &a);
	assert_int_equal(a.status, ANSWER_FAILED);
	assert_non_null(strstr(a.why, "another question"));
}

static void says_how_long_the_signatures_hold(void **state)
{
	/* The same message with an RRSIG over the A, until 1000. */
	static const uint8_t rrsig[] = "\300\14\0\56\0\1\0\0\0\74\0\24"
				       "\0\1\15\2\0\0\0\74\0\0\3\350\0\0\0\0\0\0\0";
	struct question q = asked();
	uint8_t octets[128];
	struct span m = made(0x8180, true, octets);

	(void)state;
	assert_int_equal(outcome_signed_for(m, &q.name, RR_A, 500), 0);
	memcpy(octets + m.n, rrsig, sizeof(rrsig));
	m.n += sizeof(rrsig);
	octets[7] = 2;
	assert_int_equal(outcome_signed_for(m, &q.name, RR_A, 400), 600);
	assert_int_equal(outcome_signed_for(m, &q.name, RR_A, 1000), 0);
	assert_int_equal(outcome_signed_for(m, &q.name, RR_A, 1001), 0);
	assert_int_equal(outcome_signed_for(m, &q.name, RR_TLSA, 400), 0);
	m.n--;
	assert_int_equal(outcome_signed_for(m, &q.name, RR_A, 400), 0);
}

static void names_rcodes(void **state)
{
	char out[12];

	(void)state;
	assert_string_equal(outcome_rcode_word(2, out, sizeof(out)), "SERVFAIL");
	assert_string_equal(outcome_rcode_word(4095, out, sizeof(out)), "rcode 4095");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_row_of_the_table_comes_to_its_status),
		TEST(bogus_says_why_and_does_not_look_at_the_message),
		TEST(what_cannot_be_read_is_failed_whatever_the_judgement),
		TEST(an_answer_to_another_question_is_failed),
		TEST(says_how_long_the_signatures_hold),
		TEST(names_rcodes),
	};

	return cmocka_run_group_tests_name("outcome", tests, NULL, NULL);
}
