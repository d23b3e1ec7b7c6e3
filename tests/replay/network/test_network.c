/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "network/network.h"

#include <stdio.h>
#include <string.h>

#include "crypto/aes.h"
#include "lorawan/crypt.h"
#include "lorawan/data.h"
#include "lorawan/devaddr.h"
#include "lorawan/joinreq.h"
#include "lorawan/mic.h"
#include "lorawan/rejoin.h"

#define NET_ID  0x000013u
#define DEV     0x70b3d50000000001u
#define JOIN    0x70b3d57ed0000000u
#define GW_NEAR 0xaa00000000000001u
#define GW_FAR  0xaa00000000000002u

static struct network *e;
static struct network_event ev;
static int64_t now;
static uint32_t tmst;
static const uint8_t key[16] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 };
static const uint8_t key_s[16] = { 2 }, key_enc[16] = { 3 };
static uint32_t dev_addr;
static uint64_t join_eui;
static bool lw11;

static struct gateway_address address_of(uint64_t gateway)
{
	struct gateway_address a = { .n = 16 };

	memcpy(a.octets + 4, &gateway, sizeof(gateway));
	return a;
}

static void datagram(uint64_t gateway, enum gwmp_kind kind, uint16_t token, struct span json)
{
	struct gateway_address from = address_of(gateway);
	struct gwmp m = { .version = 2,
		.token = token,
		.kind = kind,
		.gateway = gateway,
		.json = json };
	uint8_t out[2048];
	size_t n;

	assert_int_equal(gwmp_write(&m, out, sizeof(out), &n), 0);
	network_datagram(e, now, &from, (struct span){ out, n });
}

static void pull(uint64_t gateway)
{
	datagram(gateway, GWMP_PULL_DATA, 1, (struct span){ NULL, 0 });
}

static void heard(uint64_t gateway, struct span phy, int16_t lsnr, uint32_t at)
{
	static struct gwmp_push p;
	char json[1024];
	size_t n;

	p.count = 1;
	p.rxpk[0] = (struct gwmp_rxpk){ .tmst = at,
		.freq = 868100000,
		.stat = 1,
		.rate = { .sf = 7, .bw_khz = 125, .codr = 5 },
		.rssi = -60,
		.lsnr = lsnr,
		.size = (uint8_t)phy.n };
	memcpy(p.rxpk[0].data, phy.p, phy.n);
	assert_int_equal(gwmp_write_push(&p, json, sizeof(json), &n), 0);
	datagram(gateway, GWMP_PUSH_DATA, 2, (struct span){ (uint8_t *)json, n });
}

static void expect(enum network_event_kind kind)
{
	if (!network_next(e, now, &ev))
		ev.kind = NETWORK_NOTHING;
	assert_int_equal(ev.kind, kind);
}

static struct gwmp_txpk sent_frame(uint16_t *token)
{
	struct gwmp_txpk tx;
	struct gwmp m;

	assert_int_equal(gwmp_read((struct span){ ev.send.octets, ev.send.n }, &m), 0);
	assert_int_equal(m.kind, GWMP_PULL_RESP);
	assert_int_equal(gwmp_read_txpk(m.json, &tx, NULL), 0);
	*token = m.token;
	return tx;
}

static void acknowledge(uint64_t gateway, uint16_t token, enum gwmp_tx_error error)
{
	char json[64];
	size_t n;

	assert_int_equal(gwmp_write_tx_ack(error, json, sizeof(json), &n), 0);
	datagram(gateway, GWMP_TX_ACK, token, (struct span){ (uint8_t *)json, n });
}

static void start(void)
{
	struct network_config config = { .net_id = NET_ID,
		.deduplication_ms = 200,
		.downlink_wait_ms = 100,
		.rx1_delay = 1,
		.mac_version = VERSION_1_1_0,
		.unix_ms = 1700000000000,
		.seed = 42 };
	struct err err;

	now = 1000;
	tmst = 0xfffff000; /* wraps within the first window */
	lw11 = false;
	join_eui = JOIN;
	assert_int_equal(network_new(&config, &e, &err), 0);
	pull(GW_NEAR);
	pull(GW_FAR);
}

static void stop(void)
{
	network_free(e);
	e = NULL;
}

static struct span join_request(uint16_t nonce)
{
	static uint8_t out[JOINREQ_OCTETS];
	struct joinreq r = { .join_eui = join_eui, .dev_eui = DEV, .dev_nonce = nonce };

	joinreq_write(&r, out);
	return (struct span){ out, sizeof(out) };
}

static void put_key(struct envelope *out, const uint8_t k[16])
{
	out->n = 16;
	memcpy(out->aes_key, k, 16);
}

static struct joining_ans join_answer(void)
{
	struct joining_ans a = { .phy_n = 33, .session_key_id = { .n = 4, .octets = "abcd" } };

	a.phy_payload[0] = 0x20;
	if (lw11) {
		put_key(&a.f_nwk_s_int_key, key);
		put_key(&a.s_nwk_s_int_key, key_s);
		put_key(&a.nwk_s_enc_key, key_enc);
	} else {
		put_key(&a.nwk_s_key, key);
	}
	strcpy(a.application_server, "https://as.b.example:8005");
	strcpy(a.as_id, "as.b.example");
	return a;
}

