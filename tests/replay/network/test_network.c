/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "world.h"

#include <stdio.h>
#include <string.h>

#include "lorawan/crypt.h"
#include "lorawan/devaddr.h"
#include "lorawan/joinreq.h"
#include "lorawan/mic.h"
#include "lorawan/rejoin.h"

static void asks_the_join_server_at_the_first_copy(void **state)
{
	struct joining_ans ans = world_join_answer();
	struct gwmp_txpk tx;
	uint16_t token;

	(void)state;
	world_start();
	world_heard(GW_FAR, world_join_request(1), -50, w.tmst);
	world_expect(NETWORK_ASK);
	assert_true(w.ev.ask.join_eui == JOIN);
	assert_true(w.ev.ask.req.dev_eui == DEV);
	assert_true(devaddr_belongs(w.ev.ask.req.dev_addr, NET_ID));
	assert_int_equal(w.ev.ask.req.dl_settings & 0x80, 0x80);
	assert_true(w.ev.ask.req.has_cflist);
	w.dev_addr = w.ev.ask.req.dev_addr;
	world_heard(GW_NEAR, world_join_request(1), 50, w.tmst + 7);
	network_joined(w.e, w.now + 3, w.ev.ask.id, &ans, NULL);
	world_expect(NETWORK_NOTHING);
	assert_null(network_session(w.e, DEV, SESSION_PENDING));
	w.now += 200;
	world_expect(NETWORK_SAVE);
	assert_int_equal(w.ev.save.slot, SESSION_PENDING);
	world_expect(NETWORK_SEND);
	tx = world_sent_frame(&token);
	assert_true(tx.tmst == w.tmst + 7 + 5000000); /* through the better gateway, modulo 2^32 */
	assert_int_equal(tx.freq, 868100000);
	assert_int_equal(tx.rate.sf, 7);
	assert_int_equal(tx.size, 33);
	assert_true(tx.ipol && tx.ncrc && !tx.imme);
	world_expect(NETWORK_NOTHING);
	world_stop();
}

static void falls_back_to_rx2_when_the_gateway_says_too_late(void **state)
{
	struct joining_ans ans = world_join_answer();
	struct gwmp_txpk tx;
	uint16_t token, again;

	(void)state;
	world_start();
	world_heard(GW_NEAR, world_join_request(1), 50, w.tmst);
	world_expect(NETWORK_ASK);
	network_joined(w.e, w.now, w.ev.ask.id, &ans, NULL);
	w.now += 200;
	world_expect(NETWORK_SAVE);
	world_expect(NETWORK_SEND);
	world_sent_frame(&token);
	world_acknowledge(GW_FAR, token, GWMP_TX_TOO_LATE); /* not the gateway it was given to */
	world_expect(NETWORK_NOTHING);
	world_acknowledge(GW_NEAR, token, GWMP_TX_TOO_LATE);
	world_expect(NETWORK_SEND);
	tx = world_sent_frame(&again);
	assert_true(tx.tmst == w.tmst + 6000000);
	assert_int_equal(tx.freq, 869525000);
	assert_int_equal(tx.rate.sf, 12);
	world_acknowledge(GW_NEAR, again, GWMP_TX_TOO_LATE);
	world_quiet();
	world_stop();
}

static void makes_no_session_when_the_join_server_refuses(void **state)
{
	struct joining_ans ans = { .result.code = RESULT_MIC_FAILED };

	(void)state;
	world_start();
	world_heard(GW_NEAR, world_join_request(1), 50, w.tmst);
	world_expect(NETWORK_ASK);
	network_joined(w.e, w.now, w.ev.ask.id, &ans, NULL);
	world_quiet();
	assert_null(network_session(w.e, DEV, SESSION_PENDING));
	world_stop();
}

