/* SPDX-License-Identifier: Apache-2.0 */
#include "join/decide.h"

#include <string.h>

#include "base/hex.h"
#include "check.h"
#include "crypto/aes.h"
#include "crypto/keywrap.h"
#include "lorawan/joinaccept.h"
#include "lorawan/joinreq.h"
#include "lorawan/mic.h"
#include "lorawan/rejoin.h"

/*
 * Joins published by others: the test suites of the ChirpStack application server
 * (internal/api/js), of brocaar/lorawan and of The Things Stack (pkg/joinserver), and
 * rejoin type 1 recomputed with the 1.1 formula.
 */
struct vector {
	enum version version;
	const char *app_key, *nwk_key, *join_eui, *dev_eui, *net_id, *dev_addr, *dl_settings;
	uint8_t rx_delay;
	const char *cflist, *request;
	uint32_t join_nonce;
	const char *accept, *nwk_s_key, *f_nwk_s_int, *s_nwk_s_int, *nwk_s_enc, *app_s_key;
	bool rejoin;
};

#define KEY_A  "01020304050607080102030405060708"
#define KEY_B  "08070605040302010807060904030201"
#define ONES   "ffffffffffffffffffffffffffff"
#define CFLIST "988d8468958400000000000000000000"
#define EUIS_A "0807060504030201", "0102030405060708", "010203", "01020304"
#define EUIS_T "42ffffffffffffff", "4242ffffffffffff", "42ffff", "42ffffff"

static const struct vector lw10 = { VERSION_1_0_2, KEY_A, NULL, EUIS_A, "15", 1, CFLIST,
	"00010203040506070808070605040302010201cde6acb8", 0x10000,
	"2026f4b247f0a5d7e46a720e61c8bccbc5179f4566e185ed6889589bb1a9c68cc0",
	"df53c35f3034ccced0ff354c70de04df", NULL, NULL, NULL, "927b9c911183cffe4cb2ff4b75545f6d",
	false };
static const struct vector lw11 = { VERSION_1_1_0, KEY_B, KEY_A, EUIS_A, "95", 1, CFLIST,
	"00010203040506070808070605040302010201cde6acb8", 0x10000,
	"20a4c899795a42f5d16067a822c21b379af8aaa301a90d1c60d4cb792cb8eeb0a3", NULL,
	"537f8aae896c79e015d102d06286354e", "589498993092cfdb5fd2e02ac7510bf1",
	"9898283c4f66eb6c6fd5165882046c40", "1ceeb68807a915a4acd518b38b20ce03", false };
static const struct vector lw11_first = { VERSION_1_1_0, "42ff" ONES, "4242" ONES, EUIS_T, "ff",
	0x42, "", "00ffffffffffffff42ffffffffffff424200005517548e", 1,
	"20004edc793dbf25a42fc7e92bc8f2fd3f", NULL, "7a06ebf97defd12b1770554b7c0a35e1",
	"d748b8efe331499e723203680829ed72", "41267db82dbfa49debe55bfddf04cbb5",
	"370ce5d9497beb034c53dd0349c847bf", false };
static const struct vector lw11_later = { VERSION_1_1_0, "42ff" ONES, "4242" ONES, EUIS_T, "ff",
	0x42, "", "00ffffffffffffff42ffffffffffff424242246e541b37", 0x42fffe,
	"2073813f90e86af939ffa813a5a95453b6", NULL, "e72072b8cd92007f811b5634e20014d0",
	"bc0760b3501c05cfb7bce5fa39dc6988", "9b515938e73e80a3d242861446f67dac",
	"b6d1352807eb8e30314db261b40feb90", false };
static const struct vector lw10_opt_neg_ignored = { VERSION_1_0_2, "42ff" ONES, NULL, EUIS_T, "ff",
	0x42, "", "00ffffffffffffff42ffffffffffff42420100c40850cf", 1,
	"209643b75f006d5db5c113aeb02498d516", "8aa19760f9ca2e7fe48fbc06ef5be14d", NULL, NULL, NULL,
	"04e53a8d3446bf461c624da227ac7d51", false };
static const struct vector lw11_on_a_1_0_network = { VERSION_1_1_0, "42ff" ONES, "4242" ONES,
	EUIS_T, "7f", 0x42, "", "00ffffffffffffff42ffffffffffff4242010029a8e57d", 1,
	"203a7c2fb71fa8e918cde3ba08c1fb3a87", "7dc939e625843e69200697bd61134b65", NULL, NULL, NULL,
	"926f6684f5de7f2ebc79a981b1434d77", false };
