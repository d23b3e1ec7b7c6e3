/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every entry of tests/vectors/lorawan/vectors.json, each compared with what we compute.
 */
#include "base/hex.h"
#include "core/secret.h"
#include "crypto/keywrap.h"
#include "lorawan/crypt.h"
#include "lorawan/data.h"
#include "lorawan/joinaccept.h"
#include "lorawan/joinreq.h"
#include "lorawan/keys.h"
#include "lorawan/mic.h"
#include "lorawan/rejoin.h"
#include "vector.h"

#include <string.h>

static const char *const joins[] = {
	"cs3-lw10-cflist",
	"cs3-lw11-cflist",
	"brocaar-lw11-kek",
	"tts-lw11-first-join",
	"tts-lw11-existing",
	"tts-lw102-appkey-only",
	"tts-lw103-nwkkey",
};

static const char *const rejoins[] = {
	"cs3-rejoin-type0",
	"cs3-rejoin-type1",
	"cs3-rejoin-type2",
};

static struct span before_mic(struct span phy)
{
	return (struct span){ phy.p, phy.n - LORAWAN_MIC_OCTETS };
}

static struct joinaccept accept_of(const json_t *in)
{
	struct joinaccept a = {
		.join_nonce = vector_number(in, "JoinNonce"),
		.net_id = (uint32_t)vector_id(in, "NetID"),
		.dev_addr = (uint32_t)vector_id(in, "DevAddr"),
		.dl_settings = (uint8_t)vector_id(in, "DLSettings"),
		.rx_delay = (uint8_t)vector_number(in, "RxDelay"),
	};
	struct span cflist = vector_hex(in, "CFList");

	a.has_cflist = cflist.n > 0;
	if (a.has_cflist)
		memcpy(a.cflist, cflist.p, sizeof(a.cflist));
	return a;
}

static struct keys_nonces nonces_of(const json_t *in, const char *nonce)
{
	return (struct keys_nonces){
		.join_nonce = vector_number(in, "JoinNonce"),
		.net_id = (uint32_t)vector_id(in, "NetID"),
		.join_eui = vector_id(in, "JoinEUI"),
		.dev_nonce = (uint16_t)vector_number(in, nonce),
	};
}

static void check_request(const json_t *in, const json_t *out)
{
	struct block key = vector_cipher(in, "NwkKey");
	struct joinreq r = {
		.join_eui = vector_id(in, "JoinEUI"),
		.dev_eui = vector_id(in, "DevEUI"),
		.dev_nonce = (uint16_t)vector_number(in, "DevNonce"),
	};
	struct joinreq back;
	uint8_t phy[JOINREQ_OCTETS], again[JOINREQ_OCTETS];

	joinreq_write(&r, phy);
	mic_of_message(&key, before_mic((struct span){ phy, sizeof(phy) }), r.mic);
	joinreq_write(&r, phy);
	assert_octets(phy, sizeof(phy), vector_hex(out, "join_request_phypayload"));
	assert_octets(r.mic, sizeof(r.mic), vector_hex(out, "join_request_mic"));
	assert_int_equal(joinreq_read((struct span){ phy, sizeof(phy) }, &back), 0);
	joinreq_write(&back, again);
	assert_memory_equal(again, phy, sizeof(phy));
}

/* The accept as the Join Server seals it, and as the device opens it. */
static void check_accept(const json_t *in, const json_t *out, bool opt_neg,
	enum joinaccept_cause cause, const char *nonce)
{
	struct joinaccept a = accept_of(in);
	struct block nwk_key = vector_cipher(in, "NwkKey");
	struct block cipher = nwk_key;
	struct joinaccept back;
	uint8_t phy[JOINACCEPT_MAX], plain[JOINACCEPT_MAX], again[JOINACCEPT_MAX];
	size_t n;

	if (opt_neg) {
		uint8_t js_int[16], js_enc[16];
		struct block int_key;

		keys_derive_js(&nwk_key, vector_id(in, "DevEUI"), js_int, js_enc);
		assert_octets(js_int, 16, vector_hex(out, "JSIntKey"));
		assert_octets(js_enc, 16, vector_hex(out, "JSEncKey"));
		int_key = vector_cipher_of(js_int);
		if (cause != JOINACCEPT_AFTER_JOIN)
			cipher = vector_cipher_of(js_enc);
		n = joinaccept_seal_11(&int_key, &cipher, cause, vector_id(in, "JoinEUI"),
			(uint16_t)vector_number(in, nonce), &a, phy);
	} else {
		n = joinaccept_seal_10(&nwk_key, &a, phy);
	}
	assert_octets(phy, n, vector_hex(out, "join_accept_phypayload"));
	assert_octets(a.mic, sizeof(a.mic), vector_hex(out, "join_accept_mic"));
	assert_int_equal(joinaccept_decrypt(&cipher, (struct span){ phy, n }, plain), 0);
	assert_octets(plain, n, vector_hex(out, "join_accept_plaintext_with_mic"));
	assert_int_equal(joinaccept_read((struct span){ plain, n }, &back), 0);
	assert_octets(again, joinaccept_write(&back, again), (struct span){ plain, n });
}