static void gives_up_a_join_that_is_not_answered(void **state)
{
	struct joining_ans ans = world_join_answer();
	struct network_stats stats;
	uint32_t id;

	(void)state;
	world_start();
	world_heard(GW_NEAR, world_join_request(1), 50, w.tmst);
	world_expect(NETWORK_ASK);
	id = w.ev.ask.id;
	world_quiet();
	network_joined(w.e, w.now, id, &ans, NULL);
	world_expect(NETWORK_NOTHING);
	network_stats(w.e, &stats);
	assert_int_equal(stats.joins_refused, 1);
	assert_int_equal(stats.sessions, 0);
	world_stop();
}

static void refuses_an_answer_without_keys_in_clear(void **state)
{
	struct joining_ans ans = world_join_answer();

	(void)state;
	world_start();
	strcpy(ans.nwk_s_key.kek_label, "000013");
	ans.nwk_s_key.n = 24;
	world_heard(GW_NEAR, world_join_request(1), 50, w.tmst);
	world_expect(NETWORK_ASK);
	network_joined(w.e, w.now, w.ev.ask.id, &ans, NULL);
	world_quiet();
	assert_null(network_session(w.e, DEV, SESSION_PENDING));
	world_stop();
}

static void confirms_a_session_with_its_first_uplink(void **state)
{
	(void)state;
	world_start();
	world_join(1);
	assert_null(network_session(w.e, DEV, SESSION_ACTIVE));
	world_take_uplink((struct world_up){ .f_cnt = 0 }, true);
	assert_non_null(network_session(w.e, DEV, SESSION_ACTIVE));
	assert_null(network_session(w.e, DEV, SESSION_PENDING));
	assert_string_equal(w.ev.as_url, "https://as.b.example:8005");
	assert_int_equal(w.ev.uplink.payload_n, 6);
	assert_int_equal(w.ev.uplink.session_key_id.n, 4);
	assert_int_equal(w.ev.uplink.up.f_cnt_down, 0);
	assert_string_equal(w.ev.uplink.up.recv_time, "2023-11-14T22:13:31.200Z");
	world_quiet();
	world_stop();
}

static void keeps_the_old_session_until_the_new_one_is_used(void **state)
{
	uint32_t old_addr;

	(void)state;
	world_start();
	world_join(1);
	world_take_uplink((struct world_up){ .f_cnt = 0 }, true);
	world_quiet();
	old_addr = w.dev_addr;
	world_join(2);
	assert_int_not_equal(old_addr, w.dev_addr);
	w.dev_addr = old_addr; /* the device missed its accept */
	world_take_uplink((struct world_up){ .f_cnt = 1 }, false);
	world_quiet();
	assert_non_null(network_session(w.e, DEV, SESSION_PENDING));
	world_stop();
}

static void hands_on_one_uplink_heard_by_two_gateways_once(void **state)
{
	struct span phy;

	(void)state;
	world_start();
	world_join(1);
	phy = world_uplink((struct world_up){ .f_cnt = 0 });
	world_heard(GW_FAR, phy, -100, w.tmst);
	w.now += 150;
	world_heard(GW_NEAR, phy, 70, w.tmst + 9);
	w.now += 50;
	world_expect(NETWORK_REMOVE);
	world_expect(NETWORK_SAVE);
	world_expect(NETWORK_UPLINK);
	assert_int_equal(w.ev.uplink.up.gw_cnt, 2);
	assert_true(w.ev.uplink.up.gateways[0].id == GW_NEAR);
	w.now += 150;
	world_heard(GW_FAR, phy, -100, w.tmst); /* late */
	world_quiet();
	world_stop();
}

