/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hex.h"
#include "lorawan/cmac.h"
#include "vector.h"

#include <string.h>

/* RFC 4493 section 4: one key, the first 0, 16, 40 and 64 octets of one message. */
static const char key_hex[] = "2b7e151628aed2a6abf7158809cf4f3c";
static const char message_hex[] =
	"6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
	"30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710";

struct example {
	size_t octets;
	const char *tag;
};

static const struct example examples[] = {
	{ 0, "bb1d6929e95937287fa37d129b756746" },
	{ 16, "070a16b46b4d4144f79bdd9dd04a287c" },
	{ 40, "dfa66747de9ae63030ca32611497c827" },
	{ 64, "51f0bebf7e3b9d92fc49741779363cfe" },
};

static struct span text(const char *s)
{
	return (struct span){ (const uint8_t *)s, strlen(s) };
}

static void the_four_examples_of_rfc_4493_hold(void **state)
{
	uint8_t key[16], message[64], want[16], got[16];
	struct block block;

	(void)state;
	assert_int_equal(hex_read_exact(text(key_hex), key, sizeof(key)), 0);
	assert_int_equal(hex_read_exact(text(message_hex), message, sizeof(message)), 0);
	block = vector_cipher_of(key);
	for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
		assert_int_equal(hex_read_exact(text(examples[i].tag), want, sizeof(want)), 0);
		cmac_of(&block, (struct span){ message, examples[i].octets }, got);
		assert_memory_equal(got, want, sizeof(want));
	}
}

static void pieces_give_the_same_as_the_whole(void **state)
{
	uint8_t key[16] = { 1 }, message[50], whole[16], pieces[16];
	struct block block = vector_cipher_of(key);

	(void)state;
	for (size_t i = 0; i < sizeof(message); i++)
		message[i] = (uint8_t)(i * 7);
	cmac_of(&block, (struct span){ message, sizeof(message) }, whole);
	for (size_t cut = 0; cut <= sizeof(message); cut++) {
		struct cmac c = cmac_start(&block);

		cmac_add(&c, (struct span){ message, cut });
		cmac_add(&c, (struct span){ message + cut, sizeof(message) - cut });
		cmac_finish(&c, pieces);
		assert_memory_equal(pieces, whole, sizeof(whole));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_four_examples_of_rfc_4493_hold),
		TEST(pieces_give_the_same_as_the_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
