/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "backend/appskey.h"
#include "backend/dlstatus.h"
#include "backend/homens.h"
#include "backend/xmit.h"
#include "check.h"

/* The JoinReq of a widespread Network Server, and the JoinAns it expects. */
#define JOIN_REQ                                                                          \
	"{\"ProtocolVersion\":\"1.0\",\"SenderID\":\"010203\","                           \
	"\"ReceiverID\":\"0807060504030201\",\"TransactionID\":3735928559,"               \
	"\"MessageType\":\"JoinReq\",\"MACVersion\":\"1.0.2\","                           \
	"\"PHYPayload\":\"00010203040506070808070605040302010201cde6acb8\","              \
	"\"DevEUI\":\"0102030405060708\",\"DevAddr\":\"01020304\",\"DLSettings\":\"15\"," \
	"\"RxDelay\":1,\"CFList\":\"988d8468958400000000000000000000\"}"

#define JOIN_ANS                                                                              \
	"{\"ProtocolVersion\":\"1.0\",\"SenderID\":\"0807060504030201\","                     \
	"\"ReceiverID\":\"010203\",\"TransactionID\":3735928559,\"MessageType\":\"JoinAns\"," \
	"\"Result\":{\"ResultCode\":\"Success\",\"Description\":\"\"},"                       \
	"\"PHYPayload\":\"2026f4b247f0a5d7e46a720e61c8bccbc5179f4566e185ed6889589bb1a9c68c"   \
	"c0\",\"Lifetime\":0,\"NwkSKey\":{\"KEKLabel\":\"\","                                 \
	"\"AESKey\":\"df53c35f3034ccced0ff354c70de04df\"},"                                   \
	"\"AppSKey\":{\"KEKLabel\":\"010203\","                                               \
	"\"AESKey\":\"9a1803d2aef2d561db23a93f0514a8c01461d2c3db1b7fff\"},"                   \
	"\"SessionKeyID\":\"00112233\"}"

static struct doc *doc_of(struct span text)
{
	struct doc *d = NULL;

	assert_int_equal(doc_read(text, &d, NULL), 0);
	return d;
}

static struct header header_of(const struct doc *d)
{
	struct header h;

	assert_int_equal(header_read(d, &h, NULL), 0);
	return h;
}

static void writes_a_join_request_as_it_was_read(void **state)
{
	struct doc *d = doc_of(bytes(JOIN_REQ));
	struct header h = header_of(d);
	struct joining_req r;
	struct buf out = { 0 };

	(void)state;
	assert_int_equal(h.type, HEADER_JOIN_REQ);
	assert_int_equal(joining_read_req(d, &r, NULL), 0);
	assert_int_equal(r.mac_version, VERSION_1_0_2);
	assert_int_equal(r.phy_n, 23);
	assert_int_equal(r.dev_eui, 0x0102030405060708);
	assert_int_equal(r.dl_settings, 0x15);
	assert_true(r.has_cflist);
	assert_true(joining_write_req(&out, &h, &r, false));
	assert_string_equal(buf_string(&out), JOIN_REQ);
	buf_done(&out);
	doc_free(d);
}

static void writes_a_join_answer_as_it_was_read(void **state)
{
	struct doc *d = doc_of(bytes(JOIN_ANS));
	struct header h = header_of(d);
	struct joining_ans a;
	struct buf out = { 0 };

	(void)state;
	assert_int_equal(joining_read_ans(d, &a, NULL), 0);
	assert_int_equal(a.app_s_key.n, ENVELOPE_WRAPPED);
	assert_true(joining_write_ans(&out, &h, &a));
	assert_string_equal(buf_string(&out), JOIN_ANS);
	joining_wipe_ans(&a);
	buf_done(&out);
	doc_free(d);
}

