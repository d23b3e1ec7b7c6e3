/* SPDX-License-Identifier: Apache-2.0 */
#include "join/nonces.h"

#include <stdlib.h>
#include <string.h>

#include "check.h"

static void remembers_each_nonce_exactly_once(void **state)
{
	struct nonces s = { 0 };

	(void)state;
	assert_false(nonces_has(&s, 0));
	nonces_add(&s, 5);
	nonces_add(&s, 0);
	nonces_add(&s, 65535);
	nonces_add(&s, 5);
	assert_int_equal(nonces_count(&s), 3);
	assert_int_equal(s.n, 6);
	assert_memory_equal(s.octets, "\0\0\5\0\xff\xff", 6);
	assert_true(nonces_has(&s, 0) && nonces_has(&s, 5) && nonces_has(&s, 65535));
	assert_false(nonces_has(&s, 1) || nonces_has(&s, 65534));
}

static void turns_into_a_bitmap_and_still_forgets_nothing(void **state)
{
	struct nonces s = { 0 }, again = { 0 };
	bool *used = calloc(65536, sizeof(*used));
	unsigned count = 0;

	(void)state;
	assert_non_null(used);
	for (uint32_t i = 0; i < 65536; i++) {
		uint16_t nonce = (uint16_t)(i * 40503u); /* odd: all values, in no order */

		assert_int_equal(nonces_has(&s, nonce), used[nonce]);
		nonces_add(&s, nonce);
		used[nonce] = true;
		count++;
		if (i % 1000 == 0 || (i > 4090 && i < 4100)) {
			assert_int_equal(nonces_count(&s), count);
			assert_int_equal(nonces_read(nonces_span(&s), &again), 0);
			assert_int_equal(nonces_count(&again), count);
			assert_true(nonces_has(&again, nonce));
		}
	}
	assert_int_equal(s.n, NONCES_OCTETS_MAX);
	assert_int_equal(nonces_count(&s), 65536);
	free(used);
}

static void refuses_stored_octets_that_make_no_sense(void **state)
{
	static const uint8_t big[NONCES_OCTETS_MAX + 2];
	struct nonces s = { 0 };

	(void)state;
	assert_int_equal(nonces_read(bytes("\1"), &s), ERR_FORMAT);
	assert_int_equal(nonces_read(bytes("\1\0\1\0"), &s), ERR_FORMAT);
	assert_int_equal(nonces_read(bytes("\2\0\1\0"), &s), ERR_FORMAT);
	assert_int_equal(nonces_read((struct span){ big, sizeof(big) }, &s), ERR_FORMAT);
	assert_int_equal(nonces_read((struct span){ 0 }, &s), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(remembers_each_nonce_exactly_once),
		TEST(turns_into_a_bitmap_and_still_forgets_nothing),
		TEST(refuses_stored_octets_that_make_no_sense),
	};

	return cmocka_run_group_tests_name("nonces", tests, NULL, NULL);
}