/* Its AppKey is all zero, which no record may have: the AppSKey is left out. */
static const struct vector rejoin1 = { VERSION_1_1_0, KEY_B, KEY_A, EUIS_A, "95", 1, CFLIST,
	"c001010203040506070808070605040302017b009ebd4b8b", 0x10000,
	"20df04b2ac9d57d1124724b5c24811a12f93423bbb4ca1f432ce8d67f097ce5f0c", NULL,
	"7aae91b421cd273a1573d1edf5b23e75", "c4f1b16a0468e82070b6ad7dee6ca23d",
	"b2b6ee36b4a683fb67e2e7d11bffca94", NULL, true };

struct lab {
	struct decide *decide;
	struct kek_set keks;
	struct decide_policy policy;
	struct joining_req req;
	struct decide_join q;
	struct device device;
	struct device_session sessions[DEVICE_SESSIONS];
	size_t sessions_n;
	struct device_session session;
	struct joining_ans ans;
	int moved;
};

static const uint8_t session_id[DEVICE_SESSION_ID] = "session-id-16-o";

static size_t octets(const char *hex, uint8_t *out, size_t cap)
{
	size_t n = 0;

	assert_int_equal(hex_read((struct span){ (const uint8_t *)hex, strlen(hex) }, out, cap, &n),
		0);
	return n;
}

static uint64_t number(const char *hex)
{
	uint8_t p[8];
	size_t n = octets(hex, p, sizeof(p));
	uint64_t v = 0;

	for (size_t i = 0; i < n; i++)
		v = v << 8 | p[i];
	return v;
}

static void set_up(struct lab *lab, const struct vector *v)
{
	memset(lab, 0, sizeof(*lab));
	assert_int_equal(decide_new(&lab->decide, NULL), 0);
	lab->policy = (struct decide_policy){ .keks = &lab->keks,
		.app_s_key = DECIDE_APP_S_KEY_INSECURE_CLEAR };
	lab->req = (struct joining_req){ .mac_version = v->version,
		.dev_eui = number(v->dev_eui),
		.dev_addr = (uint32_t)number(v->dev_addr),
		.dl_settings = (uint8_t)number(v->dl_settings),
		.rx_delay = v->rx_delay,
		.has_cflist = v->cflist[0] != 0 };
	octets(v->cflist, lab->req.cflist, sizeof(lab->req.cflist));
	lab->req.phy_n = octets(v->request, lab->req.phy_payload, sizeof(lab->req.phy_payload));
	lab->q = (struct decide_join){ number(v->join_eui), (uint32_t)number(v->net_id), &lab->req,
		session_id };
	lab->device = (struct device){ .dev_eui = lab->req.dev_eui,
		.join_eui = lab->q.join_eui,
		.version = v->version,
		.net_ids = { lab->q.net_id },
		.net_ids_n = 1,
		.as_id = "as.example",
		.join_nonce = v->join_nonce - 1,
		.dev_nonce = -1,
		.rj_count1 = -1 };
	octets(v->app_key, lab->device.app_key, LORAWAN_KEY_OCTETS);
	if (v->nwk_key)
		octets(v->nwk_key, lab->device.nwk_key, LORAWAN_KEY_OCTETS);
	assert_int_equal(device_check(&lab->device, NULL), 0);
}

static void tear_down(struct lab *lab)
{
	decide_free(lab->decide);
	kek_done(&lab->keks);
}

static enum decide_verdict join(struct lab *lab)
{
	enum decide_verdict v = DECIDE_NO_HOME;

	assert_int_equal(decide_join(lab->decide, &lab->policy, &lab->q, &lab->device,
				 &lab->session, &lab->ans, &v, NULL),
		0);
	return v;
}

static enum decide_verdict rejoin(struct lab *lab)
{
	enum decide_verdict v = DECIDE_NO_HOME;

	assert_int_equal(decide_rejoin(lab->decide, &lab->policy, &lab->q, &lab->device,
				 lab->sessions, lab->sessions_n, &lab->session, &lab->moved,
				 &lab->ans, &v, NULL),
		0);
	return v;
}