static void check_session(const json_t *in, const json_t *out, bool opt_neg, const char *nonce)
{
	struct keys_nonces n = nonces_of(in, nonce);
	struct block nwk_key = vector_cipher(in, "NwkKey");
	struct keys_session s;

	if (opt_neg) {
		struct block app_key = vector_cipher(in, "AppKey");

		keys_derive_11(&nwk_key, &app_key, &n, &s);
		assert_octets(s.f_nwk_s_int, 16, vector_hex(out, "FNwkSIntKey"));
		assert_octets(s.s_nwk_s_int, 16, vector_hex(out, "SNwkSIntKey"));
		assert_octets(s.nwk_s_enc, 16, vector_hex(out, "NwkSEncKey"));
	} else {
		keys_derive_10(&nwk_key, &n, &s);
		assert_octets(s.f_nwk_s_int, 16, vector_hex(out, "NwkSKey"));
		assert_memory_equal(s.s_nwk_s_int, s.f_nwk_s_int, 16);
		assert_memory_equal(s.nwk_s_enc, s.f_nwk_s_int, 16);
	}
	assert_octets(s.app_s, 16, vector_hex(out, "AppSKey"));
}

static void check_wrap(struct span kek_octets, struct span key, struct span wrapped)
{
	struct secret kek = { .n = (uint8_t)kek_octets.n };
	uint8_t out[KEYWRAP_WRAPPED_OCTETS], back[KEYWRAP_KEY_OCTETS];
	bool intact = false;

	memcpy(kek.octets, kek_octets.p, kek_octets.n);
	assert_int_equal(keywrap_wrap(&kek, key.p, out, NULL), 0);
	assert_octets(out, sizeof(out), wrapped);
	assert_int_equal(keywrap_unwrap(&kek, out, back, &intact, NULL), 0);
	assert_true(intact);
	assert_octets(back, sizeof(back), key);
	kek.octets[0] ^= 1;
	memset(back, 0x55, sizeof(back));
	assert_int_equal(keywrap_unwrap(&kek, out, back, &intact, NULL), 0);
	assert_false(intact);
	assert_int_equal(back[0], 0x55);
}

static void joins_of_four_servers_come_out_octet_for_octet(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(joins) / sizeof(joins[0]); i++) {
		json_t *v = vector_of(joins[i]);
		json_t *in = json_object_get(v, "inputs");
		json_t *out = json_object_get(v, "outputs");
		bool opt_neg = json_is_true(json_object_get(v, "opt_neg"));
		json_t *wrapped = json_object_get(out, "wrapped");
		const char *name;
		json_t *envelope;

		check_request(in, out);
		check_accept(in, out, opt_neg, JOINACCEPT_AFTER_JOIN, "DevNonce");
		check_session(in, out, opt_neg, "DevNonce");
		json_object_foreach(wrapped, name, envelope) check_wrap(vector_hex(envelope, "KEK"),
			vector_hex(out, name), vector_hex(envelope, "AESKey"));
	}
}

static void check_rejoin_request(const json_t *in, const json_t *out)
{
	struct rejoin r = {
		.type = (uint8_t)vector_number(in, "RejoinType"),
		.dev_eui = vector_id(in, "DevEUI"),
		.rj_count = (uint16_t)vector_number(in, "RJcount"),
	};
	uint8_t phy[REJOIN_MAX], again[REJOIN_MAX], js_int[16], js_enc[16];
	struct rejoin back;
	size_t n;

	if (r.type == 1) {
		struct block nwk_key = vector_cipher(in, "NwkKey");
		struct block int_key;

		r.join_eui = vector_id(in, "JoinEUI");
		keys_derive_js(&nwk_key, r.dev_eui, js_int, js_enc);
		int_key = vector_cipher_of(js_int);
		n = rejoin_write(&r, phy);
		mic_of_message(&int_key, before_mic((struct span){ phy, n }), r.mic);
		n = rejoin_write(&r, phy);
		assert_octets(phy, n, vector_hex(out, "rejoin_request_phypayload"));
	} else {
		r.net_id = (uint32_t)vector_id(in, "NetID");
		n = rejoin_write(&r, phy);
		assert_octets(phy, n - 4, vector_hex(out, "rejoin_request_without_mic"));
	}
	assert_int_equal(rejoin_read((struct span){ phy, n }, &back), 0);
	assert_octets(again, rejoin_write(&back, again), (struct span){ phy, n });
}