/* A whole join; leaves the session pending and the accept sent. */
static void join(uint16_t nonce)
{
	struct joining_ans ans = join_answer();
	uint16_t token;

	heard(GW_NEAR, join_request(nonce), 50, tmst);
	expect(NETWORK_ASK);
	dev_addr = ev.ask.req.dev_addr;
	network_joined(e, now, ev.ask.id, &ans, NULL);
	now += 200;
	expect(NETWORK_SAVE);
	expect(NETWORK_SEND);
	sent_frame(&token);
	acknowledge(GW_NEAR, token, GWMP_TX_NONE);
	expect(NETWORK_NOTHING);
	now += 10000;
	tmst += 10000000;
	pull(GW_NEAR);
	pull(GW_FAR);
}

static struct block block_of(const uint8_t k[16], struct aes **aes)
{
	assert_int_equal(aes_new(k, aes, NULL), 0);
	return aes_block(*aes);
}

struct up {
	uint32_t f_cnt;
	bool confirmed, ack;
	const char *fopts;
	size_t fopts_n;
	uint16_t conf_f_cnt;
};

static struct span uplink(struct up u)
{
	static uint8_t out[256];
	uint8_t fopts[15];
	struct aes *a, *b, *c;
	struct block f = block_of(key, &a), s = block_of(key_s, &b), n = block_of(key_enc, &c);
	struct data d = { .type = u.confirmed ? PHY_CONFIRMED_UP : PHY_DATA_UP,
		.fhdr = { .dev_addr = dev_addr,
			.fcnt = (uint16_t)u.f_cnt,
			.ack = u.ack,
			.fopts = { (const uint8_t *)u.fopts, u.fopts_n } },
		.has_port = true,
		.port = 10,
		.frm = bytes("cipher") };
	struct mic_data m = { .direction = LORAWAN_UP,
		.dev_addr = dev_addr,
		.fcnt = u.f_cnt,
		.conf_fcnt = u.ack ? u.conf_f_cnt : 0,
		.tx_dr = 5,
		.tx_ch = 0 };
	size_t length;

	if (lw11 && u.fopts_n) {
		crypt_fopts(&n, LORAWAN_UP, CRYPT_FCNT_UP, dev_addr, u.f_cnt, d.fhdr.fopts, fopts);
		d.fhdr.fopts.p = fopts;
	}
	assert_int_equal(data_write(&d, out, sizeof(out), &length), 0);
	if (lw11)
		mic_of_uplink_11(&f, &s, &m, (struct span){ out, length - 4 }, out + length - 4);
	else
		mic_of_data_10(&f, &m, (struct span){ out, length - 4 }, out + length - 4);
	aes_free(a);
	aes_free(b);
	aes_free(c);
	return (struct span){ out, length };
}

/* Read as the device reads it: MIC under the full counter, which it must be. */
static struct data downlink(const struct gwmp_txpk *tx, uint32_t f_cnt, uint16_t conf_f_cnt)
{
	static uint8_t phy[256];
	struct aes *a;
	struct block k = block_of(lw11 ? key_s : key, &a);
	struct mic_data m = { .direction = LORAWAN_DOWN,
		.dev_addr = dev_addr,
		.fcnt = f_cnt,
		.conf_fcnt = conf_f_cnt };
	uint8_t mic[4];
	struct data d;

	memcpy(phy, tx->data, tx->size);
	assert_int_equal(data_read((struct span){ phy, tx->size }, &d), 0);
	if (lw11)
		mic_of_downlink_11(&k, &m, (struct span){ phy, tx->size - 4u }, mic);
	else
		mic_of_data_10(&k, &m, (struct span){ phy, tx->size - 4u }, mic);
	assert_memory_equal(mic, d.mic, 4);
	assert_int_equal(d.fhdr.fcnt, (uint16_t)f_cnt);
	aes_free(a);
	return d;
}

/* An uplink that is taken and handed on; the first one of a session confirms it. */
static void take_uplink(struct up u, bool first)
{
	heard(GW_NEAR, uplink(u), 50, tmst);
	now += 200;
	if (first)
		expect(NETWORK_REMOVE);
	expect(NETWORK_SAVE);
	expect(NETWORK_UPLINK);
	assert_int_equal(ev.uplink.up.f_cnt_up, u.f_cnt);
}

static void quiet(void)
{
	now += 10000;
	expect(NETWORK_NOTHING);
	tmst += 10000000;
	pull(GW_NEAR);
	pull(GW_FAR);
}

static enum network_downlink_verdict queue(const char *as_id, uint32_t f_cnt, bool confirmed,
	uint32_t *expected)
{
	struct session_item item = { .f_cnt = f_cnt,
		.f_port = 10,
		.confirmed = confirmed,
		.n = 4,
		.payload = "down" };

	return network_downlink(e, now, &(struct network_downlink){ as_id, DEV, NULL, &item },
		expected);
}

