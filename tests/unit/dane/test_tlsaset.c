/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "dane/tlsaset.h"

#include <string.h>

static const uint8_t octets[3 + 64] = { 0 };

/* A record of the right length for its matching type, told apart by its first data octet. */
static struct span record(uint8_t memory[67], uint8_t u, uint8_t s, uint8_t m, uint8_t tag)
{
	memcpy(memory, octets, sizeof(octets));
	memory[0] = u;
	memory[1] = s;
	memory[2] = m;
	memory[3] = tag;
	return (struct span){ memory, m == 2 ? 67 : 35 };
}

static void keeps_the_strongest_digest_of_each_usage_and_selector(void **state)
{
	uint8_t m[5][67];
	struct span rdata[] = { record(m[0], 3, 1, 1, 1), record(m[1], 3, 1, 2, 2),
		record(m[2], 3, 0, 1, 3), record(m[3], 2, 1, 1, 4), record(m[4], 3, 1, 0, 5) };
	struct tlsaset set;

	(void)state;
	tlsaset_read(rdata, 5, &set);
	assert_int_equal(set.count, 5);
	assert_int_equal(set.usable, 4);
	assert_non_null(set.record[0].why);
	for (int i = 1; i < 5; i++)
		assert_null(set.record[i].why);
}

static void an_unusable_digest_weakens_nobody(void **state)
{
	uint8_t m[2][67];
	struct span rdata[] = { record(m[0], 3, 1, 1, 1), record(m[1], 3, 1, 2, 2) };
	struct tlsaset set;
	char words[200];

	(void)state;
	rdata[1].n = 40; /* SHA-512 of 37 octets is no digest at all */
	tlsaset_read(rdata, 2, &set);
	assert_int_equal(set.usable, 1);
	assert_null(set.record[0].why);
	assert_string_equal(set.record[1].why, "SHA2-512 digest is not 64 octets");
	tlsaset_words(&set, words, sizeof(words));
	assert_string_equal(words,
		"2 TLSA records; 3 1 2 set aside: SHA2-512 digest is not 64 octets");
}

static void holds_no_more_than_its_bound(void **state)
{
	uint8_t m[67];
	struct span rdata[TLSASET_MAX + 3];
	struct tlsaset set;

	(void)state;
	for (int i = 0; i < TLSASET_MAX + 3; i++)
		rdata[i] = record(m, 3, 1, 1, 1);
	tlsaset_read(rdata, TLSASET_MAX + 3, &set);
	assert_int_equal(set.count, TLSASET_MAX);
	assert_int_equal(set.beyond, 3);
}

static void the_hash_knows_the_set_and_not_its_order(void **state)
{
	uint8_t m[3][67], a[32], b[32], c[32];
	struct span x = record(m[0], 3, 1, 1, 1), y = record(m[1], 3, 1, 1, 2),
		    z = record(m[2], 3, 1, 2, 1);
	struct span xy[] = { x, y }, yx[] = { y, x }, xyz[] = { x, y, z };

	(void)state;
	assert_int_equal(tlsaset_hash(xy, 2, a, NULL), 0);
	assert_int_equal(tlsaset_hash(yx, 2, b, NULL), 0);
	assert_int_equal(tlsaset_hash(xyz, 3, c, NULL), 0);
	assert_memory_equal(a, b, 32);
	assert_memory_not_equal(a, c, 32);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(keeps_the_strongest_digest_of_each_usage_and_selector),
		TEST(an_unusable_digest_weakens_nobody),
		TEST(holds_no_more_than_its_bound),
		TEST(the_hash_knows_the_set_and_not_its_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
