/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "dns/rr.h"
#include "resolve/wire.h"

#include <string.h>

static uint8_t packet[WIRE_PACKET_MAX];

static void a_configuration_survives(void **state)
{
	struct sink s = sink_into(packet, sizeof(packet));
	struct wire_config in = { .anchor_builtin = true,
		.anchor_managed = "/var/lib/root.key",
		.user = "sardane",
		.forward_count = 1,
		.stub_count = 1 },
			   out;

	(void)state;
	in.forward[0] = "127.0.0.1@5353";
	in.stub[0] = (struct wire_stub){ "example.", "::1@53" };
	assert_int_equal(wire_write_config(&in, &s), 0);
	for (size_t n = 0; n < s.n; n++)
		assert_int_equal(wire_read_config((struct span){ packet, n }, &out), ERR_FORMAT);
	assert_int_equal(wire_read_config(sink_span(&s), &out), 0);
	assert_true(out.anchor_builtin);
	assert_null(out.anchor_file);
	assert_string_equal(out.anchor_managed, in.anchor_managed);
	assert_string_equal(out.user, in.user);
	assert_string_equal(out.forward[0], in.forward[0]);
	assert_string_equal(out.stub[0].zone, "example.");
	assert_string_equal(out.stub[0].server, "::1@53");
}

static void texts_with_a_zero_inside_or_none_at_the_end_are_refused(void **state)
{
	struct wire_ready r;

	(void)state;
	assert_int_equal(wire_read_ready(bytes("\2\2\0\3ab\0"), &r), 0);
	assert_true(r.ok);
	assert_string_equal(r.words, "ab");
	assert_int_equal(wire_read_ready(bytes("\2\2\0\3abc"), &r), ERR_FORMAT);
	assert_int_equal(wire_read_ready(bytes("\2\2\0\4a\0b\0"), &r), ERR_FORMAT);
	assert_int_equal(wire_read_ready(bytes("\2\0\0\0"), &r), 0);
	assert_false(r.ok);
	assert_string_equal(r.words, "");
}

static void the_first_packets_of_another_version_are_refused_and_say_which(void **state)
{
	struct sink s = sink_into(packet, sizeof(packet));
	struct wire_config in = { .anchor_builtin = true }, out;
	struct wire_ready r;

	(void)state;
	assert_int_equal(wire_write_config(&in, &s), 0);
	assert_int_equal(wire_version(sink_span(&s)), WIRE_VERSION);
	packet[1] = WIRE_VERSION + 1;
	assert_int_equal(wire_read_config(sink_span(&s), &out), ERR_FORMAT);
	assert_int_equal(wire_version(sink_span(&s)), WIRE_VERSION + 1);
	/* Before there were versions a truth value stood in their place. */
	for (packet[1] = 0; packet[1] < 2; packet[1]++) {
		assert_int_equal(wire_read_config(sink_span(&s), &out), ERR_FORMAT);
		assert_int_equal(wire_version(sink_span(&s)), 1);
	}
	assert_int_equal(wire_read_ready(bytes("\2\1\0\0"), &r), ERR_FORMAT);
	assert_int_equal(wire_read_ready(bytes("\2\3\0\0"), &r), ERR_FORMAT);
}

static void a_refusal_has_one_form_in_every_version(void **state)
{
	struct sink s = sink_into(packet, sizeof(packet));
	struct span was = bytes("\2\0\0\3no\0");

	(void)state;
	assert_int_equal(wire_write_ready(&(struct wire_ready){ false, "no" }, &s), 0);
	assert_int_equal(s.n, was.n);
	assert_memory_equal(s.p, was.p, was.n);
}

static void a_question_survives(void **state)
{
	struct sink s = sink_into(packet, sizeof(packet));
	struct wire_question in = { .id = 0xdeadbeef, .question.type = RR_TLSA }, out;

	(void)state;
	name_of("a.example", &in.question.name);
	assert_int_equal(wire_write_question(&in, &s), 0);
	assert_int_equal(wire_read_question(sink_span(&s), &out), 0);
	assert_int_equal(out.id, in.id);
	assert_true(name_equal(&out.question.name, &in.question.name));
	sink_u8(&s, 0);
	assert_int_equal(wire_read_question(sink_span(&s), &out), ERR_FORMAT);
}

