/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory that runs out at any point of a join and an uplink in the Network Server's engine, and
 * of reading its configuration.
 *
 * What is sent or handed on was given to the disk before; a join that was lost is accepted when the
 * device tries again; nothing leaks. Run n makes the n-th allocation (ours, OpenSSL's, libcyaml's)
 * fail, and a second run all from the n-th on.
 */
#include "scarcely.h"
#include "world.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "networkd/config.h"

static const char yaml[] =
	"net_id: \"000013\"\n"
	"database: ns.db\n"
	"semtech_udp: {bind: \"127.0.0.1:1700\"}\n"
	"network: {deduplication_delay: 200ms, adr: true}\n"
	"join_server:\n"
	"  tls_cert: a.pem\n"
	"  tls_key: b.pem\n"
	"  dane_client_name: ns.a.example\n"
	"  servers: [{join_eui_prefix: 70b3d57ed0000000/36, server: \"https://js.example:8003\"}]\n"
	"application_server:\n"
	"  servers: [{as_id: as.b.example, server: \"https://as.b.example:8005\"}]\n"
	"clients: [{name: as.b.example, as_id: as.b.example}]\n"
	"keks: [{label: a, kek: 000102030405060708090a0b0c0d0e0f}]\n"
	"devices:\n"
	"  - {dev_eui: 70b3d57ed00000aa, dev_addr: 26000001, nwk_s_key: "
	"2b7e151628aed2a6abf7158809cf4f3c}\n"
	"resolver: {forward: [\"127.0.0.1@53\"]}\n";

/* What came of a story. */
struct outcome {
	bool asked, joined, handed;
	uint32_t ask;
};

/* All events there are. A SAVE comes before what rests on it. */
static void drain(struct outcome *o)
{
	bool saved = false;
	uint16_t token;

	while (network_next(w.e, w.now, &w.ev)) {
		switch (w.ev.kind) {
		case NETWORK_SAVE: saved = true; break;
		case NETWORK_ASK:
			o->asked = true;
			o->ask = w.ev.ask.id;
			break;
		case NETWORK_SEND:
			assert_true(saved);
			o->joined = true;
			world_sent_frame(&token);
			world_acknowledge(GW_NEAR, token, GWMP_TX_NONE);
			break;
		case NETWORK_UPLINK:
			assert_true(saved);
			assert_int_equal(w.ev.uplink.up.f_cnt_up, 0);
			o->handed = true;
			break;
		case NETWORK_NOTHING:
		case NETWORK_REMOVE:
		case NETWORK_STATUS: break;
		}
	}
}

/* A join; when it was refused for want of memory the next one is accepted. True: accepted. */
static bool join(long nth, bool onwards)
{
	struct joining_ans ans;
	struct outcome o = { 0 };

	world_start();
	ans = world_join_answer();
	scarce_fail(nth, onwards);
	world_heard(GW_NEAR, world_join_request(1), 50, w.tmst);
	drain(&o);
	if (o.asked)
		network_joined(w.e, w.now, o.ask, &ans, NULL);
	w.now += 200;
	drain(&o);
	scarce_end();
	world_quiet();
	if (!o.joined)
		world_join(2);
	world_stop();
	return o.joined;
}

/* An uplink. True: handed on. */
static bool uplink(long nth, bool onwards)
{
	struct outcome o = { 0 };
	struct span phy;

	world_start();
	world_join(1);
	phy = world_uplink((struct world_up){ 0 });
	scarce_fail(nth, onwards);
	world_heard(GW_NEAR, phy, 50, w.tmst);
	w.now += 200;
	drain(&o);
	scarce_end();
	world_stop();
	return o.handed;
}

static void of_a_join(void **state)
{
	(void)state;
	scarcely_each(join);
}

static void an_uplink_wants_none(void **state)
{
	(void)state;
	assert_true(uplink(1, true));
	assert_int_equal(scarce_counted(), 0);
}

static bool make(long nth, bool onwards)
{
	const struct network_config config = { .net_id = NET_ID };
	struct network *e = NULL;
	int rc;

	scarce_fail(nth, onwards);
	rc = network_new(&config, &e, NULL);
	scarce_end();
	network_free(e);
	return rc == 0;
}

static void of_making_the_engine(void **state)
{
	(void)state;
	scarcely_each(make);
}

static char file[] = "/tmp/sardane-memory-XXXXXX";

static bool load(long nth, bool onwards)
{
	struct settings *settings;
	struct err err = { 0 };
	int rc;

	scarce_fail(nth, onwards);
	rc = config_settings_load(file, &settings, &err);
	if (rc)
		assert_true(err.msg[0]);
	else
		config_settings_free(settings);
	scarce_end();
	return rc == 0;
}

static void of_reading_the_configuration(void **state)
{
	(void)state;
	scarcely_reading(file, yaml, load);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(of_reading_the_configuration),
		TEST(of_making_the_engine),
		TEST(of_a_join),
		TEST(an_uplink_wants_none),
	};

	if (!scarce_openssl())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