static void refuses_a_replayed_uplink(void **state)
{
	struct network_stats stats;

	(void)state;
	world_start();
	world_join(1);
	world_take_uplink((struct world_up){ .f_cnt = 0 }, true);
	world_quiet();
	world_take_uplink((struct world_up){ .f_cnt = 1 }, false);
	world_quiet();
	world_heard(GW_NEAR, world_uplink((struct world_up){ .f_cnt = 0 }), 50, w.tmst);
	world_quiet();
	world_heard(GW_NEAR, world_uplink((struct world_up){ .f_cnt = 1 }), 50,
		w.tmst); /* repeated, not confirmed */
	world_quiet();
	network_stats(w.e, &stats);
	assert_int_equal(stats.replayed, 1);
	assert_int_equal(stats.repeated, 1);
	assert_int_equal(stats.uplinks, 2);
	world_stop();
}

static void refuses_a_wrong_mic(void **state)
{
	struct network_stats stats;
	uint8_t phy[64];
	struct span u;

	(void)state;
	world_start();
	world_join(1);
	u = world_uplink((struct world_up){ .f_cnt = 0 });
	memcpy(phy, u.p, u.n);
	phy[u.n - 1] ^= 1;
	world_heard(GW_NEAR, (struct span){ phy, u.n }, 50, w.tmst);
	world_quiet();
	network_stats(w.e, &stats);
	assert_int_equal(stats.bad_mic, 1);
	assert_non_null(network_session(w.e, DEV, SESSION_PENDING));
	world_stop();
}

static void refuses_replays_after_a_restart(void **state)
{
	struct session_item item;
	struct network_event saved;
	struct network_stats stats;
	uint32_t addr;

	(void)state;
	(void)item;
	world_start();
	world_join(1);
	world_heard(GW_NEAR, world_uplink((struct world_up){ .f_cnt = 0 }), 50, w.tmst);
	w.now += 200;
	world_expect(NETWORK_REMOVE);
	world_expect(NETWORK_SAVE);
	saved = w.ev;
	addr = w.dev_addr;
	world_stop();
	world_start();
	assert_int_equal(network_restore(w.e, (struct span){ saved.save.blob, saved.save.n }, NULL),
		0);
	w.dev_addr = addr;
	world_heard(GW_NEAR, world_uplink((struct world_up){ .f_cnt = 0 }), 50, w.tmst);
	world_quiet();
	network_stats(w.e, &stats);
	assert_int_equal(stats.uplinks, 0);
	world_take_uplink((struct world_up){ .f_cnt = 1 }, false);
	world_quiet();
	world_stop();
}

static void widens_counters_past_16_bits(void **state)
{
	struct session s;
	struct network_stats stats;

	(void)state;
	world_start();
	world_join(1);
	world_take_uplink((struct world_up){ .f_cnt = 0 }, true);
	world_quiet();
	s = *network_session(w.e, DEV, SESSION_ACTIVE);
	s.f_cnt_up_next = 0xfffe;
	s.abp = true;
	s.dev_eui = DEV + 1;
	assert_int_equal(network_personalise(w.e, &s, NULL), 0);
	world_expect(NETWORK_SAVE);
	world_take_uplink((struct world_up){ .f_cnt = 0xffff }, false);
	world_quiet();
	world_take_uplink((struct world_up){ .f_cnt = 0x10000 }, false);
	world_quiet();
	world_heard(GW_NEAR, world_uplink((struct world_up){ .f_cnt = 0xffff }), 50, w.tmst);
	world_quiet();
	network_stats(w.e, &stats);
	assert_int_equal(stats.replayed, 1);
	world_stop();
}

/* Whoever has a JoinEUI and a Join Server may claim any DevEUI. */
static void keeps_a_session_when_another_join_server_claims_its_dev_eui(void **state)
{
	uint32_t expected, addr;

	(void)state;
	world_start();
	world_join(1);
	world_take_uplink((struct world_up){ .f_cnt = 0 }, true);
	world_quiet();
	addr = w.dev_addr;
	w.join_eui = JOIN + 1;
	world_join(2);
	world_take_uplink((struct world_up){ .f_cnt = 0 }, true);
	world_quiet();
	w.dev_addr = addr;
	world_take_uplink((struct world_up){ .f_cnt = 1 }, false);
	assert_int_equal(w.ev.uplink.join_eui, JOIN);
	assert_int_equal(world_queue("as.b.example", 0, false, &expected), NETWORK_DOWNLINK_QUEUED);
	world_stop();
}