static void asks_the_join_server_at_the_first_copy(void **state)
{
	struct joining_ans ans = join_answer();
	struct gwmp_txpk tx;
	uint16_t token;

	(void)state;
	start();
	heard(GW_FAR, join_request(1), -50, tmst);
	expect(NETWORK_ASK);
	assert_true(ev.ask.join_eui == JOIN);
	assert_true(ev.ask.req.dev_eui == DEV);
	assert_true(devaddr_belongs(ev.ask.req.dev_addr, NET_ID));
	assert_int_equal(ev.ask.req.dl_settings & 0x80, 0x80);
	assert_true(ev.ask.req.has_cflist);
	dev_addr = ev.ask.req.dev_addr;
	heard(GW_NEAR, join_request(1), 50, tmst + 7);
	network_joined(e, now + 3, ev.ask.id, &ans, NULL);
	expect(NETWORK_NOTHING);
	assert_null(network_session(e, DEV, SESSION_PENDING));
	now += 200;
	expect(NETWORK_SAVE);
	assert_int_equal(ev.save.slot, SESSION_PENDING);
	expect(NETWORK_SEND);
	tx = sent_frame(&token);
	assert_true(tx.tmst == tmst + 7 + 5000000); /* through the better gateway, modulo 2^32 */
	assert_int_equal(tx.freq, 868100000);
	assert_int_equal(tx.rate.sf, 7);
	assert_int_equal(tx.size, 33);
	assert_true(tx.ipol && tx.ncrc && !tx.imme);
	expect(NETWORK_NOTHING);
	stop();
}

static void falls_back_to_rx2_when_the_gateway_says_too_late(void **state)
{
	struct joining_ans ans = join_answer();
	struct gwmp_txpk tx;
	uint16_t token, again;

	(void)state;
	start();
	heard(GW_NEAR, join_request(1), 50, tmst);
	expect(NETWORK_ASK);
	network_joined(e, now, ev.ask.id, &ans, NULL);
	now += 200;
	expect(NETWORK_SAVE);
	expect(NETWORK_SEND);
	sent_frame(&token);
	acknowledge(GW_FAR, token, GWMP_TX_TOO_LATE); /* not the gateway it was given to */
	expect(NETWORK_NOTHING);
	acknowledge(GW_NEAR, token, GWMP_TX_TOO_LATE);
	expect(NETWORK_SEND);
	tx = sent_frame(&again);
	assert_true(tx.tmst == tmst + 6000000);
	assert_int_equal(tx.freq, 869525000);
	assert_int_equal(tx.rate.sf, 12);
	acknowledge(GW_NEAR, again, GWMP_TX_TOO_LATE);
	quiet();
	stop();
}

static void makes_no_session_when_the_join_server_refuses(void **state)
{
	struct joining_ans ans = { .result.code = RESULT_MIC_FAILED };

	(void)state;
	start();
	heard(GW_NEAR, join_request(1), 50, tmst);
	expect(NETWORK_ASK);
	network_joined(e, now, ev.ask.id, &ans, NULL);
	quiet();
	assert_null(network_session(e, DEV, SESSION_PENDING));
	stop();
}

static void gives_up_a_join_that_is_not_answered(void **state)
{
	struct joining_ans ans = join_answer();
	struct network_stats stats;
	uint32_t id;

	(void)state;
	start();
	heard(GW_NEAR, join_request(1), 50, tmst);
	expect(NETWORK_ASK);
	id = ev.ask.id;
	quiet();
	network_joined(e, now, id, &ans, NULL);
	expect(NETWORK_NOTHING);
	network_stats(e, &stats);
	assert_int_equal(stats.joins_refused, 1);
	assert_int_equal(stats.sessions, 0);
	stop();
}

static void refuses_an_answer_without_keys_in_clear(void **state)
{
	struct joining_ans ans = join_answer();

	(void)state;
	start();
	strcpy(ans.nwk_s_key.kek_label, "000013");
	ans.nwk_s_key.n = 24;
	heard(GW_NEAR, join_request(1), 50, tmst);
	expect(NETWORK_ASK);
	network_joined(e, now, ev.ask.id, &ans, NULL);
	quiet();
	assert_null(network_session(e, DEV, SESSION_PENDING));
	stop();
}

static void confirms_a_session_with_its_first_uplink(void **state)
{
	(void)state;
	start();
	join(1);
	assert_null(network_session(e, DEV, SESSION_ACTIVE));
	take_uplink((struct up){ .f_cnt = 0 }, true);
	assert_non_null(network_session(e, DEV, SESSION_ACTIVE));
	assert_null(network_session(e, DEV, SESSION_PENDING));
	assert_string_equal(ev.as_url, "https://as.b.example:8005");
	assert_int_equal(ev.uplink.payload_n, 6);
	assert_int_equal(ev.uplink.session_key_id.n, 4);
	assert_int_equal(ev.uplink.up.f_cnt_down, 0);
	assert_string_equal(ev.uplink.up.recv_time, "2023-11-14T22:13:31.200Z");
	quiet();
	stop();
}

