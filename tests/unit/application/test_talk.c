/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "application/talk.h"
#include "backend/appskey.h"
#include "check.h"

#define ANSWER(sender, result, rest)                                                        \
	"{\"ProtocolVersion\":\"1.0\",\"SenderID\":\"" sender "\",\"ReceiverID\":\"as.b\"," \
	"\"TransactionID\":1,\"MessageType\":\"AppSKeyAns\","                               \
	"\"Result\":{\"ResultCode\":\"" result "\"}" rest "}"
#define ABOUT(dev, id, envelope) \
	",\"DevEUI\":\"" dev "\",\"SessionKeyID\":\"" id "\",\"AppSKey\":" envelope
#define CLEAR "{\"AESKey\":\"927b9c911183cffe4cb2ff4b75545f6d\"}"
/* Known answer: AppSKey above under KEK f0f1..ff (ChirpStack v3's test values). */
#define WRAPPED \
	"{\"KEKLabel\":\"b\",\"AESKey\":\"00be7f7102af989010dbfaf16d5fe8b2f39ec4f138736e01\"}"

static const struct application_ask ask = {
	.dev_eui = 1, .has_join_eui = true, .join_eui = 2, .session = { 2, { 0xab, 0xcd } }
};

static enum application_key key_from(struct span body, struct err *err)
{
	struct talk_kek kek = { .label = "b", .key = { .n = 16 } };
	enum application_key verdict;
	uint8_t key[16] = { 0 };

	for (int i = 0; i < 16; i++)
		kek.key.octets[i] = (uint8_t)(0xf0 + i);
	verdict = talk_key(body, &ask, &kek, 1, key, err);
	if (verdict == APPLICATION_KEY_GIVEN) {
		assert_int_equal(key[0], 0x92);
		assert_int_equal(key[15], 0x6d);
	} else {
		assert_int_equal(key[0], 0);
	}
	return verdict;
}

static void takes_a_key_in_clear_and_a_wrapped_one(void **state)
{
	(void)state;
	assert_int_equal(key_from(bytes(ANSWER("0000000000000002", "Success",
					  ABOUT("0000000000000001", "abcd", CLEAR))),
				 NULL),
		APPLICATION_KEY_GIVEN);
	assert_int_equal(key_from(bytes(ANSWER("0x0000000000000002", "Success",
					  ABOUT("0000000000000001", "ABCD", WRAPPED))),
				 NULL),
		APPLICATION_KEY_GIVEN);
}

static void refuses_a_key_of_another_sender_device_session_or_label(void **state)
{
	static const char *const bodies[] = {
		ANSWER("0000000000000003", "Success", ABOUT("0000000000000001", "abcd", CLEAR)),
		ANSWER("0000000000000002", "Success", ABOUT("0000000000000009", "abcd", CLEAR)),
		ANSWER("0000000000000002", "Success", ABOUT("0000000000000001", "abce", CLEAR)),
		ANSWER("0000000000000002", "Success",
			ABOUT("0000000000000001", "abcd",
				"{\"KEKLabel\":\"x\",\"AESKey\":"
				"\"00be7f7102af989010dbfaf16d5fe8b2f39ec4f138736e01\"}")),
		ANSWER("0000000000000002", "Success",
			ABOUT("0000000000000001", "abcd",
				"{\"KEKLabel\":\"b\",\"AESKey\":"
				"\"01be7f7102af989010dbfaf16d5fe8b2f39ec4f138736e01\"}")),
		ANSWER("0000000000000002", "Other", ""),
		"{}",
		"nonsense",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		struct span body = { (const uint8_t *)bodies[i], strlen(bodies[i]) };
		struct err err = { 0 };

		assert_int_equal(key_from(body, &err), APPLICATION_KEY_FAILED);
		assert_true(err.msg[0] != 0);
	}
}

static void tells_an_unknown_session_from_a_failure(void **state)
{
	(void)state;
	assert_int_equal(key_from(bytes(ANSWER("0000000000000002", "UnknownDevEUI", "")), NULL),
		APPLICATION_KEY_UNKNOWN);
}

static void reads_an_uplink_as_the_ns_writes_it(void **state)
{
	struct header h = { .sender_id = "000013" };
	struct xmit_req r = { .has_frm = true,
		.payload = { 1, 2 },
		.payload_n = 2,
		.has_up = true,
		.up = { .has_dev_eui = true,
			.dev_eui = 9,
			.has_dev_addr = true,
			.dev_addr = 8,
			.has_f_cnt_up = true,
			.f_cnt_up = 70000,
			.has_f_port = true,
			.f_port = 3,
			.data_rate = 0,
			.has_ul_freq = true,
			.ul_freq = 868.3,
			.rf_region = "EU868" },
		.session_key_id = { { 5 }, 1 } };
	struct uplink u;

	(void)state;
	assert_int_equal(talk_uplink(&h, &r, &u, NULL), 0);
	assert_int_equal(u.net_id, 0x13);
	assert_int_equal(u.f_cnt, 70000);
	assert_int_equal(u.frequency_hz, 868300000);
	assert_int_equal(u.spreading_factor, 12);
	assert_int_equal(u.bandwidth_hz, 125000);
	assert_int_equal(u.session.n, 1);
	r.up.has_f_port = false;
	assert_int_equal(talk_uplink(&h, &r, &u, NULL), ERR_FORMAT);
	strcpy(h.sender_id, "ns.a.example");
	assert_int_equal(talk_uplink(&h, &r, &u, NULL), ERR_FORMAT);
}

static void reads_what_became_of_handing_over(void **state)
{
	static const char head[] = "{\"ProtocolVersion\":\"1.1\",\"SenderID\":\"000013\","
				   "\"ReceiverID\":\"as.b\",\"TransactionID\":1,"
				   "\"MessageType\":\"XmitDataAns\",\"Result\":{\"ResultCode\":\"";
	static const struct {
		const char *rest;
		enum application_handed want;
		bool has_next;
	} cases[] = {
		{ "Success\"}}", APPLICATION_HANDED, false },
		{ "XmitFailed\"},\"FCntDown\":7}", APPLICATION_HANDED_COUNTER, true },
		{ "XmitFailed\"}}", APPLICATION_HANDED_FAILED, false },
		{ "FrameSizeError\"}}", APPLICATION_HANDED_REFUSED, false },
		{ "UnknownDevEUI\"}}", APPLICATION_HANDED_FAILED, false },
		{ "", APPLICATION_HANDED_FAILED, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf body = { 0 };
		struct err err;
		bool has_next;
		uint32_t next = 0;

		buf_printf(&body, "%s%s", head, cases[i].rest);
		assert_int_equal(talk_handed(buf_span(&body), &has_next, &next, &err),
			cases[i].want);
		assert_int_equal(has_next, cases[i].has_next);
		assert_int_equal(next, cases[i].has_next ? 7 : 0);
		buf_done(&body);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(takes_a_key_in_clear_and_a_wrapped_one),
		TEST(refuses_a_key_of_another_sender_device_session_or_label),
		TEST(tells_an_unknown_session_from_a_failure),
		TEST(reads_an_uplink_as_the_ns_writes_it),
		TEST(reads_what_became_of_handing_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