static void refuses_a_downlink_encrypted_for_another_session(void **state)
{
	struct session_item item = { .f_port = 10, .n = 4, .payload = "down" };
	struct joining_session id = { .n = 4, .octets = "abce" };
	struct network_downlink d = { "as.b.example", DEV, &id, &item };
	uint32_t expected;

	(void)state;
	world_start();
	world_join(1);
	world_take_uplink((struct world_up){ .f_cnt = 0 }, true);
	assert_int_equal(network_downlink(w.e, w.now, &d, &expected), NETWORK_DOWNLINK_SESSION);
	id.octets[3] = 'd';
	assert_int_equal(network_downlink(w.e, w.now, &d, &expected), NETWORK_DOWNLINK_QUEUED);
	world_stop();
}

static void lets_no_personalised_device_join(void **state)
{
	struct session abp = { .dev_eui = DEV, .dev_addr = 1, .abp = true };
	struct network_stats stats;

	(void)state;
	world_start();
	assert_int_equal(network_personalise(w.e, &abp, NULL), 0);
	world_expect(NETWORK_SAVE);
	world_heard(GW_NEAR, world_join_request(1), 50, w.tmst);
	world_quiet();
	network_stats(w.e, &stats);
	assert_int_equal(stats.joins_refused, 1);
	assert_int_equal(stats.sessions, 1);
	world_stop();
}

/* The same counter covers FOpts once: what they say later waits for a new counter. */
static void sends_a_1_1_downlink_again_without_other_mac_commands(void **state)
{
	struct gwmp_txpk tx;
	uint32_t expected;
	uint16_t token;
	struct data d;

	(void)state;
	world_start();
	w.lw11 = true;
	world_join(1);
	world_take_uplink((struct world_up){ .f_cnt = 0 }, true);
	assert_int_equal(world_queue("as.b.example", 0, true, &expected), NETWORK_DOWNLINK_QUEUED);
	w.now += 100;
	world_expect(NETWORK_SAVE);
	world_expect(NETWORK_SEND);
	world_sent_frame(&token);
	world_acknowledge(GW_NEAR, token, GWMP_TX_NONE);
	world_expect(NETWORK_STATUS);
	world_quiet();
	world_take_uplink((struct world_up){ .f_cnt = 1, .fopts = "\x02", .fopts_n = 1 }, false);
	w.now += 100;
	world_expect(NETWORK_SAVE);
	world_expect(NETWORK_SEND);
	tx = world_sent_frame(&token);
	d = world_downlink(&tx, 0, 0);
	assert_int_equal(d.port, 10);
	assert_int_equal(d.fhdr.fopts.n, 0);
	world_stop();
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
	struct block b = world_block(k, &aes);

	mic_of_message(&b, (struct span){ out, n - 4 }, out + n - 4);
	aes_free(aes);
	return (struct span){ out, n };
}

static void hands_a_rejoin_request_to_the_join_server(void **state)
{
	struct joining_ans ans;

	(void)state;
	world_start();
	w.lw11 = true;
	world_join(1);
	world_take_uplink((struct world_up){ .f_cnt = 0 }, true);
	world_quiet();
	for (uint8_t type = 0; type <= 2; type++) {
		world_heard(GW_NEAR, rejoin_request(type, NET_ID, type, world_key_s), 50, w.tmst);
		world_expect(NETWORK_ASK);
		assert_true(w.ev.ask.rejoin);
		assert_true(w.ev.ask.join_eui == JOIN);
		assert_int_equal(w.ev.ask.req.dl_settings & 0x80, 0x80);
		world_quiet(); /* this one is not answered */
	}
	world_heard(GW_NEAR, rejoin_request(0, NET_ID, 9, world_key_s), 50, w.tmst);
	world_expect(NETWORK_ASK);
	ans = world_join_answer();
	network_joined(w.e, w.now, w.ev.ask.id, &ans, NULL);
	w.now += 200;
	world_expect(NETWORK_SAVE);
	world_expect(NETWORK_SEND);
	assert_non_null(network_session(w.e, DEV, SESSION_ACTIVE));
	assert_non_null(network_session(w.e, DEV, SESSION_PENDING));
	world_stop();
}