static struct wire_answer secure(void)
{
	struct wire_answer a = { .id = 7,
		.status = ANSWER_SECURE,
		.ttl_s = 60,
		.signed_for_s = 5000,
		.why = "",
		.count = 2 };

	name_of("a.example", &a.final);
	a.rdata[0] = bytes("\3\1\1");
	a.rdata[1] = bytes("");
	return a;
}

static void an_answer_survives(void **state)
{
	struct sink s = sink_into(packet, sizeof(packet));
	struct wire_answer in = secure(), out;

	(void)state;
	assert_int_equal(wire_write_answer(&in, &s), 0);
	for (size_t n = 0; n < s.n; n++)
		assert_int_equal(wire_read_answer((struct span){ packet, n }, &out), ERR_FORMAT);
	assert_int_equal(wire_read_answer(sink_span(&s), &out), 0);
	assert_int_equal(out.status, ANSWER_SECURE);
	assert_int_equal(out.count, 2);
	assert_int_equal(out.ttl_s, 60);
	assert_int_equal(out.signed_for_s, 5000);
	assert_memory_equal(out.rdata[0].p, "\3\1\1", 3);
	assert_string_equal(out.why, "");
}

static void a_status_that_may_not_have_records_is_refused_with_them(void **state)
{
	static const struct {
		enum answer_status status;
		uint16_t count;
		int rc;
	} rows[] = {
		{ ANSWER_SECURE, 0, ERR_FORMAT },
		{ ANSWER_SECURE, 1, 0 },
		{ ANSWER_DENIAL, 0, 0 },
		{ ANSWER_DENIAL, 1, ERR_FORMAT },
		{ ANSWER_BOGUS, 0, 0 },
		{ ANSWER_BOGUS, 1, ERR_FORMAT },
		{ ANSWER_FAILED, 0, 0 },
		{ ANSWER_FAILED, 1, ERR_FORMAT },
		{ ANSWER_INSECURE, 0, 0 },
		{ ANSWER_INSECURE, 1, 0 },
		{ (enum answer_status)5, 0, ERR_FORMAT },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sink s = sink_into(packet, sizeof(packet));
		struct wire_answer a = secure(), out;

		a.status = rows[i].status;
		a.count = rows[i].count;
		assert_int_equal(wire_write_answer(&a, &s), 0);
		assert_int_equal(wire_read_answer(sink_span(&s), &out), rows[i].rc);
	}
}

static void bounds_records_and_words(void **state)
{
	static const uint8_t octets[40000];
	struct sink s = sink_into(packet, sizeof(packet));
	struct wire_answer a = secure();
	char why[ANSWER_WHY_MAX + 1];

	(void)state;
	a.rdata[0] = a.rdata[1] = (struct span){ octets, sizeof(octets) };
	assert_int_equal(wire_write_answer(&a, &s), ERR_SPACE);
	a = secure();
	a.count = WIRE_RECORDS_MAX + 1;
	assert_int_equal(wire_write_answer(&a, &s), ERR_SPACE);
	memset(why, 'w', sizeof(why) - 1);
	why[ANSWER_WHY_MAX] = 0;
	a = secure();
	a.why = why;
	assert_int_equal(wire_write_answer(&a, &s), ERR_SPACE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_configuration_survives),
		TEST(texts_with_a_zero_inside_or_none_at_the_end_are_refused),
		TEST(the_first_packets_of_another_version_are_refused_and_say_which),
		TEST(a_refusal_has_one_form_in_every_version),
		TEST(a_question_survives),
		TEST(an_answer_survives),
		TEST(a_status_that_may_not_have_records_is_refused_with_them),
		TEST(bounds_records_and_words),
	};

	return cmocka_run_group_tests_name("wire", tests, NULL, NULL);
}
