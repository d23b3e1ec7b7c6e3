/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory that runs out at any point of an uplink in the Application Server's engine, with the
 * question for its key, and of reading its configuration.
 *
 * An uplink that was not taken is told so, or not answered, and is taken when it comes again: one
 * event of it, whatever happened; nothing leaks. Run n makes the n-th allocation (ours, OpenSSL's,
 * libcyaml's) fail, and a second run all from the n-th on.
 */
#include "scarcely.h"
#include "world.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "applicationd/config.h"

#define KEY 0x11

static const char yaml[] =
	"as_id: as.b.example\n"
	"database: as.db\n"
	"events: events.jsonl\n"
	"backend_interfaces: {bind: \"127.0.0.1:0\", tls_cert: a.pem, tls_key: b.pem}\n"
	"clients: [{name: .a.example}]\n"
	"join_server:\n"
	"  resolve_join_eui_domain_suffix: joineuis.example\n"
	"  tls_cert: c.pem\n"
	"  tls_key: d.pem\n"
	"  dane_client_name: as.b.example\n"
	"network_server: {resolve_net_id_domain_suffix: netids.example, port: 8000}\n"
	"applications:\n"
	"  - id: metering\n"
	"    name: Metering\n"
	"    devices: [{dev_eui: 70b3d57ed0001234, join_eui: 00005e100000002f, name: meter 7}]\n"
	"resolver: {forward: [\"127.0.0.1@53\"]}\n";

static unsigned count(const char *text, const char *word)
{
	unsigned n = 0;

	for (; (text = strstr(text, word)); text++)
		n++;
	return n;
}

/* Sent until it is taken, as a Network Server does. True: at the first time. */
static bool uplink(long nth, bool onwards)
{
	struct uplink u = world_frame(1, KEY, 5, "21.5C");
	static struct world w;
	bool first = false, taken = false;

	world_begin(&w);
	for (int times = 0; times < 3 && !taken; times++) {
		unsigned answered = w.answered;

		if (times == 0)
			scarce_fail(nth, onwards);
		if (application_uplink(w.app, &u, 1, w.now) == 0)
			world_turn(&w);
		if (w.asked)
			world_key(&w, 1, APPLICATION_KEY_GIVEN, KEY);
		scarce_end();
		/* What it held, it holds no longer. */
		w.now += 10000;
		world_turn(&w);
		taken = w.answered > answered && w.verdict == UPLINK_TAKEN;
		first |= taken && times == 0;
		if (taken)
			assert_true(w.kept && w.session.up_any && w.session.up_last == 5);
	}
	assert_true(taken);
	assert_int_equal(count(w.said, "\"event\":\"up\""), 1);
	assert_int_equal(count(w.said, "\"data\":\"MjEuNUM=\""), 1);
	assert_int_equal(application_open(w.app), 0);
	world_end(&w);
	return first;
}

static char file[] = "/tmp/sardane-memory-XXXXXX";

static bool load(long nth, bool onwards)
{
	struct settings *settings;
	struct err err = { 0 };
	int rc;

	scarce_fail(nth, onwards);
	rc = config_read(file, &settings, &err);
	if (rc == 0) {
		/* OpenSSL may do without some of what it fetches. */
		assert_int_equal(settings->applications_count, 1);
		assert_int_equal(settings->clients_count, 1);
		config_drop(settings);
	} else {
		assert_true(err.msg[0]);
	}
	scarce_end();
	return rc == 0;
}

static void of_an_uplink_and_its_key(void **state)
{
	(void)state;
	scarcely_each(uplink);
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
		TEST(of_an_uplink_and_its_key),
	};

	if (!scarce_openssl())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
