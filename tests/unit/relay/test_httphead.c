/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "relay/httphead.h"

#include <string.h>

static const uint8_t pin[HTTPHEAD_SPKI_OCTETS] = { 0xab, 0xcd };

static bool ours(const char *name)
{
	return httphead_is_ours((struct span){ (const uint8_t *)name, strlen(name) });
}

static void says_who_was_proved_and_how(void **state)
{
	struct buf out = { 0 };
	struct httphead h = { .name = "_bridge.a.example",
		.by_dane = true,
		.usage = 3,
		.selector = 1,
		.matching = 1,
		.spki_sha256 = pin,
		.from = "192.0.2.1:40312" };

	(void)state;
	httphead_write(&h, &out);
	assert_string_equal(buf_string(&out),
		"X-Sardane-Name: _bridge.a.example\r\nX-Sardane-Verified: dane\r\n"
		"X-Sardane-Usage: 3 1 1\r\nX-Sardane-Spki-Sha256: "
		"abcd000000000000000000000000000000000000000000000000000000000000\r\n"
		"X-Sardane-From: 192.0.2.1:40312\r\n");
	out.n = 0;
	h.by_dane = false;
	httphead_write(&h, &out);
	assert_non_null(strstr(buf_string(&out), "X-Sardane-Verified: pkix\r\n"));
	assert_null(strstr(buf_string(&out), "Usage"));
	buf_done(&out);
}

static void every_field_it_writes_is_one_of_ours(void **state)
{
	struct buf out = { 0 };
	struct httphead h = { .name = "a.example",
		.by_dane = true,
		.spki_sha256 = pin,
		.from = "unix" };
	unsigned lines = 0;

	(void)state;
	httphead_write(&h, &out);
	for (const char *line = buf_string(&out); *line; line = strstr(line, "\r\n") + 2, lines++)
		assert_true(httphead_is_ours(
			(struct span){ (const uint8_t *)line, strcspn(line, ":") }));
	assert_int_equal(lines, 5);
	buf_done(&out);
}

static void knows_its_own_however_it_is_written(void **state)
{
	(void)state;
	assert_true(ours("X-Sardane-Name"));
	assert_true(ours("x-sardane-name"));
	assert_true(ours("X_SARDANE_NAME"));
	assert_true(ours("x-Sardane_name"));
	assert_true(ours("X.Sardane.Name"));
	assert_true(ours("X-Sardane-Anything-Of-Tomorrow"));
	assert_true(ours("X-SardaneName"));
	assert_true(ours("X-Sardane"));
}

static void leaves_others_alone(void **state)
{
	(void)state;
	assert_false(ours(""));
	assert_false(ours("X"));
	assert_false(ours("X-Sardan"));
	assert_false(ours("X-Forwarded-For"));
	assert_false(ours("My-X-Sardane-Name"));
	assert_false(ours("XSardane-Name"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_who_was_proved_and_how),
		cmocka_unit_test(every_field_it_writes_is_one_of_ours),
		cmocka_unit_test(knows_its_own_however_it_is_written),
		cmocka_unit_test(leaves_others_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
