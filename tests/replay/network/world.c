/* SPDX-License-Identifier: Apache-2.0 */
#include "world.h"

#include <string.h>

#include "check.h"
#include "lorawan/crypt.h"
#include "lorawan/joinreq.h"
#include "lorawan/mic.h"

struct world w;
const uint8_t world_key[16] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 };
const uint8_t world_key_s[16] = { 2 }, world_key_enc[16] = { 3 };

struct gateway_address world_address(uint64_t gateway)
{
	struct gateway_address a = { .n = 16 };

	memcpy(a.octets + 4, &gateway, sizeof(gateway));
	return a;
}

static void datagram(uint64_t gateway, enum gwmp_kind kind, uint16_t token, struct span json)
{
	struct gateway_address from = world_address(gateway);
	struct gwmp m = { .version = 2,
		.token = token,
		.kind = kind,
		.gateway = gateway,
		.json = json };
	uint8_t out[2048];
	size_t n;

	assert_int_equal(gwmp_write(&m, out, sizeof(out), &n), 0);
	network_datagram(w.e, w.now, &from, (struct span){ out, n });
}

void world_pull(uint64_t gateway)
{
	datagram(gateway, GWMP_PULL_DATA, 1, (struct span){ NULL, 0 });
}

void world_heard(uint64_t gateway, struct span phy, int16_t lsnr, uint32_t at)
{
	static struct gwmp_push p;
	char json[1024];
	size_t n;

	p.count = 1;
	p.rxpk[0] = (struct gwmp_rxpk){ .tmst = at,
		.freq = 868100000,
		.stat = 1,
		.rate = { .sf = 7, .bandwidth_khz = 125 },
		.codr = 5,
		.rssi = -60,
		.lsnr = lsnr,
		.size = (uint8_t)phy.n };
	memcpy(p.rxpk[0].data, phy.p, phy.n);
	assert_int_equal(gwmp_write_push(&p, json, sizeof(json), &n), 0);
	datagram(gateway, GWMP_PUSH_DATA, 2, (struct span){ (uint8_t *)json, n });
}

void world_expect(enum network_event_kind kind)
{
	if (!network_next(w.e, w.now, &w.ev))
		w.ev.kind = NETWORK_NOTHING;
	assert_int_equal(w.ev.kind, kind);
}

struct gwmp_txpk world_sent_frame(uint16_t *token)
{
	struct gwmp_txpk tx;
	struct gwmp m;

	assert_int_equal(gwmp_read((struct span){ w.ev.send.octets, w.ev.send.n }, &m), 0);
	assert_int_equal(m.kind, GWMP_PULL_RESP);
	assert_int_equal(gwmp_read_txpk(m.json, &tx, NULL), 0);
	*token = m.token;
	return tx;
}

void world_acknowledge(uint64_t gateway, uint16_t token, enum gwmp_tx_error error)
{
	char json[64];
	size_t n;

	assert_int_equal(gwmp_write_tx_ack(error, json, sizeof(json), &n), 0);
	datagram(gateway, GWMP_TX_ACK, token, (struct span){ (uint8_t *)json, n });
}

void world_start(void)
{
	struct network_config config = { .net_id = NET_ID,
		.deduplication_ms = 200,
		.downlink_wait_ms = 100,
		.rx1_delay = 1,
		.mac_version = VERSION_1_1_0,
		.unix_ms = 1700000000000,
		.seed = 42 };
	struct err err;

	w.now = 1000;
	w.tmst = 0xfffff000; /* wraps within the first window */
	w.lw11 = false;
	w.join_eui = JOIN;
	assert_int_equal(network_new(&config, &w.e, &err), 0);
	world_pull(GW_NEAR);
	world_pull(GW_FAR);
}

void world_stop(void)
{
	network_free(w.e);
	w.e = NULL;
}

struct span world_join_request(uint16_t nonce)
{
	static uint8_t out[JOINREQ_OCTETS];
	struct joinreq r = { .join_eui = w.join_eui, .dev_eui = DEV, .dev_nonce = nonce };

	joinreq_write(&r, out);
	return (struct span){ out, sizeof(out) };
}

static void put_key(struct envelope *out, const uint8_t k[16])
{
	out->n = 16;
	memcpy(out->aes_key, k, 16);
}

struct joining_ans world_join_answer(void)
{
	struct joining_ans a = { .phy_n = 33, .session_key_id = { .n = 4, .octets = "abcd" } };

	a.phy_payload[0] = 0x20;
	if (w.lw11) {
		put_key(&a.f_nwk_s_int_key, world_key);
		put_key(&a.s_nwk_s_int_key, world_key_s);
		put_key(&a.nwk_s_enc_key, world_key_enc);
	} else {
		put_key(&a.nwk_s_key, world_key);
	}
	strcpy(a.application_server, "https://as.b.example:8005");
	strcpy(a.as_id, "as.b.example");
	return a;
}

