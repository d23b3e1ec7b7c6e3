/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "tls/sni.h"

#include <string.h>

static void expect(const char *want, struct span extension)
{
	char text[NAME_TEXT_MAX] = "";
	struct name name;

	if (sni_read(extension, &name) == SNI_NAME)
		assert_int_equal(name_write_text(&name, text, sizeof text), 0);
	assert_string_equal(text, want);
}

static void one_host_name_is_read(void **state)
{
	(void)state;
	expect("a.example", bytes("\0\14\0\0\11a.example"));
	expect("_mqtt.A-b.Example", bytes("\0\24\0\0\21_mqtt.A-b.Example"));
}

static void whatever_else_it_holds_is_no_name(void **state)
{
	(void)state;
	expect("", bytes(""));
	expect("", bytes("\0"));
	expect("", bytes("\0\3\0\0\0"));
	/* cut, too long, another type, two names */
	expect("", bytes("\0\14\0\0\11a.exampl"));
	expect("", bytes("\0\14\0\0\11a.examplex"));
	expect("", bytes("\0\15\0\0\11a.example"));
	expect("", bytes("\0\14\1\0\11a.example"));
	expect("", bytes("\0\10\0\0\1a\0\0\1b"));
	/* no DNS name, or one that text may hide */
	expect("", bytes("\0\4\0\0\1."));
	expect("", bytes("\0\7\0\0\4a..b"));
	expect("", bytes("\0\6\0\0\3a\0b"));
	expect("", bytes("\0\6\0\0\3a b"));
	expect("", bytes("\0\7\0\0\4a\\.b"));
	expect("", bytes("\0\6\0\0\3*.b"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(one_host_name_is_read),
		TEST(whatever_else_it_holds_is_no_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