static void keeps_the_old_session_until_the_new_one_is_used(void **state)
{
	uint32_t old_addr;

	(void)state;
	start();
	join(1);
	take_uplink((struct up){ .f_cnt = 0 }, true);
	quiet();
	old_addr = dev_addr;
	join(2);
	assert_int_not_equal(old_addr, dev_addr);
	dev_addr = old_addr; /* the device missed its accept */
	take_uplink((struct up){ .f_cnt = 1 }, false);
	quiet();
	assert_non_null(network_session(e, DEV, SESSION_PENDING));
	stop();
}

static void hands_on_one_uplink_heard_by_two_gateways_once(void **state)
{
	struct span phy;

	(void)state;
	start();
	join(1);
	phy = uplink((struct up){ .f_cnt = 0 });
	heard(GW_FAR, phy, -100, tmst);
	now += 150;
	heard(GW_NEAR, phy, 70, tmst + 9);
	now += 50;
	expect(NETWORK_REMOVE);
	expect(NETWORK_SAVE);
	expect(NETWORK_UPLINK);
	assert_int_equal(ev.uplink.up.gw_cnt, 2);
	assert_true(ev.uplink.up.gateways[0].id == GW_NEAR);
	now += 150;
	heard(GW_FAR, phy, -100, tmst); /* late */
	quiet();
	stop();
}

static void refuses_a_replayed_uplink(void **state)
{
	struct network_stats stats;

	(void)state;
	start();
	join(1);
	take_uplink((struct up){ .f_cnt = 0 }, true);
	quiet();
	take_uplink((struct up){ .f_cnt = 1 }, false);
	quiet();
	heard(GW_NEAR, uplink((struct up){ .f_cnt = 0 }), 50, tmst);
	quiet();
	heard(GW_NEAR, uplink((struct up){ .f_cnt = 1 }), 50, tmst); /* repeated, not confirmed */
	quiet();
	network_stats(e, &stats);
	assert_int_equal(stats.replayed, 1);
	assert_int_equal(stats.repeated, 1);
	assert_int_equal(stats.uplinks, 2);
	stop();
}

static void refuses_a_wrong_mic(void **state)
{
	struct network_stats stats;
	uint8_t phy[64];
	struct span u;

	(void)state;
	start();
	join(1);
	u = uplink((struct up){ .f_cnt = 0 });
	memcpy(phy, u.p, u.n);
	phy[u.n - 1] ^= 1;
	heard(GW_NEAR, (struct span){ phy, u.n }, 50, tmst);
	quiet();
	network_stats(e, &stats);
	assert_int_equal(stats.bad_mic, 1);
	assert_non_null(network_session(e, DEV, SESSION_PENDING));
	stop();
}

static void refuses_replays_after_a_restart(void **state)
{
	struct session_item item;
	struct network_event saved;
	struct network_stats stats;
	uint32_t addr;

	(void)state;
	(void)item;
	start();
	join(1);
	heard(GW_NEAR, uplink((struct up){ .f_cnt = 0 }), 50, tmst);
	now += 200;
	expect(NETWORK_REMOVE);
	expect(NETWORK_SAVE);
	saved = ev;
	addr = dev_addr;
	stop();
	start();
	assert_int_equal(network_restore(e, (struct span){ saved.save.blob, saved.save.n }, NULL),
		0);
	dev_addr = addr;
	heard(GW_NEAR, uplink((struct up){ .f_cnt = 0 }), 50, tmst);
	quiet();
	network_stats(e, &stats);
	assert_int_equal(stats.uplinks, 0);
	take_uplink((struct up){ .f_cnt = 1 }, false);
	quiet();
	stop();
}

static void widens_counters_past_16_bits(void **state)
{
	struct session s;
	struct network_stats stats;

	(void)state;
	start();
	join(1);
	take_uplink((struct up){ .f_cnt = 0 }, true);
	quiet();
	s = *network_session(e, DEV, SESSION_ACTIVE);
	s.f_cnt_up_next = 0xfffe;
	s.abp = true;
	s.dev_eui = DEV + 1;
	assert_int_equal(network_personalise(e, &s, NULL), 0);
	expect(NETWORK_SAVE);
	take_uplink((struct up){ .f_cnt = 0xffff }, false);
	quiet();
	take_uplink((struct up){ .f_cnt = 0x10000 }, false);
	quiet();
	heard(GW_NEAR, uplink((struct up){ .f_cnt = 0xffff }), 50, tmst);
	quiet();
	network_stats(e, &stats);
	assert_int_equal(stats.replayed, 1);
	stop();
}

/* Whoever has a JoinEUI and a Join Server may claim any DevEUI. */
static void keeps_a_session_when_another_join_server_claims_its_dev_eui(void **state)
{
	uint32_t expected, addr;

	(void)state;
	start();
	join(1);
	take_uplink((struct up){ .f_cnt = 0 }, true);
	quiet();
	addr = dev_addr;
	join_eui = JOIN + 1;
	join(2);
	take_uplink((struct up){ .f_cnt = 0 }, true);
	quiet();
	dev_addr = addr;
	take_uplink((struct up){ .f_cnt = 1 }, false);
	assert_int_equal(ev.uplink.join_eui, JOIN);
	assert_int_equal(queue("as.b.example", 0, false, &expected), NETWORK_DOWNLINK_QUEUED);
	stop();
}

