/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The built-in DS records against the public keys of the root zone as they are published: the
 * key tag by RFC 4034 appendix B, the digest by section 5.1.4.
 */
#include "base/base64.h"
#include "base/hex.h"
#include "check.h"
#include "resolve/rootkeys.h"

#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>

static const struct root_key {
	unsigned tag;
	const char *key;
} keys[] = {
	{ 20326,
		"AwEAAaz/tAm8yTn4Mfeh5eyI96WSVexTBAvkMgJzkKTOiW1vkIbzxeF3+/4RgWOq7HrxRixHlFlExOLAJr5em"
		"LvN7SWXgnLh4+B5xQlNVz8Og8kvArMtNROxVQuCaSnIDdD5LKyWbRd2n9WGe2R8PzgCmr3EgVLrjyBxWezF0j"
		"LHwVN8efS3rCj/EWgvIWgb9tarpVUDK/b58Da+sqqls3eNbuv7pr+eoZG+SrDK6nWeL3c6H5Apxz7LjVc1uTI"
		"dsIXxuOLYA4/ilBmSVIzuDWfdRUfhHdY6+cn8HFRm+2hM8AnXGXws9555KrUB5qihylGa8subX2Nn6UwNR1Ak"
		"UTV74bU=" },
	{ 38696,
		"AwEAAa96jeuknZlaeSrvyAJj6ZHv28hhOKkx3rLGXVaC6rXTsDc449/cidltpkyGwCJNnOAlFNKF2jBosZBU5"
		"eeHspaQWOmOElZsjICMQMC3aeHbGiShvZsx4wMYSjH8e7Vrhbu6irwCzVBApESjbUdpWWmEnhathWu1jo+siF"
		"UiRAAxm9qyJNg/wOZqqzL/dL/q8PkcRU5oUKEpUge71M3ej2/7CPqpdVwuMoTvoB+ZOT4YeGyxMvHmbrxlFzG"
		"OHOijtzN+u1TQNatX2XBuzZNQ1K+s2CXkPIZo7s6JgZyvaBevYtxPvYLw4z9mR7K2vaF18UYH9Z9GNUUeayff"
		"KC73PYc=" },
};

/* Owner (the root), then flags 257, protocol 3, algorithm 8, and the key. */
static size_t rdata_of(const struct root_key *k, uint8_t out[512])
{
	static const uint8_t head[] = { 0, 1, 1, 3, 8 };
	size_t n;

	memcpy(out, head, sizeof(head));
	assert_int_equal(base64_read((struct span){ (const uint8_t *)k->key, strlen(k->key) },
				 out + sizeof(head), 512 - sizeof(head), &n),
		0);
	return sizeof(head) + n;
}

static unsigned tag_of(const uint8_t *rdata, size_t n)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += i & 1 ? rdata[i] : (uint32_t)rdata[i] << 8;
	return (sum + (sum >> 16)) & 0xffff;
}

static void the_built_in_anchors_are_the_keys_of_the_root(void **state)
{
	uint8_t octets[512], digest[SHA256_DIGEST_LENGTH], want[SHA256_DIGEST_LENGTH];
	char hex[65];

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		size_t n = rdata_of(&keys[i], octets);
		unsigned tag;

		assert_int_equal(sscanf(rootkeys_lines[i], ". IN DS %u 8 2 %64[0-9A-F]", &tag, hex),
			2);
		assert_int_equal(tag, keys[i].tag);
		assert_int_equal(tag_of(octets + 1, n - 1), keys[i].tag);
		SHA256(octets, n, digest);
		assert_int_equal(
			hex_read_exact((struct span){ (const uint8_t *)hex, 64 }, want, 32), 0);
		assert_memory_equal(digest, want, 32);
	}
	assert_null(rootkeys_lines[2]);
}

int main(void)
{
	const struct CMUnitTest tests[] = { TEST(the_built_in_anchors_are_the_keys_of_the_root) };

	return cmocka_run_group_tests_name("rootkeys", tests, NULL, NULL);
}
