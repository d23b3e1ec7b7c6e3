/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "relay/router.h"

#include <stdio.h>
#include <string.h>

static struct router_message m;
static struct err err;

static int reads_text(const char *text)
{
	return router_read((struct span){ (const uint8_t *)text, strlen(text) }, &m, &err);
}

static int reads(const char *type, const char *from, const char *to, const char *more)
{
	char text[1024];

	snprintf(text, sizeof(text),
		"{\"ProtocolVersion\":\"1.0\",\"SenderID\":\"%s\",\"ReceiverID\":\"%s\","
		"\"TransactionID\":3735928559,\"MessageType\":\"%s\"%s}",
		from, to, type, more);
	return reads_text(text);
}

static void the_receiver_is_of_the_kind_that_the_message_says(void **state)
{
	(void)state;
	assert_int_equal(reads("JoinReq", "010203", "0807060504030201", ",\"VSExtension\":{}"), 0);
	assert_int_equal(m.to, ROUTER_JOIN_EUI);
	assert_true(m.to_id == 0x0807060504030201);
	assert_int_equal(m.from, ROUTER_NET_ID);
	assert_int_equal(m.from_id, 0x010203);
	assert_int_equal(reads("PRStartReq", "0x010203", "0xC00053", ""), 0);
	assert_int_equal(m.to, ROUTER_NET_ID);
	assert_int_equal(m.to_id, 0xc00053);
	assert_int_equal(reads("XmitDataReq", "010203", "as.b.example", ""), 0);
	assert_int_equal(m.to, ROUTER_AS_ID);
	assert_false(m.is_answer);
	assert_int_equal(reads("PRStartAns", "010203", "000013", ""), 0);
	assert_int_equal(m.to, ROUTER_NET_ID);
	assert_true(m.is_answer);
	/* What looks like a NetID is an AS-ID where only one of those can be. */
	assert_int_equal(reads("AppSKeyAns", "0807060504030201", "c0ffee", ""), 0);
	assert_int_equal(m.to, ROUTER_AS_ID);
	assert_int_equal(reads("AppSKeyReq", "c0ffee", "0807060504030201", ""), 0);
	assert_int_equal(m.from, ROUTER_AS_ID);
}

static void a_message_for_a_join_server_names_a_join_eui(void **state)
{
	const char *const bad[] = { "010203", "as.b.example", "08070605040302",
		"0807060504030201ff", "080706050403020g", "../0807060504030201", "0x",
		"0x0x0807060504030201" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(reads("JoinReq", "010203", bad[i], ""), ERR_FORMAT);
		assert_int_equal(reads("HomeNSReq", "010203", bad[i], ""), ERR_FORMAT);
	}
	assert_int_equal(reads("JoinReq", "010203", "", ""), ERR_FORMAT);
	assert_int_equal(reads("PRStartReq", "010203", "000013 ", ""), ERR_FORMAT);
	assert_int_equal(reads("PRStartReq", "010203", "\\u0430.example", ""), ERR_FORMAT);
}

/* Go folds case by Unicode: U+017F is an s, U+212A a k; the last of two counts. */
static void two_readings_of_one_message_are_refused(void **state)
{
	(void)state;
	assert_int_equal(reads("PRStartReq", "010203", "000013", ",\"SenderID\":\"000013\""),
		ERR_FORMAT);
	assert_int_equal(reads("PRStartReq", "010203", "000013", ",\"senderid\":\"000013\""),
		ERR_FORMAT);
	assert_int_equal(reads("PRStartReq", "010203", "000013", ",\"senderid\":null"), ERR_FORMAT);
	assert_int_equal(reads("PRStartReq", "010203", "000013",
				 ",\"\xc5\xbf"
				 "enderID\":\"000013\""),
		ERR_FORMAT);
	assert_int_equal(reads("PRStartReq", "010203", "000013", ",\"\\u017fenderID\":\"000013\""),
		ERR_FORMAT);
	assert_int_equal(reads("PRStartReq", "010203", "000013", "}{\"SenderID\":\"000013\""),
		ERR_FORMAT);
	assert_int_equal(reads("PRStartReq", "010203", "000013", ",\"S\\u0065nderID\":\"000013\""),
		ERR_FORMAT);
}

