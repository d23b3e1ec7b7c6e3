/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "dane/clientid.h"

#include <string.h>

static enum clientid_verdict read_as(enum clientid_message m, struct span data, bool compat)
{
	struct name name;
	const char *why;

	return clientid_read(m, data, compat, &name, &why);
}

static void the_signal_is_one_octet_of_zero(void **state)
{
	uint8_t out[CLIENTID_MAX];
	size_t n;

	(void)state;
	assert_int_equal(clientid_write(NULL, out, &n, NULL), 0);
	assert_int_equal(n, 1);
	assert_int_equal(out[0], 0);
	assert_int_equal(read_as(CLIENTID_CERTIFICATE_REQUEST, bytes("\0"), false),
		CLIENTID_SIGNAL);
	assert_int_equal(read_as(CLIENTID_CERTIFICATE_REQUEST, bytes("\x01x"), false),
		CLIENTID_OVERLONG);
}

static void no_octets_at_all_are_an_older_draft(void **state)
{
	(void)state;
	assert_int_equal(read_as(CLIENTID_CERTIFICATE_REQUEST, bytes(""), false), CLIENTID_LENGTH);
	assert_int_equal(read_as(CLIENTID_CERTIFICATE_REQUEST, bytes(""), true), CLIENTID_SIGNAL);
	assert_int_equal(read_as(CLIENTID_CERTIFICATE, bytes(""), false), CLIENTID_LENGTH);
	assert_int_equal(read_as(CLIENTID_CERTIFICATE, bytes(""), true), CLIENTID_EMPTY);
}

static void an_empty_name_is_told_from_a_bad_one(void **state)
{
	(void)state;
	assert_int_equal(read_as(CLIENTID_CERTIFICATE, bytes("\0"), false), CLIENTID_EMPTY);
	assert_int_equal(read_as(CLIENTID_CERTIFICATE, bytes("\x02x"), false), CLIENTID_LENGTH);
	assert_int_equal(read_as(CLIENTID_CERTIFICATE, bytes("\x01xy"), false), CLIENTID_LENGTH);
}

static void refuses_what_is_not_a_domain_name(void **state)
{
	static const struct span bad[] = {
		bytes("\x01."), /* the root */
		bytes("\x02"
		      "a."), /* a final dot */
		bytes("\x04"
		      "a..b"), /* an empty label */
		bytes("\x03"
		      "a b"), /* a blank */
		bytes("\x03"
		      "a\0b"), /* a zero inside */
		bytes("\x03"
		      "\xc3\xa9"
		      "b"), /* a U-label */
		bytes("\x05"
		      "a\\999"), /* an escape above 255 */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(read_as(CLIENTID_CERTIFICATE, bad[i], true), CLIENTID_SYNTAX);
}

static void refuses_labels_and_names_that_are_too_long(void **state)
{
	uint8_t data[256];

	(void)state;
	memset(data, 'a', sizeof(data));
	data[0] = 64;
	assert_int_equal(read_as(CLIENTID_CERTIFICATE, (struct span){ data, 65 }, false),
		CLIENTID_SYNTAX);
	data[0] = 255; /* 255 octets of text in short labels need 257 on the wire */
	for (int i = 2; i < 255; i += 2)
		data[i] = '.';
	assert_int_equal(read_as(CLIENTID_CERTIFICATE, (struct span){ data, 256 }, false),
		CLIENTID_SYNTAX);
}

static void what_is_written_is_read_again(void **state)
{
	uint8_t out[CLIENTID_MAX];
	struct name in, back;
	const char *why;
	size_t n;

	(void)state;
	assert_int_equal(name_of("_ns-client.ns.org-a.example", &in), 0);
	assert_int_equal(clientid_write(&in, out, &n, NULL), 0);
	assert_int_equal(n, 28);
	assert_int_equal(out[0], 27);
	assert_memory_equal(out + 1, "_ns-client.ns.org-a.example", 27);
	struct span data = { out, n };
	assert_int_equal(clientid_read(CLIENTID_CERTIFICATE, data, false, &back, &why),
		CLIENTID_NAME);
	assert_true(name_equal(&in, &back));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_signal_is_one_octet_of_zero),
		TEST(no_octets_at_all_are_an_older_draft),
		TEST(an_empty_name_is_told_from_a_bad_one),
		TEST(refuses_what_is_not_a_domain_name),
		TEST(refuses_labels_and_names_that_are_too_long),
		TEST(what_is_written_is_read_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