static void refuses_a_rejoin_request_replayed_or_signed_by_no_session(void **state)
{
	struct network_stats stats;

	(void)state;
	world_start();
	w.lw11 = true;
	world_join(1);
	world_take_uplink((struct world_up){ .f_cnt = 0 }, true);
	world_quiet();
	world_heard(GW_NEAR, rejoin_request(0, NET_ID, 5, world_key_s), 50, w.tmst);
	world_expect(NETWORK_ASK);
	world_quiet();
	for (uint16_t count = 4; count <= 5; count++) {
		world_heard(GW_NEAR, rejoin_request(2, NET_ID, count, world_key_s), 50, w.tmst);
		world_quiet();
	}
	world_heard(GW_NEAR, rejoin_request(0, NET_ID, 6, world_key), 50, w.tmst);
	world_quiet();
	world_heard(GW_NEAR, rejoin_request(0, NET_ID + 1, 6, world_key_s), 50, w.tmst);
	world_quiet();
	network_stats(w.e, &stats);
	assert_int_equal(stats.joins_asked, 2);
	assert_int_equal(stats.joins_refused, 5);
	world_heard(GW_NEAR, rejoin_request(0, NET_ID, 6, world_key_s), 50, w.tmst);
	world_expect(NETWORK_ASK);
	world_stop();
}

static void acknowledges_a_confirmed_uplink_in_rx1(void **state)
{
	struct gwmp_txpk tx;
	struct data d;
	uint16_t token;

	(void)state;
	world_start();
	world_join(1);
	world_take_uplink((struct world_up){ .f_cnt = 0, .confirmed = true }, true);
	w.now += 100;
	world_expect(NETWORK_SAVE); /* the counter, before the frame */
	world_expect(NETWORK_SEND);
	tx = world_sent_frame(&token);
	assert_true(tx.tmst == w.tmst + 1000000);
	d = world_downlink(&tx, 0, 0);
	assert_true(d.fhdr.ack);
	assert_false(d.has_port);
	world_acknowledge(GW_NEAR, token, GWMP_TX_NONE);
	world_quiet();
	assert_int_equal(network_session(w.e, DEV, SESSION_ACTIVE)->n_f_cnt_down, 1);
	world_stop();
}

static void acknowledges_again_when_the_device_repeats(void **state)
{
	struct gwmp_txpk tx;
	uint16_t token;

	(void)state;
	world_start();
	world_join(1);
	world_take_uplink((struct world_up){ .f_cnt = 0, .confirmed = true }, true);
	w.now += 100;
	world_expect(NETWORK_SAVE);
	world_expect(NETWORK_SEND);
	world_quiet();
	world_heard(GW_NEAR, world_uplink((struct world_up){ .f_cnt = 0, .confirmed = true }), 50,
		w.tmst);
	w.now += 200;
	world_expect(NETWORK_SAVE);
	w.now += 100;
	world_expect(NETWORK_SAVE);
	world_expect(NETWORK_SEND);
	tx = world_sent_frame(&token);
	assert_true(world_downlink(&tx, 1, 0).fhdr.ack);
	world_quiet();
	world_stop();
}