void world_join(uint16_t nonce)
{
	struct joining_ans ans = world_join_answer();
	uint16_t token;

	world_heard(GW_NEAR, world_join_request(nonce), 50, w.tmst);
	world_expect(NETWORK_ASK);
	w.dev_addr = w.ev.ask.req.dev_addr;
	network_joined(w.e, w.now, w.ev.ask.id, &ans, NULL);
	w.now += 200;
	world_expect(NETWORK_SAVE);
	world_expect(NETWORK_SEND);
	world_sent_frame(&token);
	world_acknowledge(GW_NEAR, token, GWMP_TX_NONE);
	world_expect(NETWORK_NOTHING);
	w.now += 10000;
	w.tmst += 10000000;
	world_pull(GW_NEAR);
	world_pull(GW_FAR);
}

struct block world_block(const uint8_t k[16], struct aes **aes)
{
	assert_int_equal(aes_new(k, aes, NULL), 0);
	return aes_block(*aes);
}

struct span world_uplink(struct world_up u)
{
	static uint8_t out[256];
	uint8_t fopts[15];
	struct aes *a, *b, *c;
	struct block f = world_block(world_key, &a), s = world_block(world_key_s, &b),
		     n = world_block(world_key_enc, &c);
	struct data d = { .type = u.confirmed ? PHY_CONFIRMED_UP : PHY_DATA_UP,
		.fhdr = { .dev_addr = w.dev_addr,
			.fcnt = (uint16_t)u.f_cnt,
			.ack = u.ack,
			.fopts = { (const uint8_t *)u.fopts, u.fopts_n } },
		.has_port = true,
		.port = 10,
		.frm = bytes("cipher") };
	struct mic_data m = { .direction = LORAWAN_UP,
		.dev_addr = w.dev_addr,
		.fcnt = u.f_cnt,
		.conf_fcnt = u.ack ? u.conf_f_cnt : 0,
		.tx_dr = 5,
		.tx_ch = 0 };
	size_t length;

	if (w.lw11 && u.fopts_n) {
		crypt_fopts(&n, LORAWAN_UP, CRYPT_FCNT_UP, w.dev_addr, u.f_cnt, d.fhdr.fopts,
			fopts);
		d.fhdr.fopts.p = fopts;
	}
	assert_int_equal(data_write(&d, out, sizeof(out), &length), 0);
	if (w.lw11)
		mic_of_uplink_11(&f, &s, &m, (struct span){ out, length - 4 }, out + length - 4);
	else
		mic_of_data_10(&f, &m, (struct span){ out, length - 4 }, out + length - 4);
	aes_free(a);
	aes_free(b);
	aes_free(c);
	return (struct span){ out, length };
}

struct data world_downlink(const struct gwmp_txpk *tx, uint32_t f_cnt, uint16_t conf_f_cnt)
{
	static uint8_t phy[256];
	struct aes *a;
	struct block k = world_block(w.lw11 ? world_key_s : world_key, &a);
	struct mic_data m = { .direction = LORAWAN_DOWN,
		.dev_addr = w.dev_addr,
		.fcnt = f_cnt,
		.conf_fcnt = conf_f_cnt };
	uint8_t mic[4];
	struct data d;

	memcpy(phy, tx->data, tx->size);
	assert_int_equal(data_read((struct span){ phy, tx->size }, &d), 0);
	if (w.lw11)
		mic_of_downlink_11(&k, &m, (struct span){ phy, tx->size - 4u }, mic);
	else
		mic_of_data_10(&k, &m, (struct span){ phy, tx->size - 4u }, mic);
	assert_memory_equal(mic, d.mic, 4);
	assert_int_equal(d.fhdr.fcnt, (uint16_t)f_cnt);
	aes_free(a);
	return d;
}

void world_take_uplink(struct world_up u, bool first)
{
	world_heard(GW_NEAR, world_uplink(u), 50, w.tmst);
	w.now += 200;
	if (first)
		world_expect(NETWORK_REMOVE);
	world_expect(NETWORK_SAVE);
	world_expect(NETWORK_UPLINK);
	assert_int_equal(w.ev.uplink.up.f_cnt_up, u.f_cnt);
}

void world_quiet(void)
{
	w.now += 10000;
	world_expect(NETWORK_NOTHING);
	w.tmst += 10000000;
	world_pull(GW_NEAR);
	world_pull(GW_FAR);
}

enum network_downlink_verdict world_queue(const char *as_id, uint32_t f_cnt, bool confirmed,
	uint32_t *expected)
{
	struct session_item item = { .f_cnt = f_cnt,
		.f_port = 10,
		.confirmed = confirmed,
		.n = 4,
		.payload = "down" };

	return network_downlink(w.e, w.now, &(struct network_downlink){ as_id, DEV, NULL, &item },
		expected);
}
