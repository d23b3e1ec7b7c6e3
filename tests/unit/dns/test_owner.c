/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "dns/owner.h"

static struct name of(const char *text)
{
	struct name n;

	assert_int_equal(name_of(text, &n), 0);
	return n;
}

static void expect(const struct name *n, const char *text)
{
	char got[NAME_TEXT_MAX];

	assert_int_equal(name_write_text(n, got, sizeof(got)), 0);
	assert_string_equal(got, text);
}

static void makes_tlsa_owners_of_port_and_transport(void **state)
{
	struct name host = of("js.example"), out;

	(void)state;
	assert_int_equal(owner_tlsa(8003, "tcp", &host, &out), 0);
	expect(&out, "_8003._tcp.js.example");
	assert_int_equal(owner_tlsa(0, "udp", &host, &out), 0);
	expect(&out, "_0._udp.js.example");
	assert_int_equal(owner_tlsa(65535, "sctp", &host, &host), 0);
	expect(&host, "_65535._sctp.js.example");
	assert_int_equal(owner_tlsa(443, "quic", &host, &out), ERR_ARG);
}

static void makes_join_eui_names_of_reversed_nibbles(void **state)
{
	struct name suffix = of("joineuis.lora-alliance.org"), out;

	(void)state;
	assert_int_equal(owner_join_eui(0x00005e100000002f, &suffix, &out), 0);
	expect(&out, "f.2.0.0.0.0.0.0.0.1.e.5.0.0.0.0.joineuis.lora-alliance.org");
}

static void makes_net_id_names_of_one_label(void **state)
{
	struct name suffix = of("netids.lora-alliance.org"), out;

	(void)state;
	assert_int_equal(owner_net_id(0x00050a, &suffix, &out), 0);
	expect(&out, "00050a.netids.lora-alliance.org");
	assert_int_equal(owner_net_id(0x1000000, &suffix, &out), ERR_ARG);
}

static void refuses_a_result_longer_than_a_name(void **state)
{
	struct name host = of("x"), out;

	(void)state;
	while (name_prepend(bytes("0123456789"), &host, &host) == 0)
		;
	assert_int_equal(owner_tlsa(65535, "sctp", &host, &out), ERR_FORMAT);
	assert_int_equal(owner_join_eui(1, &host, &out), ERR_FORMAT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(makes_tlsa_owners_of_port_and_transport),
		TEST(makes_join_eui_names_of_reversed_nibbles),
		TEST(makes_net_id_names_of_one_label),
		TEST(refuses_a_result_longer_than_a_name),
	};

	return cmocka_run_group_tests_name("owner", tests, NULL, NULL);
}
