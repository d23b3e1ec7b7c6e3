/* SPDX-License-Identifier: Apache-2.0 */
#include "identity/csv.h"

#include "check.h"

#include <stdio.h>
#include <string.h>

/* Rows as "line:[a][b]", one that is wrong as "line!words", parted by blanks. */
static const char *rows_of(const char *text)
{
	static char out[1000];
	static char copy[1000];
	struct csv_row row;
	struct csv c;
	struct err err;
	size_t n = 0;
	int rc;

	snprintf(copy, sizeof(copy), "%s", text);
	c = csv_over(copy, strlen(copy));
	out[0] = '\0';
	while (csv_next(&c, &row, &rc, &err)) {
		n += (size_t)snprintf(out + n, sizeof(out) - n, "%s%zu%s", n ? " " : "", row.line,
			rc ? "!" : ":");
		for (size_t i = 0; rc == 0 && i < row.count; i++)
			n += (size_t)snprintf(out + n, sizeof(out) - n, "[%s]", row.field[i]);
		if (rc)
			n += (size_t)snprintf(out + n, sizeof(out) - n, "%s", err.msg);
	}
	return out;
}

static void fields_are_parted_by_commas_and_rows_by_line_ends(void **state)
{
	(void)state;
	assert_string_equal(rows_of("a,b\nc,d\n"), "1:[a][b] 2:[c][d]");
	assert_string_equal(rows_of("a,b\r\nc,d"), "1:[a][b] 2:[c][d]");
	assert_string_equal(rows_of("a,,\n,\nx"), "1:[a][][] 2:[][] 3:[x]");
	assert_string_equal(rows_of("\n\r\na\n\n\nb\n\n"), "3:[a] 6:[b]");
	assert_string_equal(rows_of(""), "");
}

static void quotes_hold_commas_quotes_and_lines(void **state)
{
	(void)state;
	assert_string_equal(rows_of("\"a,b\",\"c\"\"d\"\n"), "1:[a,b][c\"d]");
	assert_string_equal(rows_of("\"a\nb\nc\",d\ne"), "1:[a\nb\nc][d] 4:[e]");
	assert_string_equal(rows_of("\"\",\"\""), "1:[][]");
	assert_string_equal(rows_of("\"\"\"\""), "1:[\"]");
}

static void a_row_that_is_wrong_has_words_and_the_next_is_read(void **state)
{
	(void)state;
	assert_string_equal(rows_of("a\"b,c\nd"), "1!a quote or a zero within a field 2:[d]");
	assert_string_equal(rows_of("\"a\"b\nc"), "1!text behind a quote 2:[c]");
	assert_string_equal(rows_of("a,b\n\"c"), "1:[a][b] 2!a quote that does not end");
	assert_string_equal(rows_of(",,,,,,,,,,,,,,,,,,\nx"), "1!more than 16 fields 2:[x]");
}

static void a_zero_ends_nothing(void **state)
{
	char text[] = "a\0b,c\nd";
	struct csv c = csv_over(text, sizeof(text) - 1);
	struct csv_row row;
	struct err err;
	int rc;

	(void)state;
	assert_true(csv_next(&c, &row, &rc, &err));
	assert_int_equal(rc, ERR_FORMAT);
	assert_true(csv_next(&c, &row, &rc, &err));
	assert_int_equal(rc, 0);
	assert_string_equal(row.field[0], "d");
	assert_false(csv_next(&c, &row, &rc, &err));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(fields_are_parted_by_commas_and_rows_by_line_ends),
		TEST(quotes_hold_commas_quotes_and_lines),
		TEST(a_row_that_is_wrong_has_words_and_the_next_is_read),
		TEST(a_zero_ends_nothing),
	};

	return cmocka_run_group_tests_name("csv", tests, NULL, NULL);
}
