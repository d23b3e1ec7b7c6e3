/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "rollover/cover.h"

#include <string.h>

static const char *const owners[] = { "_8003._tcp.js.a.example", "_443._tcp.js.a.example",
	"d1._device.a.example", "*._device.b.example", "_443._tcp.*.c.example",
	"_25._tcp.mx.d.example" };
#define OWNERS (sizeof(owners) / sizeof(owners[0]))

static bool mark(void *arg, size_t owner)
{
	*(unsigned *)arg |= 1u << owner;
	return true;
}

static bool first(void *arg, size_t owner)
{
	(*(unsigned *)arg)++;
	(void)owner;
	return false;
}

static unsigned found(const struct cover *c, const char *name)
{
	unsigned bits = 0;

	cover_find(c, name, mark, &bits);
	return bits;
}

static struct cover all(void)
{
	struct cover c = { .count = 0 };

	for (size_t i = 0; i < OWNERS; i++)
		assert_int_equal(cover_add(&c, owners[i], NULL), 0);
	cover_sort(&c);
	return c;
}

static void an_owner_speaks_for_its_host_or_itself(void **state)
{
	struct cover c = all();

	(void)state;
	assert_int_equal(found(&c, "js.a.example"), 3);
	assert_int_equal(found(&c, "d1._device.a.example"), 4);
	assert_int_equal(found(&c, "mx.d.example"), 32);
	assert_int_equal(found(&c, "a.example"), 0);
	assert_int_equal(found(&c, "d2._device.a.example"), 0);
	assert_int_equal(found(&c, "x.js.a.example"), 0);
	cover_done(&c);
}

static void a_wildcard_speaks_for_what_is_below(void **state)
{
	struct cover c = all();

	(void)state;
	assert_int_equal(found(&c, "d7._device.b.example"), 8);
	assert_int_equal(found(&c, "a.d7._device.b.example"), 8);
	assert_int_equal(found(&c, "_device.b.example"), 0);
	assert_int_equal(found(&c, "www.c.example"), 16);
	cover_done(&c);
}

static void a_wildcard_certificate_is_a_servers(void **state)
{
	struct cover c = all();

	(void)state;
	assert_int_equal(found(&c, "*.a.example"), 3);
	assert_int_equal(found(&c, "*.c.example"), 16);
	/* a host beside a server's has nothing to do with it */
	assert_int_equal(found(&c, "other.a.example"), 0);
	assert_int_equal(found(&c, "*._device.a.example"), 0);
	cover_done(&c);
}

static void who_has_heard_enough_is_told_no_more(void **state)
{
	struct cover c = all();
	unsigned n = 0;

	(void)state;
	cover_find(&c, "js.a.example", first, &n);
	assert_int_equal(n, 1);
	cover_done(&c);
}

static void an_empty_cover_and_long_names_find_nobody(void **state)
{
	struct cover c = { .count = 0 };
	char name[3000];

	(void)state;
	memset(name, 'a', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	cover_sort(&c);
	assert_int_equal(found(&c, "a.example"), 0);
	c = all();
	assert_int_equal(found(&c, name), 0);
	assert_int_equal(found(&c, ""), 0);
	cover_done(&c);
}

static void services_are_told_from_names(void **state)
{
	(void)state;
	assert_true(cover_is_service("_8003._tcp.js.a.example"));
	assert_true(cover_is_service("_1._sctp.x"));
	assert_false(cover_is_service("_device.a.example"));
	assert_false(cover_is_service("_123456._tcp.a.example"));
	assert_false(cover_is_service("_12._device.a.example"));
	assert_string_equal(cover_identity("_8003._udp.js.a.example"), "js.a.example");
	assert_string_equal(cover_identity("_tcp.a.example"), "_tcp.a.example");
}

int main(void)
{
	const struct CMUnitTest tests[] = { TEST(an_owner_speaks_for_its_host_or_itself),
		TEST(a_wildcard_speaks_for_what_is_below),
		TEST(a_wildcard_certificate_is_a_servers),
		TEST(who_has_heard_enough_is_told_no_more),
		TEST(an_empty_cover_and_long_names_find_nobody),
		TEST(services_are_told_from_names) };

	return cmocka_run_group_tests_name("rollover/cover", tests, NULL, NULL);
}
