/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "dns/rr.h"

#include <string.h>

static void reads_srv(void **state)
{
	struct rr_srv srv;

	(void)state;
	assert_int_equal(rr_read_srv(bytes("\0\12\0\24\37\103\2js\7example"), &srv), ERR_FORMAT);
	assert_int_equal(rr_read_srv(bytes("\0\12\0\24\37\103\2js\7example\0"), &srv), 0);
	assert_int_equal(srv.priority, 10);
	assert_int_equal(srv.weight, 20);
	assert_int_equal(srv.port, 8003);
	assert_int_equal(srv.target.n, 12);
	assert_int_equal(rr_read_srv(bytes("\0\12\0\24\37\103\0x"), &srv), ERR_FORMAT);
}

static void reads_naptr(void **state)
{
	struct rr_naptr n;

	(void)state;
	assert_int_equal(rr_read_naptr(bytes("\0\1\0\2\1S\4LWNS\0\4_lwn\0"), &n), 0);
	assert_int_equal(n.order, 1);
	assert_int_equal(n.preference, 2);
	assert_memory_equal(n.flags.p, "S", n.flags.n);
	assert_int_equal(n.services.n, 4);
	assert_int_equal(n.regexp.n, 0);
	assert_int_equal(n.replacement.n, 6);
	assert_int_equal(rr_read_naptr(bytes("\0\1\0\2\1S\4LWNS\0\4_lwn"), &n), ERR_FORMAT);
	assert_int_equal(rr_read_naptr(bytes("\0\1\0\2\377S"), &n), ERR_FORMAT);
}

static void reads_a_name_alone(void **state)
{
	struct name n;

	(void)state;
	assert_int_equal(rr_read_name(bytes("\1a\0"), &n), 0);
	assert_int_equal(rr_read_name(bytes("\1a\0\0"), &n), ERR_FORMAT);
}

static void names_types(void **state)
{
	char out[12];

	(void)state;
	assert_string_equal(rr_type_word(RR_TLSA, out, sizeof(out)), "TLSA");
	assert_string_equal(rr_type_word(65280, out, sizeof(out)), "TYPE65280");
	assert_string_equal(rr_type_word(100, out, sizeof(out)), "TYPE100");
	assert_string_equal(rr_type_word(0, out, sizeof(out)), "TYPE0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(reads_srv),
		TEST(reads_naptr),
		TEST(reads_a_name_alone),
		TEST(names_types),
	};

	return cmocka_run_group_tests_name("rr", tests, NULL, NULL);
}