static void answers_link_check_and_device_time(void **state)
{
	struct mac_link_check_ans check;
	struct mac_device_time_ans time;
	struct mac_command c;
	struct gwmp_txpk tx;
	struct mac_walk walk;
	struct data d;
	uint16_t token;

	(void)state;
	world_start();
	world_join(1);
	world_take_uplink((struct world_up){ .f_cnt = 0, .fopts = "\x02\x0d", .fopts_n = 2 }, true);
	w.now += 100;
	world_expect(NETWORK_SAVE);
	world_expect(NETWORK_SEND);
	tx = world_sent_frame(&token);
	d = world_downlink(&tx, 0, 0);
	walk = mac_walk_over(d.fhdr.fopts, LORAWAN_DOWN);
	assert_true(mac_next(&walk, &c));
	mac_read_link_check_ans(&c, &check);
	assert_int_equal(check.margin, 12); /* 5.0 - (-7.5) */
	assert_int_equal(check.gateways, 1);
	assert_true(mac_next(&walk, &c));
	mac_read_device_time_ans(&c, &time);
	assert_int_equal(time.seconds, 1700000000 + 11 - 315964800 + 18);
	world_quiet();
	world_stop();
}

static void sends_what_the_application_queued(void **state)
{
	uint32_t expected = 99;
	struct gwmp_txpk tx;
	struct data d;
	uint16_t token;

	(void)state;
	world_start();
	world_join(1);
	assert_int_equal(world_queue("as.b.example", 0, false, &expected),
		NETWORK_DOWNLINK_UNKNOWN);
	world_take_uplink((struct world_up){ .f_cnt = 0 }, true);
	assert_int_equal(world_queue("AS.b.example", 0, false, &expected), NETWORK_DOWNLINK_QUEUED);
	assert_int_equal(world_queue("as.b.example", 0, false, &expected), NETWORK_DOWNLINK_QUEUED);
	w.now += 100;
	world_expect(NETWORK_SAVE);
	world_expect(NETWORK_SEND);
	tx = world_sent_frame(&token);
	d = world_downlink(&tx, 0, 0);
	assert_int_equal(d.port, 10);
	assert_memory_equal(d.frm.p, "down", 4);
	assert_false(d.fhdr.pending);
	world_acknowledge(GW_NEAR, token, GWMP_TX_NONE);
	world_expect(NETWORK_STATUS);
	assert_int_equal(w.ev.status.status, DLSTATUS_SENT);
	assert_int_equal(w.ev.status.f_cnt_down, 0);
	world_quiet();
	world_stop();
}

static void refuses_downlinks_of_another_application_server(void **state)
{
	uint32_t expected;

	(void)state;
	world_start();
	world_join(1);
	world_take_uplink((struct world_up){ .f_cnt = 0 }, true);
	assert_int_equal(world_queue("as.evil.example", 0, false, &expected),
		NETWORK_DOWNLINK_FOREIGN);
	assert_int_equal(world_queue("", 0, false, &expected), NETWORK_DOWNLINK_FOREIGN);
	assert_int_equal(world_queue("as.b.example.evil", 0, false, &expected),
		NETWORK_DOWNLINK_FOREIGN);
	world_quiet();
	world_stop();
}

static void says_which_counter_it_expects(void **state)
{
	uint32_t expected = 0;

	(void)state;
	world_start();
	world_join(1);
	world_take_uplink((struct world_up){ .f_cnt = 0, .confirmed = true }, true);
	w.now += 100;
	world_expect(NETWORK_SAVE);
	world_expect(NETWORK_SEND); /* the acknowledgement took counter 0 */
	assert_int_equal(world_queue("as.b.example", 0, false, &expected), NETWORK_DOWNLINK_STALE);
	assert_int_equal(expected, 1);
	assert_int_equal(world_queue("as.b.example", 1, false, &expected), NETWORK_DOWNLINK_QUEUED);
	assert_int_equal(world_queue("as.b.example", 300, false, &expected),
		NETWORK_DOWNLINK_STALE);
	assert_int_equal(expected, 2);
	world_quiet();
	world_stop();
}