static void check_key(const char *want, const struct envelope *got)
{
	uint8_t key[LORAWAN_KEY_OCTETS];

	if (!want) {
		assert_int_equal(got->n, 0);
		return;
	}
	octets(want, key, sizeof(key));
	assert_int_equal(got->n, ENVELOPE_CLEAR);
	assert_memory_equal(got->aes_key, key, sizeof(key));
}

static void check_vector(const struct vector *v)
{
	uint8_t accept[JOINING_PHY_MAX];
	struct lab lab;

	set_up(&lab, v);
	assert_int_equal(v->rejoin ? rejoin(&lab) : join(&lab), DECIDE_ACCEPT);
	assert_int_equal(lab.ans.phy_n, octets(v->accept, accept, sizeof(accept)));
	assert_memory_equal(lab.ans.phy_payload, accept, lab.ans.phy_n);
	check_key(v->nwk_s_key, &lab.ans.nwk_s_key);
	check_key(v->f_nwk_s_int, &lab.ans.f_nwk_s_int_key);
	check_key(v->s_nwk_s_int, &lab.ans.s_nwk_s_int_key);
	check_key(v->nwk_s_enc, &lab.ans.nwk_s_enc_key);
	if (v->app_s_key)
		check_key(v->app_s_key, &lab.ans.app_s_key);
	assert_int_equal(lab.device.join_nonce, v->join_nonce);
	assert_int_equal(lab.session.join_nonce, v->join_nonce);
	assert_memory_equal(lab.ans.session_key_id.octets, session_id, sizeof(session_id));
	tear_down(&lab);
}

static void answers_published_joins_octet_for_octet(void **state)
{
	(void)state;
	check_vector(&lw10);
	check_vector(&lw11);
	check_vector(&lw11_first);
	check_vector(&lw11_later);
	check_vector(&lw10_opt_neg_ignored);
	check_vector(&lw11_on_a_1_0_network);
	check_vector(&rejoin1);
}

/* Makes the join-request of this DevNonce, rightly signed. */
static void sign_join(struct lab *lab, uint16_t dev_nonce)
{
	struct joinreq frame = { .join_eui = lab->device.join_eui,
		.dev_eui = lab->device.dev_eui,
		.dev_nonce = dev_nonce };
	bool two = version_has_two_keys(lab->device.version);
	struct block block;
	struct aes *aes;

	assert_int_equal(aes_new(two ? lab->device.nwk_key : lab->device.app_key, &aes, NULL), 0);
	block = aes_block(aes);
	joinreq_write(&frame, lab->req.phy_payload);
	mic_of_message(&block, (struct span){ lab->req.phy_payload, JOINREQ_OCTETS - 4 },
		frame.mic);
	joinreq_write(&frame, lab->req.phy_payload);
	lab->req.phy_n = JOINREQ_OCTETS;
	aes_free(aes);
}