static void refuses_a_downlink_encrypted_for_another_session(void **state)
{
	struct session_item item = { .f_port = 10, .n = 4, .payload = "down" };
	struct joining_session id = { .n = 4, .octets = "abce" };
	struct network_downlink d = { "as.b.example", DEV, &id, &item };
	uint32_t expected;

	(void)state;
	start();
	join(1);
	take_uplink((struct up){ .f_cnt = 0 }, true);
	assert_int_equal(network_downlink(e, now, &d, &expected), NETWORK_DOWNLINK_SESSION);
	id.octets[3] = 'd';
	assert_int_equal(network_downlink(e, now, &d, &expected), NETWORK_DOWNLINK_QUEUED);
	stop();
}

static void lets_no_personalised_device_join(void **state)
{
	struct session abp = { .dev_eui = DEV, .dev_addr = 1, .abp = true };
	struct network_stats stats;

	(void)state;
	start();
	assert_int_equal(network_personalise(e, &abp, NULL), 0);
	expect(NETWORK_SAVE);
	heard(GW_NEAR, join_request(1), 50, tmst);
	quiet();
	network_stats(e, &stats);
	assert_int_equal(stats.joins_refused, 1);
	assert_int_equal(stats.sessions, 1);
	stop();
}

/* The same counter covers FOpts once: what they say later waits for a new counter. */
static void sends_a_1_1_downlink_again_without_other_mac_commands(void **state)
{
	struct gwmp_txpk tx;
	uint32_t expected;
	uint16_t token;
	struct data d;

	(void)state;
	start();
	lw11 = true;
	join(1);
	take_uplink((struct up){ .f_cnt = 0 }, true);
	assert_int_equal(queue("as.b.example", 0, true, &expected), NETWORK_DOWNLINK_QUEUED);
	now += 100;
	expect(NETWORK_SAVE);
	expect(NETWORK_SEND);
	sent_frame(&token);
	acknowledge(GW_NEAR, token, GWMP_TX_NONE);
	expect(NETWORK_STATUS);
	quiet();
	take_uplink((struct up){ .f_cnt = 1, .fopts = "\x02", .fopts_n = 1 }, false);
	now += 100;
	expect(NETWORK_SAVE);
	expect(NETWORK_SEND);
	tx = sent_frame(&token);
	d = downlink(&tx, 0, 0);
	assert_int_equal(d.port, 10);
	assert_int_equal(d.fhdr.fopts.n, 0);
	stop();
}

static struct span rejoin_request(uint8_t type, uint32_t net_id, uint16_t count,
	const uint8_t k[16])
{
	static uint8_t out[REJOIN_MAX];
	struct rejoin r = { .type = type,
		.net_id = net_id,
		.join_eui = JOIN,
		.dev_eui = DEV,
		.rj_count = count };
	size_t n = rejoin_write(&r, out);
	struct aes *aes;
	struct block b = block_of(k, &aes);

	mic_of_message(&b, (struct span){ out, n - 4 }, out + n - 4);
	aes_free(aes);
	return (struct span){ out, n };
}

static void hands_a_rejoin_request_to_the_join_server(void **state)
{
	struct joining_ans ans;

	(void)state;
	start();
	lw11 = true;
	join(1);
	take_uplink((struct up){ .f_cnt = 0 }, true);
	quiet();
	for (uint8_t type = 0; type <= 2; type++) {
		heard(GW_NEAR, rejoin_request(type, NET_ID, type, key_s), 50, tmst);
		expect(NETWORK_ASK);
		assert_true(ev.ask.rejoin);
		assert_true(ev.ask.join_eui == JOIN);
		assert_int_equal(ev.ask.req.dl_settings & 0x80, 0x80);
		quiet(); /* this one is not answered */
	}
	heard(GW_NEAR, rejoin_request(0, NET_ID, 9, key_s), 50, tmst);
	expect(NETWORK_ASK);
	ans = join_answer();
	network_joined(e, now, ev.ask.id, &ans, NULL);
	now += 200;
	expect(NETWORK_SAVE);
	expect(NETWORK_SEND);
	assert_non_null(network_session(e, DEV, SESSION_ACTIVE));
	assert_non_null(network_session(e, DEV, SESSION_PENDING));
	stop();
}

static void refuses_a_rejoin_request_replayed_or_signed_by_no_session(void **state)
{
	struct network_stats stats;

	(void)state;
	start();
	lw11 = true;
	join(1);
	take_uplink((struct up){ .f_cnt = 0 }, true);
	quiet();
	heard(GW_NEAR, rejoin_request(0, NET_ID, 5, key_s), 50, tmst);
	expect(NETWORK_ASK);
	quiet();
	for (uint16_t count = 4; count <= 5; count++) {
		heard(GW_NEAR, rejoin_request(2, NET_ID, count, key_s), 50, tmst);
		quiet();
	}
	heard(GW_NEAR, rejoin_request(0, NET_ID, 6, key), 50, tmst);
	quiet();
	heard(GW_NEAR, rejoin_request(0, NET_ID + 1, 6, key_s), 50, tmst);
	quiet();
	network_stats(e, &stats);
	assert_int_equal(stats.joins_asked, 2);
	assert_int_equal(stats.joins_refused, 5);
	heard(GW_NEAR, rejoin_request(0, NET_ID, 6, key_s), 50, tmst);
	expect(NETWORK_ASK);
	stop();
}

