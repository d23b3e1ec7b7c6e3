/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hex.h"
#include "check.h"
#include "crypto/hmac.h"

#include <string.h>

/* RFC 4231 section 4.3, test case 2. */
static const char *const expected[] = {
	[HMAC_SHA256] = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
	[HMAC_SHA384] = "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e"
			"8e2240ca5e69e2c78b3239ecfab21649",
	[HMAC_SHA512] = "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
			"9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
};

static struct span of(const char *text)
{
	return (struct span){ (const uint8_t *)text, strlen(text) };
}

static void agrees_with_the_vectors_of_rfc_4231(void **state)
{
	const struct span parts[] = { of("what do ya want "), { NULL, 0 }, of("for nothing?") };

	(void)state;
	for (enum hmac_digest d = HMAC_SHA256; d <= HMAC_SHA512; d++) {
		uint8_t out[HMAC_OCTETS_MAX];
		char text[2 * HMAC_OCTETS_MAX + 1];

		assert_int_equal(hmac_write(d, of("Jefe"), parts, 3, out, NULL), 0);
		assert_int_equal(
			hex_write((struct span){ out, hmac_octets(d) }, text, sizeof(text)), 0);
		assert_string_equal(text, expected[d]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(agrees_with_the_vectors_of_rfc_4231),
	};

	return cmocka_run_group_tests_name("hmac", tests, NULL, NULL);
}
