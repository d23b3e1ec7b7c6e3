/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "network/gwmp.h"

#include <string.h>

static struct gwmp_push push;

static int read_push(const char *json)
{
	return gwmp_read_push((struct span){ (const uint8_t *)json, strlen(json) }, &push, NULL);
}

static void reads_the_head_of_each_kind(void **state)
{
	struct gwmp m;

	(void)state;
	assert_int_equal(gwmp_read(bytes("\x02\x12\x34\x00\xaa\x55\x5a\x00\x00\x00\x00\x01{}"), &m),
		0);
	assert_int_equal(m.kind, GWMP_PUSH_DATA);
	assert_int_equal(m.token, 0x1234);
	assert_true(m.gateway == 0xaa555a0000000001);
	assert_int_equal(m.json.n, 2);
	assert_int_equal(gwmp_read(bytes("\x01\x12\x34\x02\xaa\x55\x5a\x00\x00\x00\x00\x01"), &m),
		0);
	assert_int_equal(m.version, 1);
	assert_int_equal(gwmp_read(bytes("\x02\x12\x34\x04"), &m), 0);
	assert_int_equal(gwmp_read(bytes("\x02\x12\x34\x05\xaa\x55\x5a\x00\x00\x00\x00\x01"), &m),
		0);
	assert_int_equal(m.json.n, 0);
}

static void refuses_a_wrong_head(void **state)
{
	struct gwmp m;

	(void)state;
	assert_int_equal(gwmp_read(bytes(""), &m), ERR_FORMAT);
	assert_int_equal(gwmp_read(bytes("\x02\x12\x34"), &m), ERR_FORMAT);
	assert_int_equal(gwmp_read(bytes("\x00\x12\x34\x00\x01\x02\x03\x04\x05\x06\x07\x08{}"), &m),
		ERR_FORMAT);
	assert_int_equal(gwmp_read(bytes("\x03\x12\x34\x00\x01\x02\x03\x04\x05\x06\x07\x08{}"), &m),
		ERR_FORMAT);
	assert_int_equal(gwmp_read(bytes("\x02\x12\x34\x06"), &m), ERR_FORMAT);
	assert_int_equal(gwmp_read(bytes("\x02\x12\x34\x00\x01\x02\x03\x04\x05\x06\x07"), &m),
		ERR_FORMAT);
	assert_int_equal(
		gwmp_read(bytes("\x02\x12\x34\x02\x01\x02\x03\x04\x05\x06\x07\x08\x09"), &m),
		ERR_FORMAT);
}

static void acknowledges_what_must_be(void **state)
{
	uint8_t ack[GWMP_ACK_OCTETS];

	(void)state;
	assert_true(
		gwmp_acknowledge(bytes("\x02\x12\x34\x00\x01\x02\x03\x04\x05\x06\x07\x08{}"), ack));
	assert_memory_equal(ack, "\x02\x12\x34\x01", 4);
	assert_true(
		gwmp_acknowledge(bytes("\x01\x12\x34\x02\x01\x02\x03\x04\x05\x06\x07\x08"), ack));
	assert_memory_equal(ack, "\x01\x12\x34\x04", 4);
	assert_false(
		gwmp_acknowledge(bytes("\x02\x12\x34\x05\x01\x02\x03\x04\x05\x06\x07\x08"), ack));
	assert_false(gwmp_acknowledge(bytes("\x02\x12\x34\x00"), ack));
}

#define RX(members) "{\"rxpk\":[{" members "}]}"
#define RX_HEAD     "\"tmst\":3512348611,\"freq\":868.3,\"datr\":\"SF7BW125\",\"modu\":\"LORA\","

static void reads_a_frame_as_forwarders_write_it(void **state)
{
	const struct gwmp_rxpk *rx = &push.rxpk[0];

	(void)state;
	assert_int_equal(
		read_push(
			"{\"rxpk\":[{\"tmst\":3512348611,\"chan\":2,\"rfch\":0,\"freq\":866.349812,"
			"\"stat\":1,\"modu\":\"LORA\",\"datr\":\"SF7BW125\",\"codr\":\"4/6\",\"rssi\":-35,"
			"\"lsnr\":5.1,\"size\":5,\"data\":\"AAECAwQ=\",\"rsig\":[{\"ant\":0}]}],"
			"\"stat\":{\"time\":\"2014-01-12 08:59:28 GMT\",\"lati\":46.24,\"long\":3.2523,"
			"\"alti\":145,\"rxnb\":2,\"rxok\":2,\"rxfw\":2,\"ackr\":100.0,\"dwnb\":2,\"txnb\":2}}"),
		0);
	assert_int_equal(push.count, 1);
	assert_int_equal(push.ignored, 0);
	assert_true(rx->tmst == 3512348611u);
	assert_int_equal(rx->freq, 866349812);
	assert_int_equal(rx->rate.sf, 7);
	assert_int_equal(rx->rate.bandwidth_khz, 125);
	assert_int_equal(rx->codr, 6);
	assert_int_equal(rx->rssi, -35);
	assert_int_equal(rx->lsnr, 51);
	assert_int_equal(rx->size, 5);
	assert_memory_equal(rx->data, "\0\1\2\3\4", 5);
	assert_true(push.has_stat);
	assert_int_equal(push.stat.ackr, 1000);
	assert_int_equal(push.stat.alti, 145);
}