static void sends_a_confirmed_downlink_again_until_it_is_acknowledged(void **state)
{
	uint32_t expected;
	struct gwmp_txpk first, again;
	uint16_t token;

	(void)state;
	world_start();
	world_join(1);
	world_take_uplink((struct world_up){ .f_cnt = 0 }, true);
	assert_int_equal(world_queue("as.b.example", 0, true, &expected), NETWORK_DOWNLINK_QUEUED);
	w.now += 100;
	world_expect(NETWORK_SAVE);
	world_expect(NETWORK_SEND);
	first = world_sent_frame(&token);
	world_acknowledge(GW_NEAR, token, GWMP_TX_NONE);
	world_expect(NETWORK_STATUS);
	world_quiet();
	world_take_uplink((struct world_up){ .f_cnt = 1 }, false);
	w.now += 100;
	world_expect(NETWORK_SAVE);
	world_expect(NETWORK_SEND);
	again = world_sent_frame(&token);
	assert_int_equal(first.size, again.size);
	assert_memory_equal(first.data, again.data, first.size); /* same counter, same frame */
	world_acknowledge(GW_NEAR, token, GWMP_TX_NONE);
	world_quiet();
	world_heard(GW_NEAR, world_uplink((struct world_up){ .f_cnt = 2, .ack = true }), 50,
		w.tmst);
	w.now += 200;
	world_expect(NETWORK_STATUS);
	assert_int_equal(w.ev.status.status, DLSTATUS_ACKED);
	world_expect(NETWORK_SAVE);
	world_expect(NETWORK_UPLINK);
	world_quiet();
	world_stop();
}

static void gives_up_a_confirmed_downlink_after_three_times(void **state)
{
	uint32_t expected;
	uint16_t token;

	(void)state;
	world_start();
	world_join(1);
	world_take_uplink((struct world_up){ .f_cnt = 0 }, true);
	assert_int_equal(world_queue("as.b.example", 0, true, &expected), NETWORK_DOWNLINK_QUEUED);
	for (uint32_t i = 1; i <= 3; i++) {
		w.now += 100;
		world_expect(NETWORK_SAVE);
		world_expect(NETWORK_SEND);
		world_sent_frame(&token);
		world_acknowledge(GW_NEAR, token, GWMP_TX_NONE);
		if (i == 1)
			world_expect(NETWORK_STATUS);
		world_quiet();
		if (i < 3)
			world_take_uplink((struct world_up){ .f_cnt = i }, false);
	}
	world_heard(GW_NEAR, world_uplink((struct world_up){ .f_cnt = 3 }), 50, w.tmst);
	w.now += 200;
	world_expect(NETWORK_STATUS);
	assert_int_equal(w.ev.status.status, DLSTATUS_NACKED);
	world_expect(NETWORK_SAVE);
	world_expect(NETWORK_UPLINK);
	world_quiet();
	world_stop();
}

static void reports_a_downlink_no_gateway_could_send(void **state)
{
	uint32_t expected;
	uint16_t token;

	(void)state;
	world_start();
	world_join(1);
	world_take_uplink((struct world_up){ .f_cnt = 0 }, true);
	assert_int_equal(world_queue("as.b.example", 0, false, &expected), NETWORK_DOWNLINK_QUEUED);
	w.now += 100;
	world_expect(NETWORK_SAVE);
	world_expect(NETWORK_SEND);
	world_sent_frame(&token);
	world_acknowledge(GW_NEAR, token, GWMP_TX_COLLISION_PACKET);
	world_expect(NETWORK_SEND);
	world_sent_frame(&token);
	world_acknowledge(GW_NEAR, token, GWMP_TX_FREQ);
	world_expect(NETWORK_STATUS);
	assert_int_equal(w.ev.status.status, DLSTATUS_FAILED);
	world_quiet();
	world_stop();
}