static void tolerates_what_peers_vary(void **state)
{
	struct doc *d = doc_of(bytes(
		"{\"protocolVersion\":\"1.1\",\"SenderID\":\"0xC00053\",\"SenderNSID\":\"\","
		"\"ReceiverID\":\"0x0807060504030201\",\"ReceiverNSID\":\"0xAABBCCDDEEFF0011\","
		"\"TransactionID\":0,\"MessageType\":\"JoinReq\",\"MACVersion\":\"1.1\","
		"\"PHYPayload\":\"0x000102\",\"DevEUI\":\"0xABCDEF0405060708\","
		"\"DevAddr\":\"0A0B0C0D\",\"DLSettings\":\"95\",\"RxDelay\":0,\"CFList\":\"\","
		"\"VSExtension\":{},\"SenderToken\":\"AA\",\"Unknown\":[1,{}]}"));
	struct header h = header_of(d), answer;
	struct joining_req r;
	uint32_t net_id;
	uint64_t eui;

	(void)state;
	assert_int_equal(joining_read_req(d, &r, NULL), 0);
	assert_int_equal(r.mac_version, VERSION_1_1_0);
	assert_false(r.has_cflist);
	assert_true(header_net_id(h.sender_id, &net_id));
	assert_int_equal(net_id, 0xc00053);
	assert_true(header_eui(h.receiver_id, &eui));
	assert_false(header_net_id(h.receiver_id, &net_id));
	header_answer(&h, &answer);
	assert_int_equal(answer.type, HEADER_JOIN_ANS);
	assert_string_equal(answer.receiver_id, "0xC00053");
	assert_string_equal(answer.sender_nsid, "aabbccddeeff0011");
	assert_string_equal(answer.receiver_token, "aa");
	assert_string_equal(answer.sender_token, "");
	assert_true(header_speaks_1_1(&answer));
	doc_free(d);
}

static void answers_a_type_it_does_not_know_by_its_own_word(void **state)
{
	struct doc *d = doc_of(bytes("{\"ProtocolVersion\":\"2.0\",\"SenderID\":\"010203\","
				     "\"ReceiverID\":\"000001\",\"MessageType\":\"PRStartReq\"}"));
	struct header h = header_of(d), answer;
	struct result no = { RESULT_MALFORMED_MESSAGE, "" };
	struct buf out = { 0 };

	(void)state;
	assert_int_equal(h.version, HEADER_VERSION_UNKNOWN);
	assert_int_equal(h.type, HEADER_UNKNOWN);
	header_answer(&h, &answer);
	assert_true(dlstatus_write_ans(&out, &answer, &no));
	assert_string_equal(buf_string(&out),
		"{\"ProtocolVersion\":\"1.0\",\"SenderID\":\"000001\",\"ReceiverID\":\"010203\","
		"\"TransactionID\":0,\"MessageType\":\"PRStartAns\",\"Result\":{\"ResultCode\":"
		"\"MalformedRequest\",\"Description\":\"\"}}");
	buf_done(&out);
	doc_free(d);
}

static void check_refused(struct span text, const char *words)
{
	struct doc *d = doc_of(text);
	struct err err = { 0 };
	struct header h;
	struct joining_req r;

	if (!header_read(d, &h, &err))
		assert_int_equal(joining_read_req(d, &r, &err), ERR_FORMAT);
	assert_string_equal(err.msg, words);
	doc_free(d);
}

#define HEAD "{\"ProtocolVersion\":\"1.0\",\"MessageType\":\"JoinReq\",\"ReceiverID\":\"1\","

static void refuses_by_the_name_of_the_field(void **state)
{
	(void)state;
	check_refused(bytes("{}"), "MessageType: missing");
	check_refused(bytes(HEAD "\"SenderID\":\"a b\"}"),
		"SenderID: blanks or unprintable characters");
	check_refused(bytes(HEAD "\"SenderID\":\"1\",\"TransactionID\":-1}"),
		"TransactionID: -1, need 0 to 9223372036854775807");
	check_refused(bytes(HEAD "\"SenderID\":\"1\",\"MACVersion\":\"9\"}"),
		"MACVersion: not a version known here");
	check_refused(
		bytes(HEAD "\"SenderID\":\"1\",\"MACVersion\":\"1.0\",\"PHYPayload\":\"000\"}"),
		"PHYPayload: 3 digits, need an even number");
	check_refused(bytes(HEAD "\"SenderID\":\"1\",\"MACVersion\":\"1.0\",\"PHYPayload\":\"00\","
				 "\"DevEUI\":\"0102030405060708\",\"DevAddr\":\"01020304\","
				 "\"DLSettings\":\"00\",\"RxDelay\":1,\"CFList\":\"00\"}"),
		"CFList: 1 octets, need 16");
}