static void acknowledges_a_confirmed_uplink_in_rx1(void **state)
{
	struct gwmp_txpk tx;
	struct data d;
	uint16_t token;

	(void)state;
	start();
	join(1);
	take_uplink((struct up){ .f_cnt = 0, .confirmed = true }, true);
	now += 100;
	expect(NETWORK_SAVE); /* the counter, before the frame */
	expect(NETWORK_SEND);
	tx = sent_frame(&token);
	assert_true(tx.tmst == tmst + 1000000);
	d = downlink(&tx, 0, 0);
	assert_true(d.fhdr.ack);
	assert_false(d.has_port);
	acknowledge(GW_NEAR, token, GWMP_TX_NONE);
	quiet();
	assert_int_equal(network_session(e, DEV, SESSION_ACTIVE)->n_f_cnt_down, 1);
	stop();
}

static void acknowledges_again_when_the_device_repeats(void **state)
{
	struct gwmp_txpk tx;
	uint16_t token;

	(void)state;
	start();
	join(1);
	take_uplink((struct up){ .f_cnt = 0, .confirmed = true }, true);
	now += 100;
	expect(NETWORK_SAVE);
	expect(NETWORK_SEND);
	quiet();
	heard(GW_NEAR, uplink((struct up){ .f_cnt = 0, .confirmed = true }), 50, tmst);
	now += 200;
	expect(NETWORK_SAVE);
	now += 100;
	expect(NETWORK_SAVE);
	expect(NETWORK_SEND);
	tx = sent_frame(&token);
	assert_true(downlink(&tx, 1, 0).fhdr.ack);
	quiet();
	stop();
}

static void answers_link_check_and_device_time(void **state)
{
	struct mac_link_check_ans check;
	struct mac_device_time_ans time;
	struct mac_command c;
	struct gwmp_txpk tx;
	struct mac_walk w;
	struct data d;
	uint16_t token;

	(void)state;
	start();
	join(1);
	take_uplink((struct up){ .f_cnt = 0, .fopts = "\x02\x0d", .fopts_n = 2 }, true);
	now += 100;
	expect(NETWORK_SAVE);
	expect(NETWORK_SEND);
	tx = sent_frame(&token);
	d = downlink(&tx, 0, 0);
	w = mac_walk_over(d.fhdr.fopts, LORAWAN_DOWN);
	assert_true(mac_next(&w, &c));
	mac_read_link_check_ans(&c, &check);
	assert_int_equal(check.margin, 12); /* 5.0 - (-7.5) */
	assert_int_equal(check.gateways, 1);
	assert_true(mac_next(&w, &c));
	mac_read_device_time_ans(&c, &time);
	assert_int_equal(time.seconds, 1700000000 + 11 - 315964800 + 18);
	quiet();
	stop();
}

static void sends_what_the_application_queued(void **state)
{
	uint32_t expected = 99;
	struct gwmp_txpk tx;
	struct data d;
	uint16_t token;

	(void)state;
	start();
	join(1);
	assert_int_equal(queue("as.b.example", 0, false, &expected), NETWORK_DOWNLINK_UNKNOWN);
	take_uplink((struct up){ .f_cnt = 0 }, true);
	assert_int_equal(queue("AS.b.example", 0, false, &expected), NETWORK_DOWNLINK_QUEUED);
	assert_int_equal(queue("as.b.example", 0, false, &expected), NETWORK_DOWNLINK_QUEUED);
	now += 100;
	expect(NETWORK_SAVE);
	expect(NETWORK_SEND);
	tx = sent_frame(&token);
	d = downlink(&tx, 0, 0);
	assert_int_equal(d.port, 10);
	assert_memory_equal(d.frm.p, "down", 4);
	assert_false(d.fhdr.pending);
	acknowledge(GW_NEAR, token, GWMP_TX_NONE);
	expect(NETWORK_STATUS);
	assert_int_equal(ev.status.status, DLSTATUS_SENT);
	assert_int_equal(ev.status.f_cnt_down, 0);
	quiet();
	stop();
}

static void refuses_downlinks_of_another_application_server(void **state)
{
	uint32_t expected;

	(void)state;
	start();
	join(1);
	take_uplink((struct up){ .f_cnt = 0 }, true);
	assert_int_equal(queue("as.evil.example", 0, false, &expected), NETWORK_DOWNLINK_FOREIGN);
	assert_int_equal(queue("", 0, false, &expected), NETWORK_DOWNLINK_FOREIGN);
	assert_int_equal(queue("as.b.example.evil", 0, false, &expected), NETWORK_DOWNLINK_FOREIGN);
	quiet();
	stop();
}

