/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "resolve/settings.h"

#include <string.h>

static void reads_addresses_with_and_without_port(void **state)
{
	static const struct {
		const char *text, *written;
	} rows[] = {
		{ "192.0.2.1", "192.0.2.1@53" },
		{ "127.0.0.1@5353", "127.0.0.1@5353" },
		{ "127.0.0.1#5353", "127.0.0.1@5353" },
		{ "::1", "::1@53" },
		{ "2001:DB8::1@65535", "2001:db8::1@65535" },
	};
	char text[ADDRESS_TEXT_MAX];
	struct address a;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(address_read(rows[i].text, &a, NULL), 0);
		address_write(&a, text);
		assert_string_equal(text, rows[i].written);
	}
}

static void refuses_what_is_not_an_address(void **state)
{
	static const char *const bad[] = { "", "dns.example", "127.0.0.1@", "127.0.0.1@0",
		"127.0.0.1@65536", "127.0.0.1@5 3", "1.2.3", "::1%lo", "[::1]:53", "127.0.0.1:53" };
	struct address a;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(address_read(bad[i], &a, NULL), ERR_FORMAT);
}

static void says_that_encrypted_upstreams_are_not_supported(void **state)
{
	static const char *const bad[] = { "tls://192.0.2.1", "https://dns.example/dns-query",
		"192.0.2.1@853", "192.0.2.1@853#dns.example", "192.0.2.1#853" };
	struct address a;
	struct err err;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(address_read(bad[i], &a, &err), ERR_FORMAT);
		assert_non_null(strstr(err.msg, "encrypted"));
	}
}

static void knows_loopback(void **state)
{
	struct address a;

	(void)state;
	address_read("127.77.0.1", &a, NULL);
	assert_true(address_is_loopback(&a));
	address_read("::1", &a, NULL);
	assert_true(address_is_loopback(&a));
	address_read("::127.0.0.1", &a, NULL);
	assert_false(address_is_loopback(&a));
	address_read("192.0.2.1", &a, NULL);
	assert_false(address_is_loopback(&a));
}

static void takes_nameserver_lines_and_no_others(void **state)
{
	struct settings_forward f = { 0 };
	struct err err;

	(void)state;
	assert_int_equal(settings_read_resolv_conf(
				 bytes("; c\nsearch lan\n  nameserver\t127.0.0.1@5353 # lab\r\n"
				       "nameserver ::1\noptions edns0\nnameservers 9.9.9.9"),
				 &f, &err),
		0);
	assert_int_equal(f.count, 2);
	assert_int_equal(f.address[0].port, 5353);
	assert_true(f.address[1].v6);
}

static void says_which_line_of_resolv_conf_is_wrong(void **state)
{
	struct settings_forward f = { 0 };
	struct err err;

	(void)state;
	assert_int_equal(settings_read_resolv_conf(bytes("\nnameserver\n"), &f, &err), ERR_FORMAT);
	assert_non_null(strstr(err.msg, "line 2"));
	assert_int_equal(settings_read_resolv_conf(bytes("nameserver 1.2.3.4 5.6.7.8"), &f, &err),
		ERR_FORMAT);
	assert_int_equal(settings_read_resolv_conf(bytes("search lan\n"), &f, &err), ERR_FORMAT);
	assert_non_null(strstr(err.msg, "no nameserver"));
}

static void built_in_anchors_are_used_when_no_other_is_given(void **state)
{
	static uint8_t packet[WIRE_PACKET_MAX];
	struct resolver_config config = { 0 };
	struct sink s = sink_into(packet, sizeof(packet));
	struct wire_config wire;

	(void)state;
	assert_int_equal(settings_packet(&config, &s, NULL), 0);
	assert_int_equal(wire_read_config(sink_span(&s), &wire), 0);
	assert_true(wire.anchor_builtin);
	config.trust_anchor_file = "/root.key";
	s = sink_into(packet, sizeof(packet));
	assert_int_equal(settings_packet(&config, &s, NULL), 0);
	assert_int_equal(wire_read_config(sink_span(&s), &wire), 0);
	assert_false(wire.anchor_builtin);
}

static void numbers_have_defaults_and_limits(void **state)
{
	struct resolver_config config = { 0 };
	struct engine_config e;
	struct err err;

	(void)state;
	assert_int_equal(settings_engine(&config, &e, NULL), 0);
	assert_int_equal(e.deadline_ms, 2000);
	assert_int_equal(e.open_max, 1024);
	assert_int_equal(e.open_per_source_max, 64);
	config.deadline_ms = 4000;
	config.open_max = 65535;
	assert_int_equal(settings_engine(&config, &e, NULL), 0);
	assert_int_equal(e.deadline_ms, 4000);
	assert_int_equal(e.open_max, 65535);
	config.open_max = 65536;
	assert_int_equal(settings_engine(&config, &e, &err), ERR_ARG);
	assert_string_equal(err.msg, "resolver: open_max 65536 is above 65535");
	config.open_max = 0;
	config.deadline_ms = 4001;
	assert_int_equal(settings_engine(&config, &e, &err), ERR_ARG);
	assert_string_equal(err.msg, "resolver: deadline_ms 4001 is above 4000");
	config.deadline_ms = 0;
	config.ttl_min_s = 100;
	config.ttl_max_s = 10;
	assert_int_equal(settings_engine(&config, &e, NULL), ERR_ARG);
}

static void what_has_ended_is_not_used_for_ever_nor_behind_an_ad_bit(void **state)
{
	struct resolver_config config = { 0 };
	struct err err = { 0 };
	struct engine_config e;

	(void)state;
	assert_int_equal(settings_engine(&config, &e, &err), 0);
	assert_int_equal(e.serve_stale_s, 0);
	config.serve_stale_s = 86400;
	assert_int_equal(settings_engine(&config, &e, &err), 0);
	assert_int_equal(e.serve_stale_s, 86400);
	config.serve_stale_s = 86401;
	assert_int_equal(settings_engine(&config, &e, &err), ERR_ARG);
	assert_string_equal(err.msg, "resolver: serve_stale_s 86401 is above 86400");
	config.serve_stale_s = 60;
	config.backend = RESOLVER_AD;
	assert_int_equal(settings_engine(&config, &e, &err), ERR_ARG);
	assert_non_null(strstr(err.msg, "needs backend validating"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(reads_addresses_with_and_without_port),
		TEST(refuses_what_is_not_an_address),
		TEST(says_that_encrypted_upstreams_are_not_supported),
		TEST(knows_loopback),
		TEST(takes_nameserver_lines_and_no_others),
		TEST(says_which_line_of_resolv_conf_is_wrong),
		TEST(built_in_anchors_are_used_when_no_other_is_given),
		TEST(numbers_have_defaults_and_limits),
		TEST(what_has_ended_is_not_used_for_ever_nor_behind_an_ad_bit),
	};

	return cmocka_run_group_tests_name("settings", tests, NULL, NULL);
}
