/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "application/command.h"
#include "check.h"

static void assert_refused(struct span line, const char *words)
{
	struct command c = { .f_port = 99 };
	struct err err = { 0 };

	assert_int_equal(command_read(line, &c, &err), ERR_FORMAT);
	assert_non_null(strstr(err.msg, words));
	assert_int_equal(c.f_port, 99);
}

static void reads_a_v4_command(void **state)
{
	struct command c;

	(void)state;
	assert_int_equal(command_read(bytes("{\"devEui\":\"70b3d57ed0000001\",\"confirmed\":true,"
					    "\"fPort\":10,\"data\":\"AQI=\",\"id\":\"q-1\"}"),
				 &c, NULL),
		0);
	assert_true(c.dev_eui == 0x70b3d57ed0000001u);
	assert_true(c.confirmed);
	assert_int_equal(c.f_port, 10);
	assert_int_equal(c.n, 2);
	assert_memory_equal(c.data, "\1\2", 2);
	assert_string_equal(c.id, "q-1");
}

static void refuses_ports_that_are_not_the_applications(void **state)
{
	(void)state;
	assert_refused(bytes("{\"devEui\":\"70b3d57ed0000001\",\"fPort\":0,\"data\":\"\"}"),
		"fPort");
	assert_refused(bytes("{\"devEui\":\"70b3d57ed0000001\",\"fPort\":224,\"data\":\"\"}"),
		"fPort");
	assert_refused(bytes("{\"devEui\":\"70b3d57ed0000001\",\"fPort\":-1,\"data\":\"\"}"),
		"fPort");
}

static void refuses_what_it_cannot_do_instead_of_ignoring_it(void **state)
{
	(void)state;
	assert_refused(bytes("{\"devEui\":\"70b3d57ed0000001\",\"fPort\":1,\"data\":\"\","
			     "\"object\":{\"a\":1}}"),
		"object");
	assert_refused(bytes("{\"devEui\":\"70b3d57ed0000001\",\"fPort\":1,\"data\":\"\","
			     "\"isEncrypted\":true}"),
		"isEncrypted");
}

static void refuses_malformed_lines(void **state)
{
	(void)state;
	assert_refused(bytes(""), "");
	assert_refused(bytes("[]"), "");
	assert_refused(bytes("{\"fPort\":1,\"data\":\"\"}"), "devEui");
	assert_refused(bytes("{\"devEui\":\"70b3\",\"fPort\":1,\"data\":\"\"}"), "devEui");
	assert_refused(bytes("{\"devEui\":\"70b3d57ed0000001\",\"fPort\":1,\"data\":\"?\"}"),
		"data");
	assert_refused(bytes("{\"devEui\":\"70b3d57ed0000001\",\"devEui\":\"70b3d57ed0000002\","
			     "\"fPort\":1,\"data\":\"\"}"),
		"");
	assert_refused(bytes("{\"devEui\":\"70b3d57ed0000001\",\"fPort\":1,\"data\":\"\","
			     "\"id\":\"a\\nb\"}"),
		"id");
}

static void refuses_too_much_payload_and_too_long_lines(void **state)
{
	char line[COMMAND_LINE_MAX + 2];
	int n;

	(void)state;
	/* 328 characters are 246 octets. */
	n = snprintf(line, sizeof(line),
		"{\"devEui\":\"70b3d57ed0000001\",\"fPort\":1,\"data\":\"%0328d\"}", 0);
	assert_refused((struct span){ (uint8_t *)line, (size_t)n }, "data: more than 242");
	memset(line, ' ', sizeof(line));
	assert_refused((struct span){ (uint8_t *)line, COMMAND_LINE_MAX + 1 }, "line");
}

static void answers_with_the_id_or_the_reason(void **state)
{
	struct buf out = { 0 };

	(void)state;
	command_answer(&out, "q1", NULL);
	command_answer(&out, NULL, "data: \"x\"");
	assert_string_equal(buf_string(&out),
		"{\"id\":\"q1\",\"queued\":true}\n{\"error\":\"data: \\\"x\\\"\"}\n");
	buf_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(reads_a_v4_command),
		TEST(refuses_ports_that_are_not_the_applications),
		TEST(refuses_what_it_cannot_do_instead_of_ignoring_it),
		TEST(refuses_malformed_lines),
		TEST(refuses_too_much_payload_and_too_long_lines),
		TEST(answers_with_the_id_or_the_reason),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