/* The source derives with the 1.0 formula; we must follow LoRaWAN 1.1 and not the source. */
static void check_deviation(const json_t *v, const json_t *in, const json_t *out)
{
	json_t *keys = json_object_get(json_object_get(v, "source_deviation"), "keys");
	struct keys_nonces n = nonces_of(in, "RJcount");
	struct block nwk_key = vector_cipher(in, "NwkKey");
	struct keys_session old;

	keys_derive_10(&nwk_key, &n, &old);
	assert_octets(old.f_nwk_s_int, 16, vector_hex(keys, "FNwkSIntKey"));
	assert_octets(old.app_s, 16, vector_hex(keys, "AppSKey"));
	assert_string_not_equal(json_string_value(json_object_get(keys, "FNwkSIntKey")),
		json_string_value(json_object_get(out, "FNwkSIntKey")));
}

static void rejoins_derive_with_the_formula_of_1_1(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rejoins) / sizeof(rejoins[0]); i++) {
		json_t *v = vector_of(rejoins[i]);
		json_t *in = json_object_get(v, "inputs");
		json_t *out = json_object_get(v, "outputs");

		check_rejoin_request(in, out);
		check_accept(in, out, true, (enum joinaccept_cause)vector_number(in, "RejoinType"),
			"RJcount");
		check_session(in, out, true, "RJcount");
		check_deviation(v, in, out);
	}
}

static void a_real_devices_join_is_understood(void **state)
{
	json_t *v = vector_of("lora-packet-capture-lw10");
	json_t *in = json_object_get(v, "inputs");
	json_t *out = json_object_get(v, "outputs");
	struct span phy = vector_hex(in, "join_request_phypayload");
	struct span plain = vector_hex(in, "join_accept_plaintext");
	struct block key = vector_cipher(in, "AppKey");
	struct joinreq r;
	struct joinaccept a;
	uint8_t mic[4], air[JOINACCEPT_MAX];
	struct keys_nonces n = {
		.join_nonce = vector_number(in, "JoinNonce"),
		.net_id = (uint32_t)vector_id(in, "NetID"),
		.dev_nonce = (uint16_t)vector_number(in, "DevNonce_used_for_keys"),
	};
	struct keys_session s;

	(void)state;
	assert_int_equal(joinreq_read(phy, &r), 0);
	assert_true(r.join_eui == vector_id(in, "JoinEUI"));
	assert_true(r.dev_eui == vector_id(in, "DevEUI"));
	assert_int_equal(r.dev_nonce, vector_number(in, "DevNonce_of_join_request"));
	mic_of_message(&key, before_mic(phy), mic);
	assert_octets(mic, 4, vector_hex(out, "join_request_mic"));
	assert_true(mic_equal(mic, r.mic));

	assert_int_equal(joinaccept_read(plain, &a), 0);
	assert_int_equal(a.join_nonce, n.join_nonce);
	assert_int_equal(a.net_id, n.net_id);
	assert_int_equal(a.dev_addr, vector_id(in, "DevAddr"));
	mic_of_message(&key, before_mic(plain), mic);
	assert_octets(mic, 4, vector_hex(out, "join_accept_mic"));
	assert_int_equal(joinaccept_encrypt(&key, plain, air), 0);
	assert_octets(air, plain.n, vector_hex(out, "join_accept_phypayload"));

	keys_derive_10(&key, &n, &s);
	assert_octets(s.f_nwk_s_int, 16, vector_hex(out, "NwkSKey"));
	assert_octets(s.app_s, 16, vector_hex(out, "AppSKey"));
}

