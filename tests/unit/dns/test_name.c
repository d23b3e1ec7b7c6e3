/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "dns/name.h"

#include <string.h>

static struct name of(const char *text)
{
	struct name n;

	assert_int_equal(name_of(text, &n), 0);
	return n;
}

static const char *text_of(const struct name *n)
{
	static char text[NAME_TEXT_MAX];

	assert_int_equal(name_write_text(n, text, sizeof(text)), 0);
	return text;
}

static void reads_text_with_or_without_the_final_dot(void **state)
{
	struct name a = of("_ns-client.ns.example."), b = of("_NS-client.ns.example");

	(void)state;
	assert_true(name_equal(&a, &b));
	assert_int_equal(a.n, 23);
	assert_memory_equal(a.wire, "\12_ns-client\2ns\7example", 23);
	assert_string_equal(text_of(&a), "_ns-client.ns.example");
}

static void knows_the_root_and_refuses_the_empty_text(void **state)
{
	struct name n = of(".");

	(void)state;
	assert_int_equal(n.n, 1);
	assert_string_equal(text_of(&n), ".");
	assert_int_equal(name_of("", &n), ERR_FORMAT);
	assert_int_equal(name_of("..", &n), ERR_FORMAT);
	assert_int_equal(name_of("a..b", &n), ERR_FORMAT);
	assert_int_equal(name_of(".a", &n), ERR_FORMAT);
}

static void reads_and_writes_escapes(void **state)
{
	struct name n = of("a\\.b\\032\\\\.c");

	(void)state;
	assert_memory_equal(n.wire, "\5a.b \\\1c", 9);
	assert_string_equal(text_of(&n), "a\\.b\\032\\\\.c");
	assert_int_equal(name_of("a\\", &n), ERR_FORMAT);
	assert_int_equal(name_of("a\\25", &n), ERR_FORMAT);
	assert_int_equal(name_of("a\\256", &n), ERR_FORMAT);
	assert_int_equal(name_of("a\\2x5", &n), ERR_FORMAT);
}

static void refuses_what_is_not_an_a_label(void **state)
{
	struct name n;

	(void)state;
	assert_int_equal(name_of("b\303\274cher.example", &n), ERR_FORMAT);
	assert_int_equal(name_of("a b.example", &n), ERR_FORMAT);
	assert_int_equal(name_of("a\nb.example", &n), ERR_FORMAT);
}

static void holds_labels_to_63_and_names_to_255_octets(void **state)
{
	char label[65], text[4 * 64 + 1];
	struct name n;

	(void)state;
	memset(label, 'x', 64);
	label[64] = 0;
	assert_int_equal(name_of(label, &n), ERR_FORMAT);
	label[63] = 0;
	assert_int_equal(name_of(label, &n), 0);
	memset(text, 'x', sizeof(text));
	text[63] = text[127] = text[191] = '.';
	text[191 + 62] = 0;
	assert_int_equal(name_of(text, &n), 0);
	assert_int_equal(n.n, NAME_WIRE_MAX);
	assert_int_equal(name_prepend(bytes("a"), &n, &n), ERR_FORMAT);
	text[191 + 62] = 'x';
	text[191 + 63] = 0;
	assert_int_equal(name_of(text, &n), ERR_FORMAT);
}

static void a_name_of_255_octets_survives_text_in_the_worst_escapes(void **state)
{
	struct name n = { .n = NAME_WIRE_MAX }, again;
	char text[NAME_TEXT_MAX];

	(void)state;
	memset(n.wire, 200, sizeof(n.wire));
	n.wire[0] = n.wire[64] = n.wire[128] = 63;
	n.wire[192] = 61;
	n.wire[254] = 0;
	assert_int_equal(name_write_text(&n, text, sizeof(text)), 0);
	assert_int_equal(name_of(text, &again), 0);
	assert_true(name_equal(&n, &again));
	assert_int_equal(name_write_text(&n, text, 100), ERR_SPACE);
}

static void reads_wire_and_refuses_pointers_and_missing_ends(void **state)
{
	struct cursor c = cursor_over(bytes("\1a\2bc\0rest"));
	struct name n;

	(void)state;
	assert_int_equal(name_read(&c, &n), 0);
	assert_string_equal(text_of(&n), "a.bc");
	assert_int_equal(c.rest.n, 4);
	c = cursor_over(bytes("\1a\300\0"));
	assert_int_equal(name_read(&c, &n), ERR_FORMAT);
	assert_true(c.bad);
	c = cursor_over(bytes("\1a\2b"));
	assert_int_equal(name_read(&c, &n), ERR_FORMAT);
	c = cursor_over(bytes("\1a"));
	assert_int_equal(name_read(&c, &n), ERR_FORMAT);
}

static void tells_what_is_within_by_whole_labels(void **state)
{
	struct name zone = of("example"), in = of("a.EXAMPLE"), out = of("notexample"),
		    root = of(".");

	(void)state;
	assert_true(name_is_within(&in, &zone));
	assert_true(name_is_within(&zone, &zone));
	assert_true(name_is_within(&zone, &root));
	assert_false(name_is_within(&out, &zone));
	assert_false(name_is_within(&zone, &in));
}

static void walks_up_and_joins(void **state)
{
	struct name n = of("a.b"), up;

	(void)state;
	assert_int_equal(name_labels(&n), 2);
	assert_true(name_parent(&n, &up));
	assert_string_equal(text_of(&up), "b");
	assert_true(name_parent(&up, &up));
	assert_false(name_parent(&up, &up));
	assert_int_equal(name_join(&n, &n, &n), 0);
	assert_string_equal(text_of(&n), "a.b.a.b");
	assert_int_equal(name_prepend(bytes("_x"), &n, &n), 0);
	assert_string_equal(text_of(&n), "_x.a.b.a.b");
	assert_int_equal(name_prepend(bytes(""), &n, &n), ERR_FORMAT);
}

static void lowers_letters_only(void **state)
{
	struct name n = of("A-Z_09.\\200");

	(void)state;
	name_lower(&n);
	assert_string_equal(text_of(&n), "a-z_09.\\200");
	assert_false(name_is_plain(&n));
	n = of("_ns.a-1");
	assert_true(name_is_plain(&n));
	n = of("a\\.b");
	assert_false(name_is_plain(&n));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(reads_text_with_or_without_the_final_dot),
		TEST(knows_the_root_and_refuses_the_empty_text),
		TEST(reads_and_writes_escapes),
		TEST(refuses_what_is_not_an_a_label),
		TEST(holds_labels_to_63_and_names_to_255_octets),
		TEST(a_name_of_255_octets_survives_text_in_the_worst_escapes),
		TEST(reads_wire_and_refuses_pointers_and_missing_ends),
		TEST(tells_what_is_within_by_whole_labels),
		TEST(walks_up_and_joins),
		TEST(lowers_letters_only),
	};

	return cmocka_run_group_tests_name("name", tests, NULL, NULL);
}