static void says_which_counter_it_expects(void **state)
{
	uint32_t expected = 0;

	(void)state;
	start();
	join(1);
	take_uplink((struct up){ .f_cnt = 0, .confirmed = true }, true);
	now += 100;
	expect(NETWORK_SAVE);
	expect(NETWORK_SEND); /* the acknowledgement took counter 0 */
	assert_int_equal(queue("as.b.example", 0, false, &expected), NETWORK_DOWNLINK_STALE);
	assert_int_equal(expected, 1);
	assert_int_equal(queue("as.b.example", 1, false, &expected), NETWORK_DOWNLINK_QUEUED);
	assert_int_equal(queue("as.b.example", 300, false, &expected), NETWORK_DOWNLINK_STALE);
	assert_int_equal(expected, 2);
	quiet();
	stop();
}

static void sends_a_confirmed_downlink_again_until_it_is_acknowledged(void **state)
{
	uint32_t expected;
	struct gwmp_txpk first, again;
	uint16_t token;

	(void)state;
	start();
	join(1);
	take_uplink((struct up){ .f_cnt = 0 }, true);
	assert_int_equal(queue("as.b.example", 0, true, &expected), NETWORK_DOWNLINK_QUEUED);
	now += 100;
	expect(NETWORK_SAVE);
	expect(NETWORK_SEND);
	first = sent_frame(&token);
	acknowledge(GW_NEAR, token, GWMP_TX_NONE);
	expect(NETWORK_STATUS);
	quiet();
	take_uplink((struct up){ .f_cnt = 1 }, false);
	now += 100;
	expect(NETWORK_SAVE);
	expect(NETWORK_SEND);
	again = sent_frame(&token);
	assert_int_equal(first.size, again.size);
	assert_memory_equal(first.data, again.data, first.size); /* same counter, same frame */
	acknowledge(GW_NEAR, token, GWMP_TX_NONE);
	quiet();
	heard(GW_NEAR, uplink((struct up){ .f_cnt = 2, .ack = true }), 50, tmst);
	now += 200;
	expect(NETWORK_STATUS);
	assert_int_equal(ev.status.status, DLSTATUS_ACKED);
	expect(NETWORK_SAVE);
	expect(NETWORK_UPLINK);
	quiet();
	stop();
}

static void gives_up_a_confirmed_downlink_after_three_times(void **state)
{
	uint32_t expected;
	uint16_t token;

	(void)state;
	start();
	join(1);
	take_uplink((struct up){ .f_cnt = 0 }, true);
	assert_int_equal(queue("as.b.example", 0, true, &expected), NETWORK_DOWNLINK_QUEUED);
	for (uint32_t i = 1; i <= 3; i++) {
		now += 100;
		expect(NETWORK_SAVE);
		expect(NETWORK_SEND);
		sent_frame(&token);
		acknowledge(GW_NEAR, token, GWMP_TX_NONE);
		if (i == 1)
			expect(NETWORK_STATUS);
		quiet();
		if (i < 3)
			take_uplink((struct up){ .f_cnt = i }, false);
	}
	heard(GW_NEAR, uplink((struct up){ .f_cnt = 3 }), 50, tmst);
	now += 200;
	expect(NETWORK_STATUS);
	assert_int_equal(ev.status.status, DLSTATUS_NACKED);
	expect(NETWORK_SAVE);
	expect(NETWORK_UPLINK);
	quiet();
	stop();
}

static void reports_a_downlink_no_gateway_could_send(void **state)
{
	uint32_t expected;
	uint16_t token;

	(void)state;
	start();
	join(1);
	take_uplink((struct up){ .f_cnt = 0 }, true);
	assert_int_equal(queue("as.b.example", 0, false, &expected), NETWORK_DOWNLINK_QUEUED);
	now += 100;
	expect(NETWORK_SAVE);
	expect(NETWORK_SEND);
	sent_frame(&token);
	acknowledge(GW_NEAR, token, GWMP_TX_COLLISION_PACKET);
	expect(NETWORK_SEND);
	sent_frame(&token);
	acknowledge(GW_NEAR, token, GWMP_TX_FREQ);
	expect(NETWORK_STATUS);
	assert_int_equal(ev.status.status, DLSTATUS_FAILED);
	quiet();
	stop();
}

static void reports_a_downlink_the_gateway_is_silent_about(void **state)
{
	uint32_t expected;

	(void)state;
	start();
	join(1);
	take_uplink((struct up){ .f_cnt = 0 }, true);
	assert_int_equal(queue("as.b.example", 0, false, &expected), NETWORK_DOWNLINK_QUEUED);
	now += 100;
	expect(NETWORK_SAVE);
	expect(NETWORK_SEND);
	now += 4000;
	expect(NETWORK_STATUS);
	assert_int_equal(ev.status.status, DLSTATUS_FAILED);
	quiet();
	stop();
}

static void sends_nothing_through_a_gateway_that_stopped_pulling(void **state)
{
	(void)state;
	start();
	join(1);
	now += 95000;
	take_uplink((struct up){ .f_cnt = 0, .confirmed = true }, true);
	now += 100;
	expect(NETWORK_SAVE);
	quiet();
	stop();
}

