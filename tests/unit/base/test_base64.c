/* SPDX-License-Identifier: Apache-2.0 */
#include "base/base64.h"
#include "check.h"

#include <string.h>

/* RFC 4648 section 10 */
static const struct {
	const char *plain, *text;
} vectors[] = {
	{ "", "" },
	{ "f", "Zg==" },
	{ "fo", "Zm8=" },
	{ "foo", "Zm9v" },
	{ "foob", "Zm9vYg==" },
	{ "fooba", "Zm9vYmE=" },
	{ "foobar", "Zm9vYmFy" },
};

static struct span text_span(const char *s)
{
	return (struct span){ (const uint8_t *)s, strlen(s) };
}

static void agrees_with_the_rfc_both_ways(void **state)
{
	char text[16];
	uint8_t plain[16];
	size_t n;

	(void)state;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		assert_int_equal(base64_write(text_span(vectors[i].plain), text, sizeof(text)), 0);
		assert_string_equal(text, vectors[i].text);
		assert_int_equal(base64_read(text_span(text), plain, sizeof(plain), &n), 0);
		assert_int_equal(n, strlen(vectors[i].plain));
		assert_memory_equal(plain, vectors[i].plain, n);
	}
}

static void reads_text_whose_padding_is_missing(void **state)
{
	uint8_t plain[4];
	size_t n;

	(void)state;
	assert_int_equal(base64_read(bytes("Zm8"), plain, sizeof(plain), &n), 0);
	assert_int_equal(n, 2);
	assert_int_equal(base64_read(bytes("Zg"), plain, sizeof(plain), &n), 0);
	assert_int_equal(n, 1);
}

static void refuses_what_has_no_single_meaning(void **state)
{
	static const char *const wrong[] = { "Z", "Zg=", "Z===", "Zh==", "Zm9",
		"Zm9v=", "Zm9v====", "Zm 9", "Zm-9" };
	uint8_t plain[8];
	size_t n;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(base64_read(text_span(wrong[i]), plain, sizeof(plain), &n),
			ERR_FORMAT);
	assert_int_equal(base64_read(bytes("Zm9v"), plain, 2, &n), ERR_SPACE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(agrees_with_the_rfc_both_ways),
		TEST(reads_text_whose_padding_is_missing),
		TEST(refuses_what_has_no_single_meaning),
	};

	return cmocka_run_group_tests_name("base64", tests, NULL, NULL);
}
