/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "net/listen.h"

#include <string.h>

static struct sockaddr_storage a;
static char text[64];

static const char *again(const char *from)
{
	assert_int_equal(listen_read_address(from, &a, NULL), 0);
	return listen_write_address((struct sockaddr *)&a, text, sizeof(text));
}

static void reads_and_writes_both_families(void **state)
{
	(void)state;
	assert_string_equal(again("192.0.2.1:8003"), "192.0.2.1:8003");
	assert_string_equal(again("[2001:db8::1]:0"), "[2001:db8::1]:0");
	assert_string_equal(again("localhost:65535"), "127.0.0.1:65535");
	assert_string_equal(again(":80"), "[::]:80");
	assert_string_equal(again("[::ffff:192.0.2.1]:1"), "192.0.2.1:1");
}

static void refuses_what_is_no_address(void **state)
{
	static const char *const bad[] = { "", "8003", "192.0.2.1", "192.0.2.1:", "192.0.2.1:65536",
		"192.0.2.1:-1", "192.0.2.1:+1", "192.0.2.1: 1", "js.example:8003", "[::1:80",
		"::1:80", "[::1]80", "192.0.2.1:1x", "256.0.0.1:1", "[]:1", "[:1" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(listen_read_address(bad[i], &a, NULL), ERR_FORMAT);
}

static void knows_loopback(void **state)
{
	static const char *const yes[] = { "127.0.0.1:1", "127.203.1.2:1", "[::1]:1",
		"[::ffff:127.0.0.1]:1" };
	static const char *const no[] = { "0.0.0.0:1", ":1", "128.0.0.1:1", "[::2]:1",
		"[::ffff:10.0.0.1]:1" };

	(void)state;
	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
		assert_int_equal(listen_read_address(yes[i], &a, NULL), 0);
		assert_true(listen_is_loopback((struct sockaddr *)&a));
	}
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++) {
		assert_int_equal(listen_read_address(no[i], &a, NULL), 0);
		assert_false(listen_is_loopback((struct sockaddr *)&a));
	}
}

static uint64_t source(const char *from)
{
	assert_int_equal(listen_read_address(from, &a, NULL), 0);
	return listen_source((struct sockaddr *)&a);
}

static void counts_an_ipv6_network_as_one_source(void **state)
{
	(void)state;
	assert_true(source("[2001:db8:0:1::1]:5") == source("[2001:db8:0:1:ffff::9]:6"));
	assert_true(source("[2001:db8:0:1::1]:5") != source("[2001:db8:0:2::1]:5"));
	assert_true(source("192.0.2.1:5") == source("192.0.2.1:6"));
	assert_true(source("192.0.2.1:5") == source("[::ffff:192.0.2.1]:7"));
	assert_true(source("192.0.2.1:5") != source("192.0.2.2:5"));
	assert_true(source("[::1]:1") != 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(reads_and_writes_both_families),
		TEST(refuses_what_is_no_address),
		TEST(knows_loopback),
		TEST(counts_an_ipv6_network_as_one_source),
	};

	return cmocka_run_group_tests_name("listen", tests, NULL, NULL);
}