static void speaks_1_1_with_separate_counters_and_a_bound_ack(void **state)
{
	uint8_t plain[15];
	uint32_t expected;
	struct gwmp_txpk tx;
	struct block k;
	struct aes *a;
	struct data d;
	uint16_t token;

	(void)state;
	start();
	lw11 = true;
	join(1);
	take_uplink((struct up){ .f_cnt = 0, .confirmed = true, .fopts = "\x0b\x01", .fopts_n = 2 },
		true);
	now += 100;
	expect(NETWORK_SAVE);
	expect(NETWORK_SEND);
	tx = sent_frame(&token);
	d = downlink(&tx, 0, 0);
	k = block_of(key_enc, &a);
	crypt_fopts(&k, LORAWAN_DOWN, CRYPT_NFCNT_DOWN, dev_addr, 0, d.fhdr.fopts, plain);
	aes_free(a);
	assert_int_equal(d.fhdr.fopts.n, 2);
	assert_memory_equal(plain, "\x0b\x01", 2); /* RekeyConf */
	acknowledge(GW_NEAR, token, GWMP_TX_NONE);
	quiet();
	take_uplink((struct up){ .f_cnt = 1 }, false);
	assert_int_equal(ev.uplink.up.f_cnt_down, 0); /* AFCntDown is another counter */
	assert_int_equal(queue("as.b.example", 0, true, &expected), NETWORK_DOWNLINK_QUEUED);
	now += 100;
	expect(NETWORK_SAVE);
	expect(NETWORK_SEND);
	tx = sent_frame(&token);
	d = downlink(&tx, 0, 0);
	assert_int_equal(d.port, 10);
	acknowledge(GW_NEAR, token, GWMP_TX_NONE);
	expect(NETWORK_STATUS);
	quiet();
	heard(GW_NEAR, uplink((struct up){ .f_cnt = 2, .ack = true, .conf_f_cnt = 0 }), 50, tmst);
	now += 200;
	expect(NETWORK_STATUS);
	assert_int_equal(ev.status.status, DLSTATUS_ACKED);
	expect(NETWORK_SAVE);
	expect(NETWORK_UPLINK);
	quiet();
	stop();
}

static void survives_datagrams_of_every_wrong_kind(void **state)
{
	struct gateway_address from = address_of(GW_NEAR);
	uint8_t d[64];
	unsigned r = 12345;

	(void)state;
	start();
	for (unsigned i = 0; i < 20000; i++) {
		size_t n = i % sizeof(d);

		for (size_t k = 0; k < n; k++)
			d[k] = (uint8_t)((r = r * 1103515245 + 12345) >> 16);
		if (n > 3) {
			d[0] = (uint8_t)(1 + i % 2);
			d[3] = (uint8_t)(i % 7);
		}
		network_datagram(e, now, &from, (struct span){ d, n });
		while (network_next(e, now, &ev))
			;
	}
	stop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(asks_the_join_server_at_the_first_copy),
		TEST(falls_back_to_rx2_when_the_gateway_says_too_late),
		TEST(makes_no_session_when_the_join_server_refuses),
		TEST(gives_up_a_join_that_is_not_answered),
		TEST(refuses_an_answer_without_keys_in_clear),
		TEST(confirms_a_session_with_its_first_uplink),
		TEST(keeps_the_old_session_until_the_new_one_is_used),
		TEST(hands_on_one_uplink_heard_by_two_gateways_once),
		TEST(refuses_a_replayed_uplink),
		TEST(refuses_a_wrong_mic),
		TEST(refuses_replays_after_a_restart),
		TEST(widens_counters_past_16_bits),
		TEST(acknowledges_a_confirmed_uplink_in_rx1),
		TEST(acknowledges_again_when_the_device_repeats),
		TEST(answers_link_check_and_device_time),
		TEST(sends_what_the_application_queued),
		TEST(refuses_downlinks_of_another_application_server),
		TEST(says_which_counter_it_expects),
		TEST(sends_a_confirmed_downlink_again_until_it_is_acknowledged),
		TEST(gives_up_a_confirmed_downlink_after_three_times),
		TEST(reports_a_downlink_no_gateway_could_send),
		TEST(reports_a_downlink_the_gateway_is_silent_about),
		TEST(sends_nothing_through_a_gateway_that_stopped_pulling),
		TEST(speaks_1_1_with_separate_counters_and_a_bound_ack),
		TEST(keeps_a_session_when_another_join_server_claims_its_dev_eui),
		TEST(refuses_a_downlink_encrypted_for_another_session),
		TEST(lets_no_personalised_device_join),
		TEST(hands_a_rejoin_request_to_the_join_server),
		TEST(refuses_a_rejoin_request_replayed_or_signed_by_no_session),
		TEST(sends_a_1_1_downlink_again_without_other_mac_commands),
		TEST(survives_datagrams_of_every_wrong_kind),
	};

	return cmocka_run_group_tests_name("network", tests, NULL, NULL);
}