static void reads_data_without_padding(void **state)
{
	(void)state;
	assert_int_equal(read_push(RX(RX_HEAD "\"data\":\"AAECAwQ\"")), 0);
	assert_int_equal(push.count, 1);
	assert_int_equal(push.rxpk[0].size, 5);
}

static void reads_fsk(void **state)
{
	(void)state;
	assert_int_equal(
		read_push(RX(
			"\"tmst\":1,\"freq\":868.8,\"modu\":\"FSK\",\"datr\":50000,\"data\":\"AAEC\"")),
		0);
	assert_int_equal(push.count, 1);
	assert_true(rate_is_fsk(&push.rxpk[0].rate));
	assert_int_equal(push.rxpk[0].rate.bits_s, 50000);
}

static void leaves_out_frames_it_cannot_use(void **state)
{
	static const char *const unusable[] = {
		RX(RX_HEAD "\"data\":\"AAEC\",\"stat\":-1"),
		RX(RX_HEAD "\"data\":\"AAEC\",\"stat\":0"),
		RX(RX_HEAD "\"data\":\"AA*C\""),
		RX(RX_HEAD "\"data\":\"\""),
		RX(RX_HEAD "\"data\":\"AAEC\",\"size\":4"),
		RX(RX_HEAD "\"size\":4"),
		RX("\"freq\":868.3,\"datr\":\"SF7BW125\",\"data\":\"AAEC\""),
		RX("\"tmst\":1,\"freq\":868.3,\"datr\":\"SF13BW125\",\"data\":\"AAEC\""),
		RX("\"tmst\":1,\"freq\":868.3,\"datr\":\"XF7BW125\",\"data\":\"AAEC\""),
		RX("\"tmst\":1,\"freq\":868.3,\"datr\":50000,\"data\":\"AAEC\""),
		RX("\"tmst\":1,\"freq\":868.3,\"modu\":\"LR-FHSS\",\"datr\":\"M0CW137\",\"data\":\"AAEC\""),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(unusable) / sizeof(*unusable); i++) {
		assert_int_equal(read_push(unusable[i]), 0);
		assert_int_equal(push.count, 0);
		assert_int_equal(push.ignored, 1);
	}
}

static void keeps_the_good_frames_beside_a_bad_one(void **state)
{
	(void)state;
	assert_int_equal(read_push("{\"rxpk\":[{" RX_HEAD "\"data\":\"*\"},{" RX_HEAD
				   "\"data\":\"AAEC\"}]}"),
		0);
	assert_int_equal(push.count, 1);
	assert_int_equal(push.ignored, 1);
	assert_int_equal(push.rxpk[0].size, 3);
}

static void refuses_malformed_json(void **state)
{
	static const char *const bad[] = { "", "[]", "{", "{\"rxpk\":{}}", "{\"rxpk\":[1]}",
		"{\"rxpk\":[],\"rxpk\":[]}", RX(RX_HEAD "\"tmst\":1,\"data\":\"AAEC\""),
		RX("\"tmst\":-1"), RX("\"tmst\":4294967296"), RX("\"freq\":1e99"),
		RX("\"time\":\"\x01\""), "{\"x\":[[[[[[[[[]]]]]]]]]}" };
	char many[40 * 3 + 16] = "{\"rxpk\":[{}";

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		if (read_push(bad[i]) != ERR_FORMAT)
			fail_msg("accepted: %s", bad[i]);
	for (int i = 0; i < GWMP_RXPK_MAX; i++)
		strcat(many, ",{}");
	strcat(many, "]}");
	assert_int_equal(read_push(many), ERR_FORMAT);
	assert_int_equal(push.count, 0);
}

static void refuses_a_frame_of_256_octets(void **state)
{
	char json[600] = "{\"rxpk\":[{" RX_HEAD "\"data\":\"";
	size_t head = strlen(json);

	(void)state;
	memset(json + head, 'A', 340);
	strcpy(json + head + 340, "\"}]}");
	assert_int_equal(read_push(json), 0);
	assert_int_equal(push.rxpk[0].size, 255);
	strcpy(json + head + 340, "AA\"}]}");
	memset(json + head, 'A', 342);
	assert_int_not_equal(read_push(json) == 0 && push.count, 1);
}

