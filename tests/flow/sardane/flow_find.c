/* SPDX-License-Identifier: Apache-2.0 */
/* Services found by SRV and NAPTR through the public face, in a signed DNS world. */
#include "check.h"
#include "tlsworld.h"

#include <poll.h>
#include <sardane/sardane.h>
#include <stdlib.h>
#include <string.h>

#define DIGEST "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static struct tlsworld world;
static struct sardane_resolver *resolver;

static void settle(struct sardane_find *f, struct sardane_endpoint *out)
{
	struct pollfd p = { .fd = sardane_resolver_fd(resolver), .events = POLLIN };

	while (!sardane_find_endpoint(f, out)) {
		assert_true(poll(&p, 1, 30000) >= 0);
		sardane_resolver_dispatch(resolver);
	}
}

static void srv_hosts_come_in_the_order_of_their_priority(void **state)
{
	struct sardane_endpoint e;
	struct sardane_find *f;
	struct sardane_err err;

	(void)state;
	assert_int_equal(
		sardane_find_new_srv(resolver, "_s._tcp.org.example", SARDANE_MODE_DANE, &f, &err),
		0);
	assert_false(sardane_find_next(f)); /* DNS has not answered */
	settle(f, &e);
	assert_true(e.usable);
	assert_string_equal(e.host, "one.org.example");
	assert_int_equal(e.port, 8003);
	assert_int_equal(e.address_count, 1);
	assert_true(sardane_find_next(f));
	assert_true(sardane_find_endpoint(f, &e));
	assert_string_equal(e.host, "two.org.example");
	assert_int_equal(e.port, 8004);
	assert_false(e.usable);
	assert_string_equal(e.why, "TLSA: secure-denial");
	assert_false(sardane_find_next(f));
	sardane_find_free(f);
}

static void a_join_eui_leads_to_its_server_by_naptr(void **state)
{
	struct sardane_name suffix, owner;
	char text[SARDANE_NAME_TEXT_MAX];
	struct sardane_endpoint e;
	struct sardane_find *f;
	struct sardane_err err;

	(void)state;
	assert_int_equal(sardane_name_read("joineuis.example", &suffix, &err), 0);
	assert_int_equal(sardane_name_of_join_eui(0xb000000000000001, &suffix, &owner, &err), 0);
	assert_int_equal(sardane_name_write(&owner, text, sizeof text, &err), 0);
	assert_int_equal(sardane_find_new_naptr(resolver, text, 0, SARDANE_MODE_DANE, &f, &err), 0);
	settle(f, &e);
	assert_true(e.usable);
	assert_string_equal(e.host, "one.org.example");
	sardane_find_free(f);
}

static void srv_of_an_unsigned_zone_names_nobody(void **state)
{
	struct sardane_endpoint e;
	struct sardane_find *f;
	struct sardane_err err;

	(void)state;
	assert_int_equal(sardane_find_new_srv(resolver, "_s._tcp.plain.example", SARDANE_MODE_DANE,
				 &f, &err),
		0);
	settle(f, &e);
	assert_false(e.usable);
	assert_string_equal(e.why, "SRV: insecure");
	sardane_find_free(f);
	assert_int_equal(sardane_find_new_srv(resolver, "a..b", SARDANE_MODE_DANE, &f, &err),
		SARDANE_FORMAT);
}

static void a_zone_is_asked_where_a_stub_says(void **state)
{
	const struct sardane_stub nowhere[] = { { "no..name", world.forward }, { 0 } };
	const struct sardane_stub stub[] = { { "example", world.forward }, { 0 } };
	struct sardane_resolver_config dns = { .helper = getenv("SARDANE_HELPER"),
		.trust_anchor_file = world.anchor,
		.stub = stub };
	struct sardane_resolver *by_forward = resolver;
	struct sardane_endpoint e;
	struct sardane_find *f;
	struct sardane_err err;

	(void)state;
	assert_int_equal(sardane_resolver_new(&dns, &resolver, &err), 0);
	assert_int_equal(
		sardane_find_new_srv(resolver, "_s._tcp.org.example", SARDANE_MODE_DANE, &f, &err),
		0);
	settle(f, &e);
	assert_true(e.usable);
	assert_string_equal(e.host, "one.org.example");
	sardane_find_free(f);
	sardane_resolver_free(resolver);
	dns.stub = nowhere;
	assert_int_equal(sardane_resolver_new(&dns, &resolver, &err), SARDANE_FORMAT);
	assert_string_equal(err.msg, "stub zone 'no..name': not a name");
	resolver = by_forward;
}

static int start(void **state)
{
	const char *forward[] = { NULL, NULL };
	struct sardane_resolver_config dns = { .helper = getenv("SARDANE_HELPER") };
	struct sardane_err err;

	(void)state;
	tlsworld_init(&world);
	tlsworld_add(&world, TLSWORLD_SIGNED,
		"one.org IN A 127.0.0.1\ntwo.org IN A 127.0.0.2\n"
		"_8003._tcp.one.org IN TLSA 3 1 1 " DIGEST "\n"
		"_s._tcp.org IN SRV 20 0 8004 two.org\n_s._tcp.org IN SRV 10 0 8003 one.org\n"
		"1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.b.joineuis IN NAPTR 10 10 \"S\" \"LWN\" \"\" "
		"_s._tcp.org");
	tlsworld_add(&world, TLSWORLD_PLAIN, "_s._tcp IN SRV 10 0 8003 one.org.example.");
	tlsworld_start(&world);
	dns.trust_anchor_file = world.anchor;
	forward[0] = world.forward;
	dns.forward = forward;
	return sardane_resolver_new(&dns, &resolver, &err);
}

static int stop(void **state)
{
	(void)state;
	sardane_resolver_free(resolver);
	tlsworld_stop(&world);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(srv_hosts_come_in_the_order_of_their_priority),
		TEST(a_join_eui_leads_to_its_server_by_naptr),
		TEST(srv_of_an_unsigned_zone_names_nobody),
		TEST(a_zone_is_asked_where_a_stub_says),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
