/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "tls/alpn.h"

#include <string.h>

static const char *const names[] = { "h2", "http/1.1" };

static void a_list_is_each_name_behind_its_length(void **state)
{
	struct buf out = { 0 };

	(void)state;
	assert_int_equal(alpn_write(names, 2, &out, NULL), 0);
	assert_int_equal(out.n, 12);
	assert_memory_equal(out.p, "\2h2\10http/1.1", 12);
	buf_done(&out);
}

static void a_name_has_one_to_255_octets(void **state)
{
	char text[257] = "";
	const char *const one[] = { text };
	struct buf out = { 0 };

	(void)state;
	assert_int_equal(alpn_write(one, 1, &out, NULL), ERR_FORMAT);
	memset(text, 'x', 256);
	assert_int_equal(alpn_write(one, 1, &out, NULL), ERR_FORMAT);
	text[255] = '\0';
	assert_int_equal(alpn_write(one, 1, &out, NULL), 0);
	assert_int_equal(out.n, 256);
	buf_done(&out);
}

static void expect(const char *want, struct span theirs)
{
	struct span chosen = { 0 };

	assert_int_equal(alpn_choose(bytes("\2h2\10http/1.1"), theirs, &chosen), want[0] != '\0');
	assert_int_equal(chosen.n, strlen(want));
	if (chosen.n)
		assert_memory_equal(chosen.p, want, chosen.n);
}

static void the_first_of_ours_that_they_offer_is_chosen(void **state)
{
	(void)state;
	expect("h2", bytes("\10http/1.1\2h2"));
	expect("http/1.1", bytes("\4mqtt\10http/1.1"));
	expect("", bytes("\4mqtt\2H2\1h\3h2c"));
	expect("", bytes(""));
}

static void nothing_is_chosen_from_what_is_no_list(void **state)
{
	(void)state;
	expect("", bytes("\2h2\0"));
	expect("", bytes("\2h2\3h2"));
	expect("", bytes("\0\2h2"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_list_is_each_name_behind_its_length),
		TEST(a_name_has_one_to_255_octets),
		TEST(the_first_of_ours_that_they_offer_is_chosen),
		TEST(nothing_is_chosen_from_what_is_no_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