static void tells_a_1_0_peer_only_codes_of_1_0(void **state)
{
	static const char *const old[] = { "Success", "MICFailed", "JoinReqFailed",
		"NoRoamingAgreement", "DevRoamingDisallowed", "RoamingActDisallowed",
		"ActivationDisallowed", "UnknownDevEUI", "UnknownDevAddr", "UnknownSender",
		"UnkownReceiver", "Deferred", "XmitFailed", "InvalidFPort",
		"InvalidProtocolVersion", "StaleDeviceProfile", "MalformedRequest",
		"FrameSizeError", "Other" };

	(void)state;
	for (int c = 0; c < RESULT_CODES; c++) {
		const char *word = result_word((enum result_code)c, false);
		bool known = false;

		for (size_t i = 0; i < sizeof(old) / sizeof(old[0]); i++)
			known |= strcmp(word, old[i]) == 0;
		assert_true(known);
		assert_int_equal(result_from_word(result_word((enum result_code)c, true)), c);
	}
	assert_string_equal(result_word(RESULT_FRAME_REPLAYED, true), "FrameReplayed");
	assert_int_equal(result_from_word("UnkownReceiver"), RESULT_UNKNOWN_RECEIVER);
	assert_int_equal(result_from_word("Whatever"), RESULT_OTHER);
}

static void hands_over_the_application_server_to_those_who_look(void **state)
{
	struct joining_ans a = { .phy_n = 33,
		.nwk_s_key = { .n = 16 },
		.as_id = "as.b.example",
		.application_server = "https://as.b.example:8005" },
			   b;
	struct header h = { .type = HEADER_JOIN_ANS };
	struct buf out = { 0 };
	struct doc *d;

	(void)state;
	assert_true(joining_write_ans(&out, &h, &a));
	assert_non_null(strstr(buf_string(&out), "\"VSExtension\":{\"VendorID\":\"000000\","));
	d = doc_of(buf_span(&out));
	assert_int_equal(joining_read_ans(d, &b, NULL), 0);
	assert_string_equal(b.application_server, "https://as.b.example:8005");
	assert_string_equal(b.as_id, "as.b.example");
	doc_free(d);
	buf_done(&out);
}

static void refuses_an_answer_without_network_keys(void **state)
{
	struct doc *d =
		doc_of(bytes("{\"Result\":{\"ResultCode\":\"Success\"},\"PHYPayload\":\"20\","
			     "\"FNwkSIntKey\":{\"AESKey\":"
			     "\"00000000000000000000000000000000\"}}"));
	struct joining_ans a;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(joining_read_ans(d, &a, &err), ERR_FORMAT);
	assert_non_null(strstr(err.msg, "NwkSKey: missing"));
	doc_free(d);
}

static void refuses_a_wrapped_key_without_a_label(void **state)
{
	struct doc *d = doc_of(bytes("{\"Result\":{\"ResultCode\":\"Success\"},\"DevEUI\":"
				     "\"0102030405060708\",\"SessionKeyID\":\"00\",\"AppSKey\":{"
				     "\"AESKey\":"
				     "\"000000000000000000000000000000000000000000000000\"}}"));
	struct appskey_ans a;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(appskey_read_ans(d, &a, &err), ERR_FORMAT);
	assert_string_equal(err.msg, "AppSKey: AESKey: 24 octets, need 16");
	doc_free(d);
}

static void carries_an_uplink_of_the_house(void **state)
{
	struct header h = { .type = HEADER_XMIT_DATA_REQ,
		.sender_id = "000001",
		.receiver_id = "as.b.example",
		.transaction_id = 7 };
	struct xmit_req r = { .has_frm = true,
		.payload = { 0xca, 0xfe },
		.payload_n = 2,
		.has_up = true,
		.up = { .has_dev_eui = true,
			.dev_eui = 0x0102030405060708,
			.has_dev_addr = true,
			.dev_addr = 0x01020304,
			.has_f_port = true,
			.f_port = 10,
			.has_f_cnt_up = true,
			.f_cnt_up = 65537,
			.has_f_cnt_down = true,
			.has_confirmed = true,
			.has_data_rate = true,
			.data_rate = 5,
			.has_ul_freq = true,
			.ul_freq = 868.1,
			.gw_cnt = 1,
			.gateways_n = 1,
			.recv_time = "2026-11-22T04:31:05Z",
			.rf_region = "EU868",
			.gateways = { { .has_id = true,
				.id = 0xaa555a0000000000,
				.has_rssi = true,
				.rssi = -57,
				.has_snr = true,
				.snr = 9.5 } } },
		.has_join_eui = true,
		.join_eui = 0x0807060504030201,
		.has_mac_version = true,
		.mac_version = VERSION_1_0_3,
		.session_key_id = { { 1, 2 }, 2 } },
			s;
	struct buf out = { 0 }, again = { 0 };
	struct doc *d;

	(void)state;
	assert_true(xmit_write_req(&out, &h, &r));
	assert_non_null(strstr(buf_string(&out), "\"FCntUp\":65537"));
	assert_non_null(strstr(buf_string(&out), "\"ID\":\"aa555a0000000000\""));
	d = doc_of(buf_span(&out));
	assert_int_equal(xmit_read_req(d, &s, NULL), 0);
	assert_true(xmit_write_req(&again, &h, &s));
	assert_string_equal(buf_string(&out), buf_string(&again));
	doc_free(d);
	buf_done(&out);
	buf_done(&again);
}