static void changes_nothing_when_the_mic_is_wrong(void **state)
{
	struct device before;
	struct lab lab;

	(void)state;
	set_up(&lab, &lw10);
	before = lab.device;
	for (size_t bit = 0; bit < 8 * lab.req.phy_n; bit++) {
		lab.req.phy_payload[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_not_equal(join(&lab), DECIDE_ACCEPT);
		lab.req.phy_payload[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	lab.req.phy_payload[22] ^= 1;
	assert_int_equal(join(&lab), DECIDE_BAD_MIC);
	assert_memory_equal(&before, &lab.device, sizeof(before));
	assert_int_equal(lab.session.join_nonce, 0);
	assert_int_equal(lab.ans.phy_n, 0);
	tear_down(&lab);
}

static void takes_a_random_dev_nonce_once_in_any_order(void **state)
{
	static const uint16_t nonces[] = { 500, 3, 65535, 0, 4 };
	struct lab lab;

	(void)state;
	set_up(&lab, &lw10);
	lab.device.version = VERSION_1_0_3;
	for (size_t i = 0; i < sizeof(nonces) / sizeof(nonces[0]); i++) {
		sign_join(&lab, nonces[i]);
		assert_int_equal(join(&lab), DECIDE_ACCEPT);
		assert_int_equal(join(&lab), DECIDE_NONCE_USED);
	}
	assert_int_equal(lab.device.join_nonce, lw10.join_nonce + 4);
	tear_down(&lab);
}

static void takes_only_rising_dev_nonces_from_1_0_4_on(void **state)
{
	struct lab lab;

	(void)state;
	set_up(&lab, &lw10);
	lab.device.version = VERSION_1_0_4;
	sign_join(&lab, 0);
	assert_int_equal(join(&lab), DECIDE_ACCEPT);
	assert_int_equal(join(&lab), DECIDE_NONCE_USED);
	sign_join(&lab, 9);
	assert_int_equal(join(&lab), DECIDE_ACCEPT);
	sign_join(&lab, 8);
	assert_int_equal(join(&lab), DECIDE_NONCE_NOT_HIGHER);
	assert_int_equal(lab.device.used.n, 0);
	tear_down(&lab);
}

static void remembers_dev_nonces_when_the_rule_changes(void **state)
{
	struct lab lab;

	(void)state;
	set_up(&lab, &lw10);
	lab.device.version = VERSION_1_0_4;
	sign_join(&lab, 40);
	assert_int_equal(join(&lab), DECIDE_ACCEPT);
	/* Random from now on: the counted ones are used, the highest and what is below it. */
	lab.device.version = VERSION_1_0_3;
	assert_int_equal(join(&lab), DECIDE_NONCE_USED);
	sign_join(&lab, 39);
	assert_int_equal(join(&lab), DECIDE_NONCE_USED);
	sign_join(&lab, 60000);
	assert_int_equal(join(&lab), DECIDE_ACCEPT);
	/* Counting again: what came at random does not come twice, nor does it end the count. */
	lab.device.version = VERSION_1_0_4;
	assert_int_equal(join(&lab), DECIDE_NONCE_USED);
	sign_join(&lab, 41);
	assert_int_equal(join(&lab), DECIDE_ACCEPT);
	lab.device.nonce_rule = DEVICE_NONCE_INSECURE_ANY;
	sign_join(&lab, 70);
	assert_int_equal(join(&lab), DECIDE_ACCEPT);
	sign_join(&lab, 5);
	assert_int_equal(join(&lab), DECIDE_ACCEPT);
	lab.device.nonce_rule = DEVICE_NONCE_BY_VERSION;
	sign_join(&lab, 41);
	assert_int_equal(join(&lab), DECIDE_NONCE_USED);
	sign_join(&lab, 70);
	assert_int_equal(join(&lab), DECIDE_NONCE_USED);
	assert_int_equal(lab.session.nonce, 5);
	tear_down(&lab);
}

static void follows_the_rule_set_for_one_device(void **state)
{
	struct lab lab;

	(void)state;
	set_up(&lab, &lw10);
	lab.device.nonce_rule = DEVICE_NONCE_RISING;
	sign_join(&lab, 9);
	assert_int_equal(join(&lab), DECIDE_ACCEPT);
	sign_join(&lab, 8);
	assert_int_equal(join(&lab), DECIDE_NONCE_NOT_HIGHER);
	lab.device.nonce_rule = DEVICE_NONCE_INSECURE_ANY;
	assert_int_equal(join(&lab), DECIDE_ACCEPT);
	assert_int_equal(join(&lab), DECIDE_ACCEPT);
	tear_down(&lab);
}

static void stops_when_join_nonces_run_out(void **state)
{
	struct lab lab;

	(void)state;
	set_up(&lab, &lw10);
	lab.device.join_nonce = LORAWAN_NONCE_MAX - 1;
	assert_int_equal(join(&lab), DECIDE_ACCEPT);
	sign_join(&lab, 7);
	assert_int_equal(join(&lab), DECIDE_EXHAUSTED);
	assert_int_equal(lab.device.join_nonce, LORAWAN_NONCE_MAX);
	assert_false(nonces_has(&lab.device.used, 7));
	tear_down(&lab);
}

static void refuses_another_network_and_other_names(void **state)
{
	struct lab lab;

	(void)state;
	set_up(&lab, &lw10);
	lab.q.net_id = 0x13;
	assert_int_equal(join(&lab), DECIDE_NOT_ALLOWED);
	lab.q.net_id = 0x010203;
	lab.q.join_eui++;
	assert_int_equal(join(&lab), DECIDE_OTHER_EUI);
	lab.q.join_eui--;
	lab.req.dev_eui++;
	assert_int_equal(join(&lab), DECIDE_OTHER_EUI);
	lab.req.dev_eui--;
	lab.req.phy_n--;
	assert_int_equal(join(&lab), DECIDE_BAD_FRAME);
	lab.req.phy_n++;
	lab.req.phy_payload[0] = 0x40;
	assert_int_equal(join(&lab), DECIDE_BAD_FRAME);
	lab.req.phy_payload[0] = 0;
	lab.policy.strict_version = true;
	lab.req.dl_settings |= 0x80;
	assert_int_equal(join(&lab), DECIDE_BAD_VERSION);
	lab.req.dl_settings &= 0x7f;
	assert_int_equal(join(&lab), DECIDE_ACCEPT);
	tear_down(&lab);
}

static void add_kek(struct lab *lab, const char *label)
{
	struct kek kek = { .key = { .n = 16 } };

	strcpy(kek.label, label);
	for (int i = 0; i < 16; i++)
		kek.key.octets[i] = (uint8_t)i;
	assert_int_equal(kek_add(&lab->keks, &kek, NULL), 0);
	assert_int_equal(kek_add(&lab->keks, &kek, NULL), ERR_ARG);
}

static void wraps_keys_or_refuses_but_never_clears_them_silently(void **state)
{
	uint8_t wrapped[ENVELOPE_WRAPPED];
	struct lab lab;

	(void)state;
	set_up(&lab, &lw10);
	lab.policy.app_s_key = DECIDE_APP_S_KEY_WITHHELD;
	lab.policy.kek_required = true;
	assert_int_equal(join(&lab), DECIDE_NO_KEK);
	add_kek(&lab, "010203");
	strcpy(lab.device.ns_kek_label, "gone");
	assert_int_equal(join(&lab), DECIDE_NO_KEK);
	lab.device.ns_kek_label[0] = 0;
	lab.policy.app_s_key = DECIDE_APP_S_KEY_WRAPPED;
	assert_int_equal(join(&lab), DECIDE_NO_KEK);
	assert_int_equal(lab.device.join_nonce, lw10.join_nonce - 1);
	lab.policy.app_s_key = DECIDE_APP_S_KEY_WITHHELD;
	assert_int_equal(join(&lab), DECIDE_ACCEPT);
	assert_int_equal(lab.ans.app_s_key.n, 0);
	assert_string_equal(lab.ans.nwk_s_key.kek_label, "010203");
	octets("9a1803d2aef2d561db23a93f0514a8c01461d2c3db1b7fff", wrapped, sizeof(wrapped));
	assert_memory_equal(lab.ans.nwk_s_key.aes_key, wrapped, sizeof(wrapped));
	tear_down(&lab);
}

static void gives_the_app_s_key_to_its_application_server_alone(void **state)
{
	enum decide_verdict v;
	struct appskey_ans ans = { 0 };
	struct lab lab;

	(void)state;
	set_up(&lab, &lw10);
	assert_int_equal(join(&lab), DECIDE_ACCEPT);
	decide_app_s_key(&lab.policy, &lab.device, &lab.session, "as.other", &ans, &v, NULL);
	assert_int_equal(v, DECIDE_NOT_ALLOWED);
	decide_app_s_key(&lab.policy, &lab.device, NULL, "as.example", &ans, &v, NULL);
	assert_int_equal(v, DECIDE_NO_SESSION);
	strcpy(lab.device.as_kek_label, "gone");
	decide_app_s_key(&lab.policy, &lab.device, &lab.session, "as.example", &ans, &v, NULL);
	assert_int_equal(v, DECIDE_NO_KEK);
	assert_int_equal(ans.app_s_key.n, 0);
	lab.device.as_kek_label[0] = 0;
	decide_app_s_key(&lab.policy, &lab.device, &lab.session, "AS.Example", &ans, &v, NULL);
	assert_int_equal(v, DECIDE_ACCEPT);
	check_key(lw10.app_s_key, &ans.app_s_key);
	lab.device.as_id[0] = 0;
	decide_app_s_key(&lab.policy, &lab.device, &lab.session, "", &ans, &v, NULL);
	assert_int_equal(v, DECIDE_NOT_ALLOWED);
	tear_down(&lab);
}

/* Makes the rejoin-request, signed by the newest session (0, 2). */
static void sign_rejoin(struct lab *lab, uint8_t type, uint16_t count,
	const struct device_session *by)
{
	struct rejoin frame = { .type = type,
		.net_id = lab->q.net_id,
		.dev_eui = lab->device.dev_eui,
		.rj_count = count };
	struct block block;
	struct aes *aes;
	size_t n;

	assert_int_equal(aes_new(by->s_nwk_s_int_key, &aes, NULL), 0);
	block = aes_block(aes);
	n = rejoin_write(&frame, lab->req.phy_payload);
	mic_of_message(&block, (struct span){ lab->req.phy_payload, n - 4 }, frame.mic);
	lab->req.phy_n = rejoin_write(&frame, lab->req.phy_payload);
	aes_free(aes);
}

static void counts_rejoins_within_the_session_that_signed_them(void **state)
{
	struct lab lab;

	(void)state;
	set_up(&lab, &lw11);
	assert_int_equal(join(&lab), DECIDE_ACCEPT);
	lab.sessions[0] = lab.session;
	lab.sessions_n = 1;
	sign_rejoin(&lab, 0, 0, &lab.sessions[0]);
	assert_int_equal(rejoin(&lab), DECIDE_ACCEPT);
	assert_int_equal(lab.moved, 0);
	assert_int_equal(rejoin(&lab), DECIDE_NONCE_NOT_HIGHER);
	/* The device did not hear the accept and goes on in the old session. */
	lab.sessions[1] = lab.sessions[0];
	lab.sessions[0] = lab.session;
	lab.sessions_n = 2;
	sign_rejoin(&lab, 2, 1, &lab.sessions[1]);
	assert_int_equal(rejoin(&lab), DECIDE_ACCEPT);
	assert_int_equal(lab.moved, 1);
	/* It heard one: the count starts again, under the new key. */
	lab.sessions[0] = lab.session;
	sign_rejoin(&lab, 0, 0, &lab.sessions[0]);
	assert_int_equal(rejoin(&lab), DECIDE_ACCEPT);
	assert_int_equal(lab.moved, 0);
	assert_int_equal(lab.device.join_nonce, lw11.join_nonce + 3);
	lab.req.phy_payload[lab.req.phy_n - 1] ^= 1;
	assert_int_equal(rejoin(&lab), DECIDE_BAD_MIC);
	tear_down(&lab);
}

static void never_takes_an_old_rj_count1(void **state)
{
	struct lab lab;

	(void)state;
	set_up(&lab, &rejoin1);
	lab.device.rj_count1 = 122;
	assert_int_equal(rejoin(&lab), DECIDE_ACCEPT);
	assert_int_equal(lab.device.rj_count1, 123);
	assert_int_equal(lab.moved, -1);
	assert_int_equal(rejoin(&lab), DECIDE_NONCE_NOT_HIGHER);
	lab.device.version = VERSION_1_0_4;
	assert_int_equal(rejoin(&lab), DECIDE_BAD_VERSION);
	tear_down(&lab);
}

static void asks_of_a_record_what_its_version_needs(void **state)
{
	struct device d = { .version = VERSION_1_0_3 };

	(void)state;
	assert_int_equal(device_check(&d, NULL), ERR_ARG);
	d.app_key[0] = 1;
	assert_int_equal(device_check(&d, NULL), ERR_ARG);
	d.net_ids_n = 1;
	assert_int_equal(device_check(&d, NULL), 0);
	d.nwk_key[0] = 1;
	assert_int_equal(device_check(&d, NULL), ERR_ARG);
	d.version = VERSION_1_1_0;
	assert_int_equal(device_check(&d, NULL), 0);
	strcpy(d.application_server, "https://as.example");
	assert_int_equal(device_check(&d, NULL), ERR_ARG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(answers_published_joins_octet_for_octet),
		TEST(changes_nothing_when_the_mic_is_wrong),
		TEST(takes_a_random_dev_nonce_once_in_any_order),
		TEST(takes_only_rising_dev_nonces_from_1_0_4_on),
		TEST(remembers_dev_nonces_when_the_rule_changes),
		TEST(follows_the_rule_set_for_one_device),
		TEST(stops_when_join_nonces_run_out),
		TEST(refuses_another_network_and_other_names),
		TEST(wraps_keys_or_refuses_but_never_clears_them_silently),
		TEST(gives_the_app_s_key_to_its_application_server_alone),
		TEST(counts_rejoins_within_the_session_that_signed_them),
		TEST(never_takes_an_old_rj_count1),
		TEST(asks_of_a_record_what_its_version_needs),
	};

	return cmocka_run_group_tests_name("decide", tests, NULL, NULL);
}
