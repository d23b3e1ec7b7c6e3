/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hex.h"
#include "check.h"
#include "crypto/aes.h"
#include "crypto/keywrap.h"
#include "crypto/random.h"

#include <string.h>

static void the_example_of_fips_197_holds_both_ways(void **state)
{
	uint8_t key[16], plain[16], want[16], got[16];
	struct aes *a;
	struct block b;

	(void)state;
	hex_read_exact(bytes("000102030405060708090a0b0c0d0e0f"), key, 16);
	hex_read_exact(bytes("00112233445566778899aabbccddeeff"), plain, 16);
	hex_read_exact(bytes("69c4e0d86a7b0430d8cdb78070b4c55a"), want, 16);
	assert_int_equal(aes_new(key, &a, NULL), 0);
	b = aes_block(a);
	for (int i = 0; i < 3; i++) {
		b.encrypt(b.key, plain, got);
		assert_memory_equal(got, want, 16);
		b.decrypt(b.key, got, got);
		assert_memory_equal(got, plain, 16);
	}
	aes_free(a);
}

static void a_new_key_replaces_the_old_one(void **state)
{
	uint8_t one[16] = { 1 }, two[16] = { 2 }, in[16] = { 0 }, first[16], again[16], other[16];
	struct aes *a;
	struct block b;

	(void)state;
	assert_int_equal(aes_new(one, &a, NULL), 0);
	b = aes_block(a);
	b.encrypt(b.key, in, first);
	assert_int_equal(aes_rekey(a, two, NULL), 0);
	b.encrypt(b.key, in, other);
	assert_memory_not_equal(first, other, 16);
	b.decrypt(b.key, other, again);
	assert_memory_equal(again, in, 16);
	assert_int_equal(aes_rekey(a, one, NULL), 0);
	b.encrypt(b.key, in, again);
	assert_memory_equal(again, first, 16);
	aes_free(a);
	aes_free(NULL);
}

static void a_kek_of_another_length_is_refused(void **state)
{
	struct secret kek = { .n = 17 };
	uint8_t key[16] = { 0 }, wrapped[24] = { 0 };
	bool intact = true;
	struct err err;

	(void)state;
	assert_int_equal(keywrap_wrap(&kek, key, wrapped, &err), ERR_ARG);
	assert_string_equal(err.msg, "KEK: 17 octets, not 16, 24 or 32");
	kek.n = 0;
	assert_int_equal(keywrap_unwrap(&kek, wrapped, key, &intact, NULL), ERR_ARG);
	assert_true(intact);
}

static void a_changed_octet_breaks_the_wrap(void **state)
{
	struct secret kek = { .n = 32 };
	uint8_t key[16] = { 7 }, wrapped[24], back[16];
	bool intact;

	(void)state;
	assert_int_equal(keywrap_wrap(&kek, key, wrapped, NULL), 0);
	for (size_t i = 0; i < sizeof(wrapped); i++) {
		wrapped[i] ^= 0x80;
		assert_int_equal(keywrap_unwrap(&kek, wrapped, back, &intact, NULL), 0);
		assert_false(intact);
		wrapped[i] ^= 0x80;
	}
	assert_int_equal(keywrap_unwrap(&kek, wrapped, back, &intact, NULL), 0);
	assert_true(intact);
	assert_memory_equal(back, key, 16);
}

static void random_numbers_stay_below_their_limit(void **state)
{
	unsigned int v, seen = 0;

	(void)state;
	assert_int_equal(random_below(0, &v, NULL), ERR_ARG);
	for (int i = 0; i < 400; i++) {
		assert_int_equal(random_below(3, &v, NULL), 0);
		assert_in_range(v, 0, 2);
		seen |= 1u << v;
	}
	assert_int_equal(seen, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_example_of_fips_197_holds_both_ways),
		TEST(a_new_key_replaces_the_old_one),
		TEST(a_kek_of_another_length_is_refused),
		TEST(a_changed_octet_breaks_the_wrap),
		TEST(random_numbers_stay_below_their_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