static void carries_a_downlink_and_the_counter_expected(void **state)
{
	struct header h = { .type = HEADER_XMIT_DATA_REQ,
		.sender_id = "as.b.example",
		.receiver_id = "000001" };
	struct xmit_req r = { .has_frm = true,
		.payload = { 1 },
		.payload_n = 1,
		.has_down = true,
		.down = { .has_dev_eui = true,
			.dev_eui = 1,
			.has_f_port = true,
			.f_port = 3,
			.has_f_cnt_down = true,
			.f_cnt_down = 9,
			.has_confirmed = true,
			.confirmed = true,
			.class_mode = 'A' } },
			s;
	struct xmit_ans a = { .result = { RESULT_XMIT_FAILED, "stale" },
		.has_f_cnt_down = true,
		.f_cnt_down = 10 },
			b;
	struct buf out = { 0 };
	struct doc *d;

	(void)state;
	assert_true(xmit_write_req(&out, &h, &r));
	d = doc_of(buf_span(&out));
	assert_int_equal(xmit_read_req(d, &s, NULL), 0);
	assert_int_equal(s.down.class_mode, 'A');
	assert_int_equal(s.down.f_cnt_down, 9);
	doc_free(d);
	buf_done(&out);
	assert_true(xmit_write_ans(&out, &h, &a));
	d = doc_of(buf_span(&out));
	assert_int_equal(xmit_read_ans(d, &b, NULL), 0);
	assert_int_equal(b.result.code, RESULT_XMIT_FAILED);
	assert_int_equal(b.f_cnt_down, 10);
	doc_free(d);
	buf_done(&out);
}

static void tells_what_became_of_a_downlink(void **state)
{
	struct header h = { .type = HEADER_DL_STATUS_REQ,
		.sender_id = "000001",
		.receiver_id = "as.b.example" };
	struct dlstatus_req r = { 1, 9, DLSTATUS_NACKED }, s;
	struct buf out = { 0 };
	struct doc *d;

	(void)state;
	assert_true(dlstatus_write_req(&out, &h, &r));
	assert_non_null(strstr(buf_string(&out), "\"Status\":\"nacked\""));
	d = doc_of(buf_span(&out));
	assert_int_equal(dlstatus_read_req(d, &s, NULL), 0);
	assert_int_equal(s.status, DLSTATUS_NACKED);
	doc_free(d);
	buf_done(&out);
}

static void names_the_home_of_a_device(void **state)
{
	struct header h = { .version = HEADER_1_1,
		.type = HEADER_HOME_NS_ANS,
		.sender_id = "1",
		.receiver_id = "2" };
	struct homens_ans a = { .h_net_id = 0x13, .has_hnsid = true, .hnsid = 5 }, b;
	struct buf out = { 0 };
	struct doc *d;

	(void)state;
	assert_true(homens_write_ans(&out, &h, &a));
	d = doc_of(buf_span(&out));
	assert_int_equal(homens_read_ans(d, &b, NULL), 0);
	assert_int_equal(b.h_net_id, 0x13);
	assert_true(b.has_hnsid);
	doc_free(d);
	buf_done(&out);
	d = doc_of(bytes("{\"Result\":{\"ResultCode\":\"Success\"},\"HNetID\":\"000013\",\"HNSID\":"
			 "\"\"}"));
	assert_int_equal(homens_read_ans(d, &b, NULL), 0);
	assert_false(b.has_hnsid);
	doc_free(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(writes_a_join_request_as_it_was_read),
		TEST(writes_a_join_answer_as_it_was_read),
		TEST(tolerates_what_peers_vary),
		TEST(answers_a_type_it_does_not_know_by_its_own_word),
		TEST(refuses_by_the_name_of_the_field),
		TEST(tells_a_1_0_peer_only_codes_of_1_0),
		TEST(hands_over_the_application_server_to_those_who_look),
		TEST(refuses_an_answer_without_network_keys),
		TEST(refuses_a_wrapped_key_without_a_label),
		TEST(carries_an_uplink_of_the_house),
		TEST(carries_a_downlink_and_the_counter_expected),
		TEST(tells_what_became_of_a_downlink),
		TEST(names_the_home_of_a_device),
	};

	return cmocka_run_group_tests_name("messages", tests, NULL, NULL);
}