static void what_is_too_much_is_refused(void **state)
{
	static char text[ROUTER_OCTETS_MAX + 2000];
	char more[800] = "";

	(void)state;
	for (int i = 0; i < 70; i++)
		sprintf(more + strlen(more), ",\"m%d\":1", i);
	assert_int_equal(reads("JoinReq", "010203", "0807060504030201", more), ERR_FORMAT);
	strcpy(more, ",\"x\":");
	for (int i = 0; i < 40; i++)
		strcat(more, "[");
	for (int i = 0; i < 40; i++)
		strcat(more, "]");
	assert_int_equal(reads("JoinReq", "010203", "0807060504030201", more), ERR_FORMAT);
	memset(text, ' ', sizeof(text) - 1);
	memcpy(text, "{}", 2);
	assert_int_equal(reads_text(text), ERR_FORMAT);
	assert_int_equal(reads_text("[]"), ERR_FORMAT);
	assert_int_equal(reads_text(""), ERR_FORMAT);
}

static void a_refusal_answers_what_was_asked(void **state)
{
	struct buf out = { 0 };

	(void)state;
	assert_int_equal(reads("PRStartReq", "010203", "000013", ",\"SenderToken\":\"ab\""), 0);
	assert_true(router_write_refusal(&m, RESULT_UNKNOWN_RECEIVER, "no route", &out));
	assert_string_equal(buf_string(&out),
		"{\"ProtocolVersion\":\"1.0\",\"SenderID\":\"000013\",\"ReceiverID\":\"010203\","
		"\"TransactionID\":3735928559,\"MessageType\":\"PRStartAns\",\"ReceiverToken\":\"ab\","
		"\"Result\":{\"ResultCode\":\"UnkownReceiver\",\"Description\":\"no route\"}}");
	assert_true(router_is_answer(buf_span(&out)));
	assert_false(router_is_answer((struct span){ (const uint8_t *)"{\"Result\":1}", 12 }));
	assert_false(router_is_answer((struct span){ 0 }));
	buf_done(&out);
}

static void the_first_route_about_the_receiver_counts(void **state)
{
	struct router_route routes[] = {
		{ .join_eui = "0807060504030200/56", .url = "https://a.example/" },
		{ .join_eui = "0000000000000000/0", .url = "https://b.example/" },
		{ .net_id = "000013", .url = "https://c.example/" },
		{ .as_id = "AS.b.example", .url = "https://d.example/" },
	};

	(void)state;
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(router_check(&routes[i], &err), 0);
	reads("JoinReq", "010203", "0807060504030201", "");
	assert_string_equal(router_find(routes, 4, &m), "https://a.example/");
	reads("JoinReq", "010203", "0707060504030201", "");
	assert_string_equal(router_find(routes, 4, &m), "https://b.example/");
	reads("PRStartReq", "010203", "0x000013", "");
	assert_string_equal(router_find(routes, 4, &m), "https://c.example/");
	reads("PRStartReq", "010203", "000014", "");
	assert_null(router_find(routes, 4, &m));
	reads("XmitDataReq", "010203", "as.B.example", "");
	assert_string_equal(router_find(routes, 4, &m), "https://d.example/");
}

static void a_route_has_one_id_and_a_url(void **state)
{
	const struct router_route bad[] = {
		{ .url = "https://a.example/" },
		{ .net_id = "000013" },
		{ .net_id = "000013", .as_id = "x", .url = "https://a.example/" },
		{ .net_id = "13", .url = "https://a.example/" },
		{ .join_eui = "08", .url = "https://a.example/" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(router_check(&bad[i], &err), ERR_FORMAT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_receiver_is_of_the_kind_that_the_message_says),
		cmocka_unit_test(a_message_for_a_join_server_names_a_join_eui),
		cmocka_unit_test(two_readings_of_one_message_are_refused),
		cmocka_unit_test(what_is_too_much_is_refused),
		cmocka_unit_test(a_refusal_answers_what_was_asked),
		cmocka_unit_test(the_first_route_about_the_receiver_counts),
		cmocka_unit_test(a_route_has_one_id_and_a_url),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