static void a_real_join_accept_is_decrypted(void **state)
{
	json_t *v = vector_of("brocaar-real-join-accept");
	json_t *in = json_object_get(v, "inputs");
	json_t *out = json_object_get(v, "outputs");
	struct span phy = vector_hex(in, "join_accept_phypayload");
	struct block key = vector_cipher(in, "AppKey");
	uint8_t plain[JOINACCEPT_MAX], mic[4];
	struct joinaccept a;

	(void)state;
	assert_int_equal(joinaccept_decrypt(&key, phy, plain), 0);
	assert_octets(plain, phy.n, vector_hex(out, "plaintext"));
	assert_int_equal(joinaccept_read((struct span){ plain, phy.n }, &a), 0);
	assert_int_equal(a.join_nonce, vector_number(out, "JoinNonce"));
	assert_int_equal(a.net_id, vector_id(out, "NetID"));
	assert_int_equal(a.dev_addr, vector_id(out, "DevAddr"));
	assert_int_equal(a.dl_settings, vector_id(out, "DLSettings"));
	assert_int_equal(a.rx_delay, vector_number(out, "RxDelay"));
	mic_of_message(&key, before_mic((struct span){ plain, phy.n }), mic);
	assert_octets(mic, 4, vector_hex(out, "mic"));
	assert_true(mic_equal(mic, a.mic));
}

static void keys_of_both_versions_match_the_things_stack(void **state)
{
	json_t *v = vector_of("tts-key-derivation");
	json_t *in = json_object_get(v, "inputs");
	json_t *out = json_object_get(v, "outputs");
	struct keys_nonces n = nonces_of(in, "DevNonce");
	struct block root = vector_cipher(in, "root_key");
	struct keys_session s;
	uint8_t js_int[16], js_enc[16];

	(void)state;
	keys_derive_11(&root, &root, &n, &s);
	assert_octets(s.app_s, 16, vector_hex(out, "AppSKey_11"));
	assert_octets(s.f_nwk_s_int, 16, vector_hex(out, "FNwkSIntKey_11"));
	assert_octets(s.s_nwk_s_int, 16, vector_hex(out, "SNwkSIntKey_11"));
	assert_octets(s.nwk_s_enc, 16, vector_hex(out, "NwkSEncKey_11"));
	keys_derive_10(&root, &n, &s);
	assert_octets(s.app_s, 16, vector_hex(out, "AppSKey_10"));
	assert_octets(s.f_nwk_s_int, 16, vector_hex(out, "NwkSKey_10"));
	keys_derive_js(&root, vector_id(in, "DevEUI"), js_int, js_enc);
	assert_octets(js_int, 16, vector_hex(out, "JSIntKey"));
	assert_octets(js_enc, 16, vector_hex(out, "JSEncKey"));
}

static void keys_are_wrapped_under_keks_of_three_sizes(void **state)
{
	json_t *c;
	size_t i;

	(void)state;
	json_array_foreach(json_object_get(vector_of("rfc3394"), "cases"), i, c)
		check_wrap(vector_hex(c, "kek"), vector_hex(c, "key"), vector_hex(c, "wrapped"));
	assert_int_equal(i, 4);
}

static void rejoin_requests_carry_the_right_mic(void **state)
{
	json_t *c;
	size_t i;

	(void)state;
	json_array_foreach(json_object_get(vector_of("rejoin-request-mic"), "cases"), i, c)
	{
		struct block key = vector_cipher(c, "key");
		struct span payload = vector_hex(c, "payload");
		uint8_t phy[REJOIN_MAX];
		struct rejoin r;

		memcpy(phy, payload.p, payload.n);
		mic_of_message(&key, payload, phy + payload.n);
		assert_octets(phy + payload.n, 4, vector_hex(c, "mic"));
		assert_int_equal(rejoin_read((struct span){ phy, payload.n + 4 }, &r), 0);
	}
	assert_int_equal(i, 5);
}

static struct mic_data b0_of(const json_t *c, const struct data *d)
{
	bool up = data_direction(d) == LORAWAN_UP;
	bool old = json_object_get(c, "NwkSKey") != NULL;

	return (struct mic_data){
		.direction = data_direction(d),
		.dev_addr = d->fhdr.dev_addr,
		.fcnt = vector_number(c, "FCnt"),
		.conf_fcnt = d->fhdr.ack && !old && up ? (uint16_t)vector_number(c, "ConfFCnt") : 0,
		.tx_dr = up && !old ? (uint8_t)vector_number(c, "TxDr") : 0,
		.tx_ch = up && !old ? (uint8_t)vector_number(c, "TxCh") : 0,
	};
}