static void reads_back_what_it_writes(void **state)
{
	static struct gwmp_push in;
	struct gwmp_rxpk rx = { .tmst = 0xffffffff,
		.has_tmms = true,
		.tmms = 1000000000123,
		.time = "2026-11-22T04:30:00.000001Z",
		.freq = 868100000,
		.chan = 3,
		.rfch = 1,
		.stat = 1,
		.rate = { .sf = 12, .bandwidth_khz = 125 },
		.codr = 5,
		.rssi = -119,
		.lsnr = -205,
		.size = 3,
		.data = { 0x40, 0xff, 0xfe } };
	char json[2048];
	size_t n;

	(void)state;
	in.count = 2;
	in.rxpk[0] = in.rxpk[1] = rx;
	in.has_stat = true;
	in.stat = (struct gwmp_stat){ .time = "2026-11-22 04:30:00 GMT", .rxnb = 7, .ackr = 995 };
	assert_int_equal(gwmp_write_push(&in, json, sizeof(json), &n), 0);
	assert_int_equal(gwmp_read_push((struct span){ (uint8_t *)json, n }, &push, NULL), 0);
	assert_int_equal(push.count, 2);
	assert_memory_equal(&push.rxpk[1], &rx, sizeof(rx));
	assert_memory_equal(&push.stat, &in.stat, sizeof(in.stat));
	assert_int_equal(gwmp_write_push(&in, json, 100, &n), ERR_SPACE);
}

static void reads_back_a_txpk(void **state)
{
	struct gwmp_txpk in = { .tmst = 5000000,
		.freq = 869525000,
		.powe = 27,
		.rate = { .sf = 12, .bandwidth_khz = 125 },
		.codr = 5,
		.ipol = true,
		.ncrc = true,
		.size = 2,
		.data = { 0x60, 0x01 } },
			 out = { 0 };
	char json[512];
	size_t n;

	(void)state;
	assert_int_equal(gwmp_write_txpk(&in, json, sizeof(json), &n), 0);
	assert_string_equal(json,
		"{\"txpk\":{\"imme\":false,\"tmst\":5000000,\"freq\":869.525000,\"rfch\":0,\"powe\":27,"
		"\"modu\":\"LORA\",\"datr\":\"SF12BW125\",\"codr\":\"4/5\",\"ipol\":true,\"ncrc\":true,"
		"\"size\":2,\"data\":\"YAE=\"}}");
	assert_int_equal(gwmp_read_txpk((struct span){ (uint8_t *)json, n }, &out, NULL), 0);
	assert_memory_equal(&out, &in, sizeof(in));
	assert_int_equal(gwmp_read_txpk(bytes("{\"txpk\":{}}"), &out, NULL), ERR_FORMAT);
	assert_int_equal(gwmp_read_txpk(bytes("{}"), &out, NULL), ERR_FORMAT);
}

static void reads_every_tx_error(void **state)
{
	enum gwmp_tx_error e;
	char json[64];
	size_t n;

	(void)state;
	for (unsigned i = GWMP_TX_NONE; i <= GWMP_TX_OTHER; i++) {
		assert_int_equal(gwmp_write_tx_ack((enum gwmp_tx_error)i, json, sizeof(json), &n),
			0);
		assert_int_equal(gwmp_read_tx_ack((struct span){ (uint8_t *)json, n }, &e, NULL),
			0);
		assert_int_equal(e, i);
	}
	assert_int_equal(gwmp_read_tx_ack(bytes(""), &e, NULL), 0);
	assert_int_equal(e, GWMP_TX_NONE);
	assert_int_equal(
		gwmp_read_tx_ack(bytes("{\"txpk_ack\":{\"warn\":\"TX_POWER\",\"value\":20}}"), &e,
			NULL),
		0);
	assert_int_equal(e, GWMP_TX_NONE);
	assert_int_equal(gwmp_read_tx_ack(bytes("{\"txpk_ack\":"), &e, NULL), ERR_FORMAT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(reads_the_head_of_each_kind),
		TEST(refuses_a_wrong_head),
		TEST(acknowledges_what_must_be),
		TEST(reads_a_frame_as_forwarders_write_it),
		TEST(reads_data_without_padding),
		TEST(reads_fsk),
		TEST(leaves_out_frames_it_cannot_use),
		TEST(keeps_the_good_frames_beside_a_bad_one),
		TEST(refuses_malformed_json),
		TEST(refuses_a_frame_of_256_octets),
		TEST(reads_back_what_it_writes),
		TEST(reads_back_a_txpk),
		TEST(reads_every_tx_error),
	};

	return cmocka_run_group_tests_name("gwmp", tests, NULL, NULL);
}
