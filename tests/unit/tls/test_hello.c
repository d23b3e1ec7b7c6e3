/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "tls/hello.h"

#include <stdlib.h>
#include <string.h>

static uint8_t octets[2 * HELLO_OCTETS_MAX];

/* A ClientHello of so many octets behind its head, in records of so many; all of it. */
static struct span hello(size_t body, size_t record)
{
	uint8_t message[HELLO_OCTETS_MAX] = { 1, (uint8_t)(body >> 16), (uint8_t)(body >> 8),
		(uint8_t)body };
	size_t n = 0, whole = 4 + body;

	for (size_t at = 0; at < whole; at += record) {
		size_t part = whole - at < record ? whole - at : record;

		memcpy(octets + n, (uint8_t[]){ 22, 3, 1, (uint8_t)(part >> 8), (uint8_t)part }, 5);
		memcpy(octets + n + 5, message + at, part);
		n += 5 + part;
	}
	return (struct span){ octets, n };
}

static size_t wanted(const char *begin, size_t n)
{
	return hello_wanted((struct span){ (const uint8_t *)begin, n });
}

static void a_whole_one_is_waited_for_however_it_is_cut(void **state)
{
	static const size_t records[] = { 1, 2, 3, 4, 5, 100, 304, 9000 };

	(void)state;
	for (size_t r = 0; r < sizeof(records) / sizeof(records[0]); r++) {
		struct span all = hello(300, records[r]);

		for (size_t n = 0; n < all.n; n++) {
			size_t more = hello_wanted((struct span){ all.p, n });

			assert_true(more > n);
			assert_true(more <= all.n);
		}
		assert_int_equal(hello_wanted(all), all.n);
		/* What comes behind it is for TLS. */
		assert_int_equal(hello_wanted((struct span){ all.p, all.n + 7 }), all.n + 7);
	}
}

static void the_rest_of_a_record_is_asked_for_at_once(void **state)
{
	struct span all = hello(300, 304);

	(void)state;
	assert_int_equal(hello_wanted((struct span){ all.p, 0 }), 5);
	assert_int_equal(hello_wanted((struct span){ all.p, 1 }), 5);
	assert_int_equal(hello_wanted((struct span){ all.p, 5 }), all.n);
	assert_int_equal(hello_wanted((struct span){ all.p, 200 }), all.n);
}

static void what_begins_otherwise_is_left_to_tls(void **state)
{
	(void)state;
	assert_int_equal(wanted("GET /", 1), 1);
	assert_int_equal(wanted("\200\56\1\0\2", 5), 5);
	assert_int_equal(wanted("\26\2", 2), 2);
	assert_int_equal(wanted("\26\3\1\0\0", 5), 5);
	assert_int_equal(wanted("\26\3\1\100\1", 5), 5);
	assert_int_equal(wanted("\26\3\1\0\100\2", 6), 6);
	assert_int_equal(wanted("\26\3\1\0\1\1\25\3\1", 9), 9);
}

static void one_that_is_too_long_is_not_waited_for(void **state)
{
	(void)state;
	assert_true(wanted("\26\3\1\0\100\1\0\100\0", 9) > HELLO_OCTETS_MAX);
	assert_true(wanted("\26\3\1\0\100\1\1\0\0", 9) > HELLO_OCTETS_MAX);
	assert_true(wanted("\26\3\1\100\0", 5) > HELLO_OCTETS_MAX);
	/* Nor one whose records are mostly head. */
	hello(4000, 1);
	assert_true(hello_wanted((struct span){ octets, HELLO_OCTETS_MAX }) > HELLO_OCTETS_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_whole_one_is_waited_for_however_it_is_cut),
		TEST(the_rest_of_a_record_is_asked_for_at_once),
		TEST(what_begins_otherwise_is_left_to_tls),
		TEST(one_that_is_too_long_is_not_waited_for),
	};

	return cmocka_run_group_tests_name("hello", tests, NULL, NULL);
}