static void check_data_mic(const json_t *c, const struct data *d, struct span phy)
{
	struct mic_data b0 = b0_of(c, d);
	uint8_t mic[4];

	if (json_object_get(c, "NwkSKey")) {
		struct block key = vector_cipher(c, "NwkSKey");

		mic_of_data_10(&key, &b0, before_mic(phy), mic);
	} else if (b0.direction == LORAWAN_UP) {
		struct block f = vector_cipher(c, "FNwkSIntKey");
		struct block s = vector_cipher(c, "SNwkSIntKey");

		mic_of_uplink_11(&f, &s, &b0, before_mic(phy), mic);
	} else {
		struct block s = vector_cipher(c, "SNwkSIntKey");

		mic_of_downlink_11(&s, &b0, before_mic(phy), mic);
	}
	assert_octets(mic, 4, vector_hex(c, "mic"));
	assert_true(mic_equal(mic, d->mic));
}

static void check_data_payload(const json_t *c, const struct data *d)
{
	uint32_t fcnt = vector_number(c, "FCnt");
	uint8_t plain[LORAWAN_PHY_MAX];
	struct block key;

	if (json_object_get(c, "FRMPayload_plain")) {
		assert_int_equal(d->port, vector_number(c, "FPort"));
		key = vector_cipher(c, d->port == DATA_PORT_MAC ? "NwkSKey" : "AppSKey");
		crypt_frm(&key, data_direction(d), d->fhdr.dev_addr, fcnt, d->frm, plain);
		assert_octets(plain, d->frm.n, vector_hex(c, "FRMPayload_plain"));
	}
	if (json_object_get(c, "FOpts_plain")) {
		key = vector_cipher(c, "NwkSEncKey");
		assert_octets(d->fhdr.fopts.p, d->fhdr.fopts.n, vector_hex(c, "FOpts_cipher"));
		crypt_fopts(&key, LORAWAN_DOWN, CRYPT_NFCNT_DOWN, d->fhdr.dev_addr, fcnt,
			d->fhdr.fopts, plain);
		assert_octets(plain, d->fhdr.fopts.n, vector_hex(c, "FOpts_plain"));
	} else if (json_object_get(c, "FOpts")) {
		assert_octets(d->fhdr.fopts.p, d->fhdr.fopts.n, vector_hex(c, "FOpts"));
	}
}

static void check_data_entry(const char *id, size_t cases)
{
	json_t *c;
	size_t i;

	json_array_foreach(json_object_get(vector_of(id), "cases"), i, c)
	{
		struct span phy = vector_hex(c, "phypayload");
		uint8_t out[LORAWAN_PHY_MAX];
		struct data d;
		size_t n;

		assert_int_equal(data_read(phy, &d), 0);
		assert_int_equal(d.fhdr.dev_addr, vector_id(c, "DevAddr"));
		assert_int_equal(data_write(&d, out, sizeof(out), &n), 0);
		assert_octets(out, n, phy);
		check_data_mic(c, &d, phy);
		check_data_payload(c, &d);
	}
	assert_int_equal(i, cases);
}

static void data_frames_of_1_0_verify_and_decrypt(void **state)
{
	(void)state;
	check_data_entry("data-frames-10", 6);
}

static void data_frames_of_1_1_verify_and_decrypt(void **state)
{
	(void)state;
	check_data_entry("data-frames-11", 4);
}

static void counter_mode_follows_direction_and_kind(void **state)
{
	json_t *c;
	size_t i;

	(void)state;
	json_array_foreach(json_object_get(vector_of("ctr-encryption"), "cases"), i, c)
	{
		struct block key = vector_cipher(c, "key");
		enum lorawan_direction dir = (enum lorawan_direction)vector_number(c, "dir");
		uint32_t dev_addr = (uint32_t)vector_id(c, "DevAddr");
		struct span plain = vector_hex(c, "plain");
		uint8_t out[16];

		if (vector_id(c, "A_bytes_1_4") == 0)
			crypt_frm(&key, dir, dev_addr, vector_number(c, "FCnt"), plain, out);
		else
			crypt_fopts(&key, dir, CRYPT_FCNT_UP, dev_addr, vector_number(c, "FCnt"),
				plain, out);
		assert_octets(out, plain.n, vector_hex(c, "cipher"));
	}
	assert_int_equal(i, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(joins_of_four_servers_come_out_octet_for_octet),
		TEST(rejoins_derive_with_the_formula_of_1_1),
		TEST(a_real_devices_join_is_understood),
		TEST(a_real_join_accept_is_decrypted),
		TEST(keys_of_both_versions_match_the_things_stack),
		TEST(keys_are_wrapped_under_keks_of_three_sizes),
		TEST(rejoin_requests_carry_the_right_mic),
		TEST(data_frames_of_1_0_verify_and_decrypt),
		TEST(data_frames_of_1_1_verify_and_decrypt),
		TEST(counter_mode_follows_direction_and_kind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
