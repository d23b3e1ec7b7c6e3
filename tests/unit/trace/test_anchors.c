/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "trace/anchors.h"

#include <string.h>

#define DS ". IN DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D\n"
#define KEY \
	". 300 IN DNSKEY 257 3 13 lq88EcG5xzelN4AsugR2+fFqkeyLQnJJqbEKn7i4+Epb1vugDIQ5cRuKkoAPRNjSK4fzCWBsi6ucD8Vt78wy+A=="

static size_t count_of(const char *text)
{
	ldns_rr_list *list = NULL;
	struct err err;
	size_t n;

	if (anchors_read((struct span){ (const uint8_t *)text, strlen(text) }, &list, &err) != 0)
		fail_msg("%s", err.msg);
	n = ldns_rr_list_rr_count(list);
	ldns_rr_list_deep_free(list);
	return n;
}

static void reads_ds_and_dnskey_lines(void **state)
{
	(void)state;
	assert_int_equal(count_of(DS), 1);
	assert_int_equal(count_of("; the root\n\n" DS KEY " ; no end of line"), 2);
}

/* RFC 5011 section 4.2: a key that is only seen, or gone, is trusted by nobody. */
static void takes_only_valid_keys_of_a_managed_file(void **state)
{
	(void)state;
	assert_int_equal(count_of(KEY " ;{id = 1} ;;state=2 [  VALID  ] ;;count=0\n" KEY
				      " ;{id = 1} ;;state=1 [ ADDPEND ] ;;count=3\n" KEY
				      " ;{id = 1} ;;state=4 [ REVOKED ]\n"),
		1);
}

static void refuses_what_is_no_anchor(void **state)
{
	static const struct {
		const char *text, *words;
	} bad[] = {
		{ "", "there is none" },
		{ "; nothing\n", "there is none" },
		{ KEY " ;;state=1 [ ADDPEND ]\n", "there is none" },
		{ DS ". IN A 192.0.2.1\n", "line 2: not a DS or DNSKEY" },
		{ DS "\nsome words\n", "line 3: " },
	};
	ldns_rr_list *list = NULL;
	struct err err;
	char line[5000];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const struct span text = { (const uint8_t *)bad[i].text, strlen(bad[i].text) };

		assert_int_equal(anchors_read(text, &list, &err), ERR_FORMAT);
		assert_non_null(strstr(err.msg, bad[i].words));
		assert_null(list);
	}
	memset(line, ' ', sizeof(line));
	assert_int_equal(anchors_read((struct span){ (uint8_t *)line, sizeof(line) }, &list, &err),
		ERR_FORMAT);
	assert_int_equal(anchors_read((struct span){ (uint8_t *)"; \0", 3 }, &list, &err),
		ERR_FORMAT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(reads_ds_and_dnskey_lines),
		TEST(takes_only_valid_keys_of_a_managed_file),
		TEST(refuses_what_is_no_anchor),
	};

	return cmocka_run_group_tests_name("anchors", tests, NULL, NULL);
}