static void reports_a_downlink_the_gateway_is_silent_about(void **state)
{
	uint32_t expected;

	(void)state;
	world_start();
	world_join(1);
	world_take_uplink((struct world_up){ .f_cnt = 0 }, true);
	assert_int_equal(world_queue("as.b.example", 0, false, &expected), NETWORK_DOWNLINK_QUEUED);
	w.now += 100;
	world_expect(NETWORK_SAVE);
	world_expect(NETWORK_SEND);
	w.now += 4000;
	world_expect(NETWORK_STATUS);
	assert_int_equal(w.ev.status.status, DLSTATUS_FAILED);
	world_quiet();
	world_stop();
}

static void sends_nothing_through_a_gateway_that_stopped_pulling(void **state)
{
	(void)state;
	world_start();
	world_join(1);
	w.now += 95000;
	world_take_uplink((struct world_up){ .f_cnt = 0, .confirmed = true }, true);
	w.now += 100;
	world_expect(NETWORK_SAVE);
	world_quiet();
	world_stop();
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
	world_start();
	w.lw11 = true;
	world_join(1);
	world_take_uplink((struct world_up){ .f_cnt = 0,
				  .confirmed = true,
				  .fopts = "\x0b\x01",
				  .fopts_n = 2 },
		true);
	w.now += 100;
	world_expect(NETWORK_SAVE);
	world_expect(NETWORK_SEND);
	tx = world_sent_frame(&token);
	d = world_downlink(&tx, 0, 0);
	k = world_block(world_key_enc, &a);
	crypt_fopts(&k, LORAWAN_DOWN, CRYPT_NFCNT_DOWN, w.dev_addr, 0, d.fhdr.fopts, plain);
	aes_free(a);
	assert_int_equal(d.fhdr.fopts.n, 2);
	assert_memory_equal(plain, "\x0b\x01", 2); /* RekeyConf */
	world_acknowledge(GW_NEAR, token, GWMP_TX_NONE);
	world_quiet();
	world_take_uplink((struct world_up){ .f_cnt = 1 }, false);
	assert_int_equal(w.ev.uplink.up.f_cnt_down, 0); /* AFCntDown is another counter */
	assert_int_equal(world_queue("as.b.example", 0, true, &expected), NETWORK_DOWNLINK_QUEUED);
	w.now += 100;
	world_expect(NETWORK_SAVE);
	world_expect(NETWORK_SEND);
	tx = world_sent_frame(&token);
	d = world_downlink(&tx, 0, 0);
	assert_int_equal(d.port, 10);
	world_acknowledge(GW_NEAR, token, GWMP_TX_NONE);
	world_expect(NETWORK_STATUS);
	world_quiet();
	world_heard(GW_NEAR,
		world_uplink((struct world_up){ .f_cnt = 2, .ack = true, .conf_f_cnt = 0 }), 50,
		w.tmst);
	w.now += 200;
	world_expect(NETWORK_STATUS);
	assert_int_equal(w.ev.status.status, DLSTATUS_ACKED);
	world_expect(NETWORK_SAVE);
	world_expect(NETWORK_UPLINK);
	world_quiet();
	world_stop();
}

static void survives_datagrams_of_every_wrong_kind(void **state)
{
	struct gateway_address from = world_address(GW_NEAR);
	uint8_t d[64];
	unsigned r = 12345;

	(void)state;
	world_start();
	for (unsigned i = 0; i < 20000; i++) {
		size_t n = i % sizeof(d);

		for (size_t k = 0; k < n; k++)
			d[k] = (uint8_t)((r = r * 1103515245 + 12345) >> 16);
		if (n > 3) {
			d[0] = (uint8_t)(1 + i % 2);
			d[3] = (uint8_t)(i % 7);
		}
		network_datagram(w.e, w.now, &from, (struct span){ d, n });
		while (network_next(w.e, w.now, &w.ev))
			;
	}
	world_stop();
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
